"""A scripted platform for tests that need exact answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scrm.wecom.scripted import Scripted


@pytest.fixture
def platform(committed: None, settings: Any) -> Iterator[Scripted]:
    """Our settings point at it; good calls are not logged."""
    scripted = Scripted()
    scripted.start()
    settings.WECOM_API_URL = scripted.url
    settings.WECOM_CALL_LOG_SAMPLE = 0
    yield scripted
    scripted.stop()
