"""Runs benchmarks: `python -m tests.benchmarks [NAME] [--size N]`.

Each bench gets services of its own, with durable settings, and a freshly migrated database, and runs in a process of
its own (`tests.benchmarks.one`), so that none measures what another has left behind.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scrm.embedded import Postgres, Redis, Services

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("inbox", "welcome", "sync", "fill", "plan", "send", "results", "pages")
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "scrm.settings",
    "SECRET_KEY": "a-key-for-benchmarks-only-a-key-for-benchmarks-only",
    "WECOM_CORP_ID": "ww1234567890abcdef",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "secret-for-benchmarks-secret-for-benchmarks",
    "WECOM_CALLBACK_TOKEN": "TokenForBenchmarks",
    "WECOM_CALLBACK_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "SENDING": "on",
    "QUIET_HOURS": "none",
}


def main() -> int:
    """Exit code 1 when a bench failed."""
    parser = argparse.ArgumentParser(prog="make bench", description="Prints one JSON object a line.")
    parser.add_argument("name", nargs="?", choices=NAMES, help="one bench; all of them without")
    parser.add_argument("--size", type=int, help="how many of what the bench counts; each has its own default")
    options = parser.parse_args()
    return max(_bench(name, options.size) for name in ([options.name] if options.name else NAMES))


def _bench(name: str, size: int | None) -> int:
    with tempfile.TemporaryDirectory(prefix="scrm-bench-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o755)
        services = Services(Postgres(place / "postgres"), Redis(place / "redis"))
        try:
            address, redis = services.postgres.start(), services.redis.start()
            environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": address, "REDIS_URL": redis}
            environment["DATA_DIR"] = str(place / "var")
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
            command = [sys.executable, "-m", "tests.benchmarks.one", name, *([str(size)] if size else [])]
            return subprocess.run(command, cwd=ROOT, env=environment).returncode
        finally:
            services.remove()


if __name__ == "__main__":
    raise SystemExit(main())
