"""Whole numbers out of addresses, forms and headers: people edit them by hand, strangers make them up."""

import re

LARGEST = 2**63 - 1  # PostgreSQL's bigint

# `str.isdigit` also says yes to ² and ٣, and thousands of digits are too many for int.
_NUMBER = re.compile(r"-?[0-9]{1,19}")


def whole(text: str | None, *, least: int = 0, most: int = LARGEST) -> int | None:
    """The number that `text` is, from `least` to `most`; None for everything else. It always fits into a bigint."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if max(least, -LARGEST) <= number <= min(most, LARGEST) else None
