"""Phone numbers and the like inside free text are masked until somebody with the right asks for them."""

import re
from functools import cached_property

from scrm.base.models import User
from scrm.base.roles import REVEAL

# Seven digits or more, also grouped by single blanks or hyphens: mobile and landline numbers, QQ, identity cards.
_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){6,}(?!\d)")
_MOBILE = 11  # digits of a mainland mobile number; from here on 3 digits in front and 4 behind tell people apart


def masked(text: str) -> str:
    """`小林 13800000001` → `小林 138****0001`; dates of eight digits and prices are cut, too: rather one too many."""
    return _NUMBER.sub(lambda found: _cut(re.sub(r"\D", "", found.group())), text)


def _cut(digits: str) -> str:
    front, behind = (3, 4) if len(digits) >= _MOBILE else (2, 2)
    return f"{digits[:front]}****{digits[-behind:]}"


class Veil:
    """What `user` reads of free texts: in full with the right to reveal, else masked. `lifted`: something was in full."""

    def __init__(self, user: User) -> None:
        self._user = user
        self.lifted = False

    @cached_property
    def _may_reveal(self) -> bool:
        """Asked only where there is something to mask."""
        return self._user.has_perm(REVEAL)

    def __call__(self, text: str) -> str:
        hidden = masked(text)
        if hidden == text:
            return text
        self.lifted |= self._may_reveal
        return text if self._may_reveal else hidden
