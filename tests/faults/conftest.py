"""One installation for all tests that break services, made when the first of them asks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation


@pytest.fixture(scope="session")
def _installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="scrm-faults-") as name:
        Path(name).chmod(0o755)
        made = Installation(Path(name))
        try:
            made.start()
            yield made
        finally:
            made.remove()


@pytest.fixture
def installation(_installation: Installation) -> Installation:
    _installation.ready()
    return _installation
