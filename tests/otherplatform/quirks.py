"""What the real platform does now and then, each behind a switch."""

from dataclasses import dataclass


@dataclass
class Quirks:
    """All off is the platform on its best behaviour; tests turn one on, or all of them."""

    # Answers.
    sparse: bool = False
    """Optional fields that hold nothing are left out of an answer."""
    stringly: bool = False
    """Every number inside an answer is a string (errcode excepted)."""
    mixed_times: bool = False
    """Times are strings in every second place."""
    escaped: bool = False
    """Text outside ASCII is escaped, four-byte characters as two surrogates."""
    backwards: bool = False
    """Lists come in the opposite order at every second reading."""
    short_pages: int = 0
    """A page holds at most so many rows, whatever the caller asked for."""
    trailing_page: bool = False
    """The last page that holds rows has a cursor still; the page behind it is empty."""
    busy_every: int = 0
    """Each n-th call is answered -1 and does nothing."""
    stranger_code: int = 40096
    """What externalcontact/get says of someone who is nobody's customer: 40096 or 84061."""
    empty_batch_refused: bool = False
    """batch/get_by_user answers 84061 when its members have no customers, as the list does."""
    late_reads: int = 0
    """So many readings after a person's deed still show the state before it."""
    late_seconds: float = 0
    """Readings within so many seconds after a person's deed show the state before it."""
    dispatching_reads: int = 0
    """So many readings of a new broadcast are answered 41063."""
    receive_rule: str = "month_total"
    """How many broadcasts a recipient gets: month_total, week_7 or day_1."""

    # Callbacks.
    cdata: bool = True
    """Text elements of a callback are wrapped in CDATA; else they are escaped."""
    member_ids_told: bool = True
    """A chat's update has MemChangeList (older versions of the platform have none)."""
    versions_told: bool = True
    """A chat's update has LastMemVer and CurMemVer."""
    detail_told: str = ""
    """The UpdateDetail that every update of a chat bears, true or not."""
    codes_given: bool = True
    """Added customers bring a WelcomeCode; without, the admin has a native welcome."""
