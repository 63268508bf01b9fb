"""One harmless read of each family of the API: whether the app may use it at all."""

import datetime as dt
from collections.abc import Callable

from scrm.base import clock
from scrm.wecom import errors
from scrm.wecom.client import client
from scrm.wecom.errors import WecomError

_NO_FILE = "scrm-doctor-no-such-media"


def _read_groupmsgs() -> None:
    now = clock.now()
    body = {
        "chat_type": "single",
        "start_time": int((now - dt.timedelta(days=1)).timestamp()),
        "end_time": int(now.timestamp()),
        "limit": 1,
    }
    client().read("externalcontact/get_groupmsg_list_v2", body=body)


# Family → (API, the read, refusals that come only to those who may ask)
_TRIALS: dict[str, tuple[str, Callable[[], object], frozenset[int]]] = {
    "contacts": (
        "externalcontact/get_follow_user_list",
        lambda: client().read("externalcontact/get_follow_user_list"),
        frozenset(),
    ),
    "group_chats": (
        "externalcontact/groupchat/list",
        lambda: client().read("externalcontact/groupchat/list", body={"status_filter": 0, "limit": 1}),
        frozenset({errors.TOO_MANY_OWNERS}),
    ),
    "tags": (
        "externalcontact/get_corp_tag_list",
        lambda: client().read("externalcontact/get_corp_tag_list", body={}),
        frozenset(),
    ),
    "contact_ways": (
        "externalcontact/list_contact_way",
        lambda: client().read("externalcontact/list_contact_way", body={"limit": 1}),
        frozenset(),
    ),
    "broadcasts": ("externalcontact/get_groupmsg_list_v2", _read_groupmsgs, frozenset()),
    "media": (
        "media/get",
        lambda: client().read("media/get", {"media_id": _NO_FILE}),
        frozenset({errors.MEDIA_UNKNOWN}),
    ),
    "departments": ("department/list", lambda: client().read("department/list"), frozenset()),
}
FAMILIES = tuple(_TRIALS)


def attempt(family: str) -> str:
    """Asks the family's API; returns its name. Errors: ConfigurationError where the app may not, WecomError."""
    api, read, allowed = _TRIALS[family]
    try:
        read()
    except WecomError as error:
        if error.code not in allowed:
            raise
    return api
