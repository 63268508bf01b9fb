"""The demo's own process: `python -m scrm.site.demo OPTIONS`, as `manage.py demo` starts it."""

import contextlib
import importlib
import sys

from scrm.embedded import ServiceError
from scrm.site.demo.launch import run
from scrm.site.demo.options import DemoError, Options


def main() -> int:
    """Runs until Ctrl-C or --exit-after. Exit code 1 with a sentence that names the cure when it can't."""
    importlib.import_module(
        "scrm.settings"
    )  # declares the settings whose values other commands of the checkout take over
    try:
        run(Options.from_json(sys.argv[1]), _say)
    except (DemoError, ServiceError) as error:
        sys.stderr.write(f"CommandError: {error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # whoever read us has gone (`| head`); the children must still be ended
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
