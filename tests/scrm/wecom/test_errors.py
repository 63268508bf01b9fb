"""Each code carries its decision."""

import pytest

from scrm.wecom import errors
from scrm.wecom.errors import ConfigurationError, Kind, Paused, Unreachable, WecomError

API = "externalcontact/get"


@pytest.mark.parametrize(
    ("code", "kind", "permanent"),
    [
        (errors.BUSY, Kind.BUSY, False),
        (6000, Kind.RETRY, False),
        (errors.WELCOME_ELSEWHERE, Kind.BUSY, False),
        (errors.TOKEN_EXPIRED, Kind.TOKEN, False),
        (errors.RATE_EXCEEDED, Kind.RATE, False),
        (errors.TOO_MANY_AT_ONCE, Kind.CONCURRENCY, False),
        (errors.ALREADY_WELCOMED, Kind.DATA, True),
        (errors.WELCOME_EXPIRED, Kind.DATA, True),
        (40007, Kind.DATA, True),
        (errors.NOT_A_CONTACT, Kind.GONE, True),
        (errors.STAFF_UNKNOWN, Kind.GONE, True),
    ],
)
def test_a_code_says_whether_trying_again_helps(code: int, kind: Kind, permanent: bool) -> None:
    error = errors.refused(code, API)

    assert isinstance(error, WecomError)
    assert (error.code, error.api, error.kind) == (code, API, kind)
    assert (error.permanent, error.temporary) == (permanent, not permanent)
    assert (error.retry_after is None) == permanent
    assert error.maybe_done is False


@pytest.mark.parametrize("code", [48002, errors.ADDRESS_REFUSED, 50003, 84074])
def test_what_a_person_must_mend_is_another_family(code: int) -> None:
    error = errors.refused(code, API)

    assert isinstance(error, ConfigurationError)
    assert not isinstance(error, WecomError)
    assert (error.code, error.permanent, error.retry_after) == (code, False, 300.0)


def test_an_unknown_code_is_permanent_and_shows_the_platforms_words() -> None:
    error = errors.refused(99999, API, "strange thing, hint: [1]")

    assert error.permanent is True
    assert "strange thing" in str(error)
    assert "99999" in str(error)


def test_a_known_code_shows_our_words_not_the_platforms() -> None:
    assert "wrong hint" not in str(errors.refused(errors.NOT_A_CONTACT, API, "wrong hint"))


def test_gone_is_told_by_the_code_only() -> None:
    assert errors.refused(errors.CHAT_DISMISSED, API).gone is True  # type: ignore[union-attr]
    assert errors.refused(40007, API).gone is False  # type: ignore[union-attr]
    assert Unreachable("lost", api=API, maybe_done=True).gone is False


def test_lost_and_unsent_calls_are_temporary() -> None:
    lost = Unreachable("lost", api=API, maybe_done=True)
    unsent = Paused("paused", api=API, retry_after=42.0)

    assert (lost.permanent, lost.maybe_done, lost.code) == (False, True, None)
    assert (unsent.permanent, unsent.maybe_done, unsent.retry_after) == (False, False, 42.0)


@pytest.mark.parametrize(
    ("code", "setting"), [(40001, "WECOM_SECRET"), (40013, "WECOM_CORP_ID"), (40056, "WECOM_AGENT_ID")]
)
def test_refused_credentials_name_the_setting(code: int, setting: str) -> None:
    error = errors.refused_token(code, 300.0)

    assert isinstance(error, ConfigurationError)
    assert error.setting == setting
    assert setting in str(error)
