"""The settings that the demo's processes run with: what the environment gives, and demo values for the rest."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from scrm.embedded import notes

# Every worker process of the demo and its queues.
WORKERS: Final[Mapping[str, str]] = {
    "welcome": "welcome",
    "mirror": "mirror,sending",
    "sync": "sync,rollup,export",
}
SECRETS: Final = "demo.secrets.json"
CLOCK: Final = "demo.clock.json"
CLOCK_SETTINGS: Final = (("CLOCK_OFFSET", 0), ("CLOCK_SPEED", 1), ("CLOCK_ANCHOR", 0))


def given(name: str) -> bool:
    """Whether the environment gives a setting, itself or as a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def given_value(name: str) -> str:
    """The value that the environment gives, empty when none."""
    path = os.environ.get(f"{name}_FILE")
    if not os.environ.get(name) and path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, "").strip()


def kept_secrets(var: Path) -> dict[str, str]:
    """The generated secrets of this checkout, made at the first call, readable by their owner only."""
    path = var / SECRETS
    kept = {str(name): str(value) for name, value in notes.read(path).items()}
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEMO_PASSWORD": secrets.token_urlsafe(9),
        "WECOM_CORP_ID": f"ww{secrets.token_hex(8)}",
        "WECOM_AGENT_ID": "1000002",
        "WECOM_SECRET": secrets.token_hex(22)[:43],
        "WECOM_CALLBACK_TOKEN": secrets.token_hex(12),
        "WECOM_CALLBACK_AES_KEY": _aes_key(),
    }
    if missing := made.keys() - kept.keys():
        kept |= {name: made[name] for name in missing}
        notes.write(path, kept)
    return kept


def _aes_key() -> str:
    """43 letters and digits that are the base64 of 32 bytes without the last `=` (wecom-api.md §2.1)."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


def platform(port: int) -> dict[str, str]:
    """Where the stand-in is: its API and its pages. Pages of a platform that was given are the real ones."""
    site = f"http://127.0.0.1:{port}/"
    pages = {} if given("WECOM_API_URL") else {"WECOM_OAUTH_URL": site, "WECOM_LOGIN_URL": site}
    return {"WECOM_API_URL": f"{site}cgi-bin/", **pages}


def standin_state(database_url: str) -> str:
    """The name of the file in which the stand-in keeps the world that belongs to a database; empty: the embedded one."""
    if not database_url:
        return "standin.state"
    parts = urlsplit(database_url)
    place = f"{parts.hostname}:{parts.port}{parts.path}"
    return f"standin-{hashlib.sha256(place.encode()).hexdigest()[:12]}.state"


def clock(var: Path, speed: float) -> dict[str, str]:
    """The clock settings of this run. Domain time never runs backwards between two runs on the same data."""
    if given("CLOCK_OFFSET") or given("CLOCK_SPEED"):
        return {}
    kept = notes.read(var / CLOCK).get("domain")
    ahead = max(0.0, float(kept) - time.time()) if kept else 0.0
    return {"CLOCK_OFFSET": f"{ahead:.3f}", "CLOCK_SPEED": f"{speed:g}", "CLOCK_ANCHOR": f"{time.time():.3f}"}


def keep_clock(var: Path, environment: Mapping[str, str]) -> None:
    """Notes how far domain time has come; called now and then while the demo runs."""
    notes.write(var / CLOCK, {"domain": domain_now(environment).timestamp()})


def domain_now(clock: Mapping[str, str]) -> dt.datetime:
    """Domain time at this moment by these settings (the same sum as scrm.base.clock)."""
    offset, speed, anchor = (float(clock.get(name) or default) for name, default in CLOCK_SETTINGS)
    real = time.time()
    return dt.datetime.fromtimestamp((anchor + (real - anchor) * speed if speed != 1 else real) + offset, dt.UTC)


def noted(own: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """What other commands of this checkout take over: our own values, and those of `names` that we were given."""
    taken = {name: given_value(name) for name in names if given(name)}
    return {**own, **taken}


def fingerprint(base: Path, played: Mapping[str, object], environment: Mapping[str, str]) -> str:
    """Names all that the preparation of a database depends on: migrations, packages, history, the user's password."""
    key = given_value("SECRET_KEY") or environment["SECRET_KEY"]
    digest = hmac.new(key.encode(), digestmod="sha256")
    migrations = [*base.glob("*/migrations/*.py"), *base.glob("*/*/migrations/*.py")]
    for path in [*sorted(migrations), base / "requirements" / "runtime.txt"]:
        digest.update(path.relative_to(base).as_posix().encode() + path.read_bytes())
    digest.update(json.dumps(played, sort_keys=True).encode())
    digest.update(environment["DEMO_PASSWORD"].encode())
    return digest.hexdigest()
