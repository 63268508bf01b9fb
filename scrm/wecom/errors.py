"""What can go wrong with a call to the platform, with the decision whether trying again makes sense in it.

`WecomError` is the one family for a call that was refused, lost or not made. Callers ask `error.permanent` or
`error.temporary`, wait `error.retry_after`, and compare `error.code` only with the names below. `ConfigurationError`
is the other family: a person has to mend a setting or the platform's console first.
"""

import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

T = TypeVar("T")

BUSY = -1
SECRET_REFUSED = 40001
CORP_REFUSED = 40013
AGENT_REFUSED = 40056
TOKEN_REFUSED = 40014
TOKEN_EXPIRED = 42001
MEDIA_UNKNOWN = 40007
WELCOME_EXPIRED = 41050
ALREADY_WELCOMED = 41051
ARCHIVE_CONSENT_MISSING = 41053
NOT_ACTIVATED = 41054
BROADCAST_BEING_DISPATCHED = 41063
BROADCAST_CANCELLED = 41093
REMINDED_TOO_OFTEN = 41094
WELCOME_ELSEWHERE = 41096
RATE_EXCEEDED = 45009
TOO_MANY_AT_ONCE = 45033
CHAT_DISMISSED = 49008
API_FORBIDDEN = 48002
CURSOR_REFUSED = 50100
ADDRESS_REFUSED = 60020
OUT_OF_RANGE = 60011
STAFF_UNKNOWN = 60111
TOO_MANY_OWNERS = 81017
NOT_A_CONTACT = 84061
NOT_FOLLOWED = 84084
CONTACT_UNKNOWN = 40096

TOKEN_CODES = frozenset({SECRET_REFUSED, TOKEN_REFUSED, TOKEN_EXPIRED})
NO_SUCH_CUSTOMER = frozenset({NOT_A_CONTACT, NOT_FOLLOWED, CONTACT_UNKNOWN})
# gettoken's answers to wrong settings: asking again bans our address for an hour (wecom-api.md §1.1).
BAD_CREDENTIALS = {
    SECRET_REFUSED: "WECOM_SECRET",
    CORP_REFUSED: "WECOM_CORP_ID",
    AGENT_REFUSED: "WECOM_AGENT_ID",
}


class Kind(StrEnum):
    """What a code asks of us."""

    TOKEN = "token"  # noqa: S105  no password: fetch a new token, try once more
    RETRY = "retry"  # the same call may succeed soon
    BUSY = "busy"  # the same, at most three tries
    RATE = "rate"  # pause this API for the window
    CONCURRENCY = "concurrency"  # fewer at once
    DATA = "data"  # this call will never succeed
    CONFIG = "config"  # a person must mend something
    GONE = "gone"  # the object isn't there (any more)


class Meaning(NamedTuple):
    """One line of the table: the class of a code and what it means."""

    kind: Kind
    text: "StrPromise"


_RETRY_AFTER = {Kind.TOKEN: 60.0, Kind.RETRY: 5.0, Kind.BUSY: 1.0, Kind.RATE: 60.0, Kind.CONCURRENCY: 1.0}
_CONFIGURATION_RETRY_AFTER = (
    300.0  # platform: a mended setting works after about a minute (§1.1); a person needs longer
)


class WecomError(Exception):
    """A call that the platform refused, or that got no answer.

    `code`: the platform's errcode, None when there was none. `api`: the path, as `externalcontact/get`.
    `permanent`: trying again can't help. `retry_after`: seconds to wait at least, None when permanent.
    `maybe_done`: the platform may have carried it out although we got no answer.
    """

    maybe_done = False

    def __init__(
        self, code: int | None, message: str, *, api: str, permanent: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(code, message, api)
        self.code = code
        self.message = message
        self.api = api
        self.permanent = permanent
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.api}: {self.message}" + (f" ({self.code})" if self.code is not None else "")

    @property
    def temporary(self) -> bool:
        return not self.permanent

    @property
    def kind(self) -> Kind | None:
        """Class of the code; None without one. Codes that the table lacks count as data."""
        return None if self.code is None else meaning(self.code).kind

    @property
    def gone(self) -> bool:
        """The person, chat, tag or staff member isn't there (any more), or isn't ours to see."""
        return self.kind is Kind.GONE


def unless_gone(read: Callable[[], T], *, codes: Collection[int] = ()) -> T | None:
    """What `read` returns; None where the platform says that there is no such thing (any more). Errors: all others.

    `codes`: those that say so of what is read, where the absence of something else must not be taken for it.
    """
    try:
        return read()
    except WecomError as error:
        if error.code in codes if codes else error.gone:
            return None
        raise


class Unreachable(WecomError):
    """No answer that can be read: time-out, broken connection, HTTP error, no JSON.

    `connected`: there was a connection, so the request may have left. `maybe_done` unless it surely did nothing.
    """

    def __init__(
        self, message: str, *, api: str, maybe_done: bool, connected: bool = True, retry_after: float = 2.0
    ) -> None:
        super().__init__(None, message, api=api, permanent=False, retry_after=retry_after)
        self.maybe_done = maybe_done
        self.connected = connected


class Paused(WecomError):
    """Nothing was sent: the API is paused after a 45009, or our own budget has no room within the time allowed."""

    def __init__(self, message: str, *, api: str, retry_after: float) -> None:
        super().__init__(None, message, api=api, permanent=False, retry_after=retry_after)


class ConfigurationError(Exception):
    """A person must mend something first. `setting` names ours, "" when it is in the platform's console.

    `address`: ours as the platform saw it, where its answer says so.
    Waits rather than fails: work that meets it may be put off by `retry_after` seconds.
    """

    permanent = False
    temporary = True

    def __init__(self, message: str, *, api: str, code: int | None = None, setting: str = "") -> None:
        super().__init__(message, api, code, setting)
        self.message = message
        self.api = api
        self.code = code
        self.setting = setting
        self.address = ""
        self.retry_after = _CONFIGURATION_RETRY_AFTER

    def __str__(self) -> str:
        return f"{self.api}: {self.message}" + (f" ({self.code})" if self.code is not None else "")


def meaning(code: int) -> Meaning:
    """The table's line for a code; an unknown code counts as data: nobody promised that trying again helps."""
    return CODES.get(code, _UNKNOWN)


def refused(code: int, api: str, errmsg: str = "") -> WecomError | ConfigurationError:
    """The error for an answer with this errcode. `errmsg` is shown only for codes that the table lacks."""
    kind, text = meaning(code)
    words = str(text)
    if code not in CODES and errmsg:
        words = f"{words}: {errmsg[:200]}"
    if kind is Kind.CONFIG:
        error = ConfigurationError(words, api=api, code=code)
        error.address = _our_address(errmsg)
        return error
    retry_after = _RETRY_AFTER.get(kind)
    return WecomError(code, words, api=api, permanent=retry_after is None, retry_after=retry_after)


def _our_address(errmsg: str) -> str:
    """The address that the platform names in its answer (`…, from ip: 203.0.113.7, …`); "" where it names none."""
    found = re.search(r"from ip: ?([0-9a-fA-F.:]{3,45})", errmsg)
    return found.group(1) if found else ""


def refused_token(code: int, seconds: float) -> WecomError | ConfigurationError:
    """gettoken's refusal, which stands for `seconds`: nobody asks again before."""
    setting = BAD_CREDENTIALS.get(code, "")
    words = str(meaning(code).text)
    if setting:
        words = gettext("%(reason)s: correct the setting %(setting)s, then restart") % {
            "reason": words,
            "setting": "WECOM_SECRET / WECOM_CORP_ID" if code == SECRET_REFUSED else setting,
        }
    if setting or meaning(code).kind is Kind.CONFIG:
        error = ConfigurationError(words, api="gettoken", code=code, setting=setting)
        error.retry_after = seconds
        return error
    return WecomError(code, words, api="gettoken", permanent=False, retry_after=seconds)


def _table(kind: Kind, rows: dict[int, "StrPromise"]) -> dict[int, Meaning]:
    return {code: Meaning(kind, words) for code, words in rows.items()}


_UNKNOWN = Meaning(Kind.DATA, _("refused by the platform"))

# wecom-api.md §1.4 (the platform's list of 2023-01-06); families that no call of ours uses are left out.
CODES: dict[int, Meaning] = {
    **_table(
        Kind.TOKEN,
        {
            SECRET_REFUSED: _("secret or token refused"),
            TOKEN_REFUSED: _("access token invalid"),
            TOKEN_EXPIRED: _("access token expired"),
        },
    ),
    **_table(
        Kind.BUSY,
        {
            BUSY: _("the platform is busy"),
            WELCOME_ELSEWHERE: _("another app is sending the welcome message"),
        },
    ),
    **_table(
        Kind.RETRY,
        {
            6000: _("edited by somebody else at the same time"),
            40100: _("customer is being handed over"),
            40129: _("customer is being handed over"),
            41053: _("the customer has not agreed to archiving yet"),
            BROADCAST_BEING_DISPATCHED: _("the broadcast is still being dispatched"),
            41078: _("too many moments are being created"),
            41079: _("the moment is still being dispatched"),
            90507: _("the chat is being handed over"),
        },
    ),
    **_table(Kind.RATE, {RATE_EXCEEDED: _("too many calls")}),
    **_table(Kind.CONCURRENCY, {TOO_MANY_AT_ONCE: _("too many calls at once")}),
    **_table(
        Kind.GONE,
        {
            40003: _("no such staff member"),
            40068: _("no such tag"),
            CONTACT_UNKNOWN: _("no such contact"),
            41047: _("no such broadcast"),
            CHAT_DISMISSED: _("the chat was dismissed"),
            STAFF_UNKNOWN: _("no such staff member"),
            60003: _("no such department"),
            60021: _("the staff member is out of the app's range"),
            60136: _("no such record"),
            NOT_A_CONTACT: _("not a contact (any more), or only half added"),
            NOT_FOLLOWED: _("this staff member doesn't follow the contact"),
            90501: _("no customer group"),
            90509: _("no customer group of WeCom"),
        },
    ),
    **_table(
        Kind.CONFIG,
        {
            CORP_REFUSED: _("the corp id is unknown"),
            AGENT_REFUSED: _("the agent id is unknown"),
            41057: _("the corp is not bound to a WeChat developer account"),
            43004: _("the staff member is not bound to WeChat"),
            43009: _("the corp is not verified"),
            43012: _("the app needs a callback address"),
            48001: _("the API is not authorised"),
            API_FORBIDDEN: _("the app may not call this API: add it under 客户联系 > 可调用接口的应用"),
            48006: _("permission was withdrawn because it was not used"),
            48007: _("the customer-service account is not authorised for this app"),
            48008: _("the address-book secret is limited"),
            48009: _("the address-book secret is limited"),
            50001: _("the redirect address is not on a trusted domain"),
            50003: _("the app is disabled"),
            ADDRESS_REFUSED: _("our address is not trusted: add it under 企业可信IP of the app"),
            84074: _("no permission for customer contact"),
            301002: _("the agent id does not belong to this secret"),
            301042: _("our address is not trusted for the archive"),
            301052: _("the archive service has expired"),
            301053: _("the archive service was not opened"),
        },
    ),
    **_table(
        Kind.DATA,
        {
            40004: _("bad kind of media"),
            40005: _("bad kind of media"),
            40006: _("bad size of media"),
            MEDIA_UNKNOWN: _("media id invalid or expired"),
            40008: _("bad kind of message"),
            40009: _("bad size of image"),
            40011: _("bad size of video"),
            40029: _("sign-in code invalid or used"),
            40031: _("bad list of staff members"),
            40032: _("bad length of a list of staff members"),
            40033: _("illegal characters"),
            40035: _("bad parameter"),
            40058: _("bad parameter"),
            40063: _("a required parameter is empty"),
            40071: _("the tag's name exists"),
            40072: _("bad length of a tag's name"),
            40097: _("the staff member has not left"),
            40098: _("the staff member's name is not verified"),
            40099: _("the taking-over staff member has no room for more customers"),
            40123: _("broken image"),
            40126: _("no room for more tags"),
            40128: _("handed over too often"),
            40130: _("handed over to the same staff member"),
            40131: _("the handing-over staff member doesn't follow the customer"),
            40201: _("blocked as spam"),
            41001: _("access token missing"),
            41035: _("the external user id is missing"),
            41037: _("bad contact way"),
            41038: _("bad contact way"),
            41039: _("bad contact way"),
            41040: _("bad contact way"),
            41041: _("too many staff members in a contact way"),
            41042: _("bad contact way"),
            41043: _("bad contact way"),
            41044: _("bad contact way"),
            41045: _("no room for more contact ways"),
            41046: _("the broadcast's id is missing"),
            41048: _("no customer to send to"),
            41049: _("the welcome code is missing"),
            WELCOME_EXPIRED: _("the welcome code is invalid or older than 20 seconds"),
            ALREADY_WELCOMED: _("already welcomed, or already talking"),
            41052: _("bad time to send"),
            NOT_ACTIVATED: _("the staff member is not activated"),
            41055: _("no room for more group welcome templates"),
            41056: _("wrong kind of external user id"),
            41058: _("the template belongs to another app"),
            41059: _("the moment's id is missing"),
            41060: _("no such moment"),
            41061: _("the moment was not published by this staff member"),
            41062: _("the moment is not published yet"),
            41064: _("too many attachments"),
            41065: _("bad kind of attachment"),
            41067: _("wrong kind of moment"),
            41072: _("attachment made for another use"),
            41080: _("attachment too big"),
            41081: _("bad resolution"),
            41082: _("video too long"),
            41088: _("no attachment"),
            41089: _("neither text nor attachment"),
            41090: _("no valid mp4"),
            41091: _("too many chats in a join way"),
            BROADCAST_CANCELLED: _("the broadcast was cancelled"),
            REMINDED_TOO_OFTEN: _("reminded too often"),
            41095: _("no room for more acquisition links"),
            42003: _("sign-in code expired"),
            42022: _("sign-in code used"),
            44001: _("empty media"),
            44004: _("empty text"),
            45001: _("media too big"),
            45002: _("message too long"),
            45007: _("voice too long"),
            45008: _("too many articles"),
            45024: _("no room for more accounts"),
            45029: _("the answer would be too long"),
            CURSOR_REFUSED: _("cursor invalid: start the paging again"),
            50002: _("the staff member is out of range"),
            OUT_OF_RANGE: _("no permission on this staff member, department or tag"),
            81013: _("none of the recipients is valid"),
            TOO_MANY_OWNERS: _("too many owners: ask by owner"),
            86001: _("no such chat"),
            86003: _("the chat's id is missing"),
            86008: _("the chat belongs to another app"),
            86101: _("only the owner may do this"),
            90500: _("the owner has not left"),
            90502: _("the owner has left"),
            90503: _("the chat is full"),
            90504: _("the owner stays the same"),
            90508: _("the chat was already handed over"),
            90510: _("the corp was inactive for a year"),
            90511: _("bad group id"),
            610014: _("bad union id"),
            845003: _("the union id belongs to another corp"),
        },
    ),
}
