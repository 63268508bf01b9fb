"""One installation for all tests that break services, made when the first of them asks; corps for random histories."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corp import Corp
from tests.faults import histories
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


@pytest.fixture
def new_corp(committed: None, settings: Any) -> Iterator[Callable[[], Corp]]:
    yield from histories.corps(settings)
