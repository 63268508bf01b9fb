"""One bench in a process of its own, on the services of the environment."""

import importlib
import json
import sys

import django


def main(name: str, size: str = "") -> None:
    """Prints a line for each measurement as soon as it is there."""
    django.setup()
    module = importlib.import_module(f"tests.benchmarks.{name}")
    for measurement in module.run(int(size)) if size else module.run():
        print(json.dumps({"bench": name, **measurement}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
