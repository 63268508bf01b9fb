"""External contacts: details, pages of them, remark and tags of one follow (wecom-api.md §5, §6)."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from scrm.wecom import errors
from scrm.wecom.client import client, endless, listed, told
from scrm.wecom.schemas import ContactDetail, ContactPage, Raw, inner, keys, objects, text

MAX_STAFF_PER_PAGE = 100  # userid_list of batch/get_by_user, wecom-api.md §5.3
MAX_FOLLOW_PAGES = 100  # 500 follows each: a contact with 50,000 follows is a platform that does not stop


def fetch(external_userid: str, *, timeout: float | None = None, urgent: bool = False) -> ContactDetail:
    """The contact with every follow (more than 500 come in pages). `timeout`: seconds for each page, waiting included.

    Errors: WecomError, `gone` when no staff member in range has this contact (strangers in chats, platform.md 16).
    """
    pages: list[Raw] = []
    cursor = ""
    while len(pages) < MAX_FOLLOW_PAGES:
        query = {"external_userid": external_userid} | ({"cursor": cursor} if cursor else {})
        pages.append(client().read("externalcontact/get", query, timeout=timeout, urgent=urgent))
        if not listed(pages[-1], "follow_user", api="externalcontact/get"):
            told(pages[0], "follow_user", list, api="externalcontact/get")
        cursor = text(pages[-1], "next_cursor")
        if not cursor:
            break
    else:
        raise endless("externalcontact/get")
    told(pages[0], "external_contact", dict, api="externalcontact/get")
    follows = chain.from_iterable(objects(page, "follow_user") for page in pages)
    return ContactDetail.from_wecom(inner(pages[0], "external_contact"), follows)


def fetch_page(userids: Sequence[str], cursor: str = "", limit: int = 100) -> ContactPage:
    """A page of the contacts of up to 100 staff members: one entry with one follow per (contact, staff)."""
    if not 0 < len(userids) <= MAX_STAFF_PER_PAGE:
        raise ValueError(f"1 to {MAX_STAFF_PER_PAGE} staff members fit one page, not {len(userids)}")
    body = {"userid_list": list(userids), "cursor": cursor, "limit": limit}
    answer = client().read("externalcontact/batch/get_by_user", body=body)
    named = listed(answer, "external_contact_list", api="externalcontact/batch/get_by_user")
    rows = (_batch_row(row) for row in objects(answer, "external_contact_list"))
    contacts = tuple(row for row in rows if row.external_userid)
    return ContactPage(contacts, text(answer, "next_cursor") if named else "", proof=named)


def _batch_row(row: Raw) -> ContactDetail:
    return ContactDetail.from_wecom(inner(row, "external_contact"), [inner(row, "follow_info")])


def fetch_list(userid: str) -> tuple[str, ...]:
    """External ids of one staff member's contacts, in one answer. Nobody yet (84061) is an empty tuple (§5.1)."""
    try:
        answer = client().read("externalcontact/list", {"userid": userid})
    except errors.WecomError as error:
        if error.code == errors.NOT_A_CONTACT:
            return ()
        raise
    told(answer, "external_userid", list, api="externalcontact/list")
    return keys(answer, "external_userid")


def mark_tags(userid: str, external_userid: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Puts corp tags on, and takes them off, one follow. Needs at least one tag."""
    if not add and not remove:
        raise ValueError("no tag to add or to remove")
    body = {
        "userid": userid,
        "external_userid": external_userid,
        "add_tag": list(add),
        "remove_tag": list(remove),
    }
    client().act("externalcontact/mark_tag", {name: value for name, value in body.items() if value})


def remark(
    userid: str,
    external_userid: str,
    *,
    remark: str | None = None,
    description: str | None = None,
    remark_company: str | None = None,
    remark_mobiles: Sequence[str] | None = None,
) -> None:
    """Writes the given fields of one follow; None leaves a field alone. `remark_mobiles` replaces the whole list, an
    empty one clears it (wecom-api.md §5.4)."""
    fields: dict[str, Any] = {"remark": remark, "description": description, "remark_company": remark_company}
    if remark_mobiles is not None:
        fields["remark_mobiles"] = list(remark_mobiles) or [""]
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        raise ValueError("no field to write")
    client().act("externalcontact/remark", {"userid": userid, "external_userid": external_userid, **given})
