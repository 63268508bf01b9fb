"""Seconds of protocol time that pass at the stand-in because a test says so: no machine is too slow for them."""

import time

import pytest

from scrm.standin import broadcasts, contacts, lag, limits, sign_ins, tokens
from scrm.standin.api import broadcasts as broadcasts_api
from scrm.standin.api import welcome

READERS = [broadcasts, broadcasts_api, contacts, lag, limits, sign_ins, tokens, welcome]


class Passing:
    """`time` as those modules see it: `passes(30)` moves it on."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self, seconds: float) -> None:
        self._ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def time(self) -> float:
        return time.time() + self._ahead


def begin(monkeypatch: pytest.MonkeyPatch) -> Passing:
    passes = Passing()
    for module in READERS:
        monkeypatch.setattr(module, "time", passes)
    return passes
