"""Typed readers of the environment. Each setting may also come as NAME_FILE, a path to a file with the value.

Order: the environment, then what a running demo of this checkout has noted in `var/`, then the default.
"""

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

from scrm import embedded

BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One line of the README's table of settings."""

    name: str
    default: str
    meaning: str


# Every setting that the environment may give; a test keeps README.md true to this list.
SETTINGS: dict[str, Setting] = {}


def data_dir() -> Path:
    """Where the embedded services, logs and generated secrets of this checkout live."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").resolve()


_noted = embedded.noted_environment(data_dir())


def text(name: str, default: str = "", *, meaning: str) -> str:
    """The value of `name`, of the file that `name`_FILE points to, or `default`."""
    SETTINGS[name] = Setting(name, default, meaning)
    if name in os.environ:
        return os.environ[name].strip()
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} can't be read ({error.strerror}).") from error
    return _noted.get(name, default).strip()


def origin(name: str) -> str:
    """Where the value of a setting comes from: `environment`, `file`, `demo` or `default`."""
    if name in os.environ:
        return "environment"
    if os.environ.get(f"{name}_FILE"):
        return "file"
    return "demo" if name in _noted else "default"


def flag(name: str, default: bool, *, meaning: str) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off."""
    raw = text(name, "true" if default else "false", meaning=meaning).lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}: {raw!r} is neither true nor false. Write {name}=true or {name}=false.")


def number(name: str, default: float, *, least: float = -math.inf, meaning: str) -> float:
    """A decimal number, at least `least`."""
    raw = text(name, f"{default:g}", meaning=meaning)
    return _number(name, raw, f"{default:g}", least)


def whole(name: str, default: int, *, least: int = 1, meaning: str) -> int:
    """A whole number, at least `least`."""
    raw = text(name, str(default), meaning=meaning)
    if not re.fullmatch(r"[+-]?\d{1,12}", raw):
        raise ImproperlyConfigured(f"{name}: {raw!r} is not a whole number. Write for example {name}={default}.")
    return int(_number(name, raw, str(default), least))


def numbers(name: str, default: str, *, meaning: str) -> tuple[float, ...]:
    """A comma-separated list of numbers that are not negative."""
    return tuple(_number(name, word, default, 0) for word in words(name, default, meaning=meaning))


def _number(name: str, raw: str, example: str, least: float) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ImproperlyConfigured(f"{name}: {raw!r} is not a number. Write for example {name}={example}.")
    if value < least:
        raise ImproperlyConfigured(
            f"{name}: {raw} is too small, {least:g} is the least. Write for example {name}={example}."
        )
    return value


def time_zone(name: str, default: str, *, meaning: str) -> str:
    """The name of a time zone."""
    raw = text(name, default, meaning=meaning)
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(f"{name}: {raw!r} is no time zone. Write for example {default}.") from None
    return raw


def words(name: str, default: str = "", *, meaning: str) -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text(name, default, meaning=meaning).split(",") if word.strip()]


def one_of(name: str, allowed: tuple[str, ...], default: str, *, meaning: str) -> str:
    """One of a few words."""
    raw = text(name, default, meaning=meaning)
    if raw not in allowed:
        raise ImproperlyConfigured(f"{name}: {raw!r} is not known. Write one of: {', '.join(allowed)}.")
    return raw


def quiet_hours(name: str, default: str, *, meaning: str) -> str:
    """`HH:MM-HH:MM` in company time, or `none`."""
    raw = text(name, default, meaning=meaning)
    hour = r"([01]\d|2[0-3]):[0-5]\d"
    if raw != "none" and not re.fullmatch(f"{hour}-{hour}", raw):
        raise ImproperlyConfigured(f"{name}: {raw!r} is no span of hours. Write for example 22:30-08:00, or none.")
    return raw


def database(name: str, *, password: str = "", meaning: str) -> dict[str, object]:
    """Django's description of the database behind the address in `name`; `password` fills in where that has none."""
    import environ

    address = text(name, "", meaning=meaning)
    if not address:
        running = embedded.running(data_dir())
        if running is None:
            # Many commands need no database; those that do fail with this sentence as the folder of the socket.
            cure = "/DATABASE_URL is not set and no demo runs in this checkout: set it or run make demo"
            return {"ENGINE": "django.db.backends.postgresql", "NAME": "scrm", "USER": "scrm", "HOST": cure}
        address = running.database_url
    try:
        parsed: dict[str, object] = environ.Env.db_url_config(address)
    except Exception:
        parsed = {}
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            f"{name}: not an address of PostgreSQL. Write postgres://user:password@host:5432/name."
        )
    return {**parsed, "PASSWORD": parsed.get("PASSWORD") or password}


def redis_address(name: str, *, meaning: str) -> str:
    """The address of Redis or Valkey; unset: the embedded one of this checkout."""
    address = text(name, "", meaning=meaning)
    if not address:
        running = embedded.running(data_dir())
        address = running.redis_url if running else "redis://127.0.0.1:1/0"
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name}: not an address of Redis. Write redis://host:6379/0.")
    return address
