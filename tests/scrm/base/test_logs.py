"""What a line of the log must not hold."""

import logging

from django.conf import settings

from scrm.base import logs
from scrm.base.logs import Formatter


def test_keys_in_addresses_are_blotted_out() -> None:
    address = "GET /h5/tasks/?k=abc.def:1&page=2 and /signin/back/?state=s1&code=SECRET"
    record = logging.LogRecord("django_structlog", logging.WARNING, __file__, 1, {"event": "x", "request": address}, None, None)  # fmt: skip

    line = Formatter().format(record)

    assert "/h5/tasks/?k=…&page=2" in line
    assert "?state=s1&code=…" in line
    assert "abc.def" not in line and "SECRET" not in line


def test_a_plain_sentence_is_blotted_too() -> None:
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Forbidden: /x/?code=SECRET", None, None)

    line = Formatter().format(record)

    assert "Forbidden: /x/?code=…" in line
    assert "SECRET" not in line


def test_names_of_customers_are_told_only_where_the_story_is_asked_for() -> None:
    """Nobody erases a line of a log. The demo sets STORY; an installation has to ask for it."""
    assert not settings.STORY
    assert not logs.story.isEnabledFor(logging.INFO)
