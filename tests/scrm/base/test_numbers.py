"""Numbers out of addresses: digits are read, everything else is no number, and none is too large for a row."""

import re

from hypothesis import given
from hypothesis import strategies as st

from scrm.base.numbers import LARGEST, whole

# What looks like a number: signs, spaces, other scripts' digits, powers, long ones.
LIKE_NUMBERS = st.text(st.sampled_from("0123456789-+ _.,eE\n²٣７Ⅷ") | st.characters(categories=["Nd", "No", "Nl"])) | (
    st.integers(-(10**30), 10**30).map(str)
)


@given(st.text() | LIKE_NUMBERS, st.integers(-LARGEST, LARGEST), st.integers())
def test_a_text_is_its_number_or_none(text: str, least: int, most: int) -> None:
    written = re.fullmatch(r"-?[0-9]{1,19}", text) is not None

    read = whole(text, least=least, most=most)

    if written and least <= int(text) <= min(most, LARGEST):
        assert read == int(text)
    else:
        assert read is None


@given(st.integers(0, LARGEST))
def test_every_key_is_read(number: int) -> None:
    assert whole(str(number)) == number


def test_what_is_none() -> None:
    texts = (None, "", "-1", "+1", " 1", "1\n", "²", "٣", "1.0", "1e3", str(LARGEST + 1), "9" * 5_000)
    assert [whole(text) for text in texts] == [None] * 12
    assert (whole("-7", least=-10), whole("-11", least=-10), whole("11", most=10), whole("007")) == (-7, None, None, 7)
