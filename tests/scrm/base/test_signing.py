"""Signed texts and keyed hashes."""

import datetime as dt
from typing import Any

import pytest

from scrm.base import signing


def test_what_was_signed_is_read_for_the_same_purpose_only() -> None:
    text = signing.sign({"customer": "wmLin"}, purpose="gate")

    assert signing.read(text, purpose="gate") == {"customer": "wmLin"}
    with pytest.raises(signing.BadSignature):
        signing.read(text, purpose="landing")
    with pytest.raises(signing.BadSignature):
        signing.read(text[:-2] + "xx", purpose="gate")


def test_a_signed_text_expires() -> None:
    text = signing.sign(1, purpose="gate")

    with pytest.raises(signing.BadSignature):
        signing.read(text, purpose="gate", max_age=dt.timedelta(seconds=-1))


def test_a_keyed_hash_depends_on_text_purpose_and_key(settings: Any) -> None:
    one = signing.keyed_hash("13800000001", purpose="phone")
    assert len(one) == 32
    assert one == signing.keyed_hash("13800000001", purpose="phone")
    assert one != signing.keyed_hash("13800000001", purpose="erased")
    settings.SECRET_KEY = "another key"
    assert one != signing.keyed_hash("13800000001", purpose="phone")
