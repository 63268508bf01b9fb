"""Customers (wecom-api.md §5): lists, details, pages, remarks and marks."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import Customer, Follow

from .call import Call, from_cursor, to_cursor

FOLLOWERS_PER_PAGE = 500  # §5.2
PAGE_DEFAULT, PAGE_MOST = 50, 100  # §5.3
USERS_PER_CALL = 100  # §5.3
TAGS_PER_FOLLOW = 3000  # platform.md 20


def get_follow_user_list(call: Call) -> dict[str, Any]:
    """Members with the customer-contact function."""
    return {"follow_user": [staff.userid for staff in call.world.book.seen_staff() if staff.follows]}


def list_(call: Call) -> dict[str, Any]:
    """§5.1: every customer of a member, one-way friends too; 84061 for a member who has none."""
    userid = call.query.get("userid", "")
    contacts = call.world.contacts
    found = [
        person_id
        for person_id in _people(call, userid)
        if any(follow.userid == userid for follow in contacts.seen_follows(contacts.customers[person_id]))
    ]
    if not found:
        raise Refusal(84061)
    return {"external_userid": found}


def get(call: Call) -> dict[str, Any]:
    """§5.2: a customer with 500 followers a page; 84061 for a person who is nobody's friend."""
    person_id = call.query.get("external_userid", "")
    if not person_id:
        raise Refusal(41035)
    customer, follows = call.world.contacts.seen(person_id)
    follows = tuple(follow for follow in follows if call.world.book.seen(follow.userid) is not None)
    if not follows:
        raise Refusal(84061)
    (start,) = from_cursor(call.query.get("cursor", ""), "followers", 1)
    names = call.world.tags.names()
    page = [_follow_user(call, customer, item, names) for item in follows[start : start + FOLLOWERS_PER_PAGE]]
    answer: dict[str, Any] = {"external_contact": _external_contact(call, customer), "follow_user": page}
    if start + FOLLOWERS_PER_PAGE < len(follows):
        answer["next_cursor"] = to_cursor("followers", start + FOLLOWERS_PER_PAGE)
    return answer


def batch_get_by_user(call: Call) -> dict[str, Any]:
    """§5.3: one row per pair of member and customer; `next_cursor` is empty at the end."""
    userids = call.strings("userid_list")
    if not userids:
        raise Refusal(40063, "userid_list is empty")
    if len(userids) > USERS_PER_CALL:
        raise Refusal(40032)
    limit = call.limit(PAGE_DEFAULT, PAGE_MOST, clamp=True)
    user, place = from_cursor(call.text("cursor", required=False), "batch", 2)
    if user > len(userids):
        raise Refusal(50100)
    rows: list[dict[str, Any]] = []
    while user < len(userids):
        place = _fill(call, userids[user], place, limit, rows)
        if len(rows) == limit:
            break
        user, place = user + 1, 0
    more = user < len(userids) and _rest(call, userids, user, place)
    return {"external_contact_list": rows, "next_cursor": to_cursor("batch", user, place) if more else ""}


def remark(call: Call) -> dict[str, Any]:
    """§5.4: remark ≤ 20 characters, description ≤ 150, company ≤ 20; phones replace the whole list."""
    userid, person_id = call.text("userid"), call.text("external_userid", code=41035)
    follow = _whole(call, userid, person_id)
    given: dict[str, Any] = {}
    for name, field, most in (
        ("remark", "remark", 20), ("description", "description", 150), ("remark_company", "company", 20)
    ):  # fmt: skip
        if name in call.body:
            given[field] = call.text(name, required=False)
            if len(given[field]) > most:
                raise Refusal(40058, f"{name} exceeds {most} characters")
    phones = call.strings("remark_mobiles")
    if phones is not None:
        given["mobiles"] = [phone for phone in phones if phone]
    if not given and "remark_pic_mediaid" not in call.body:
        raise Refusal(40063)
    if given.get("company") and call.world.contacts.customers[person_id].type != 1:
        given.pop("company")
    call.world.contacts.edit(follow.userid, person_id, **given)
    call.ledger.write("remark", call.world.now(), userid=userid, external_userid=person_id, **given)
    return {}


def mark_tag(call: Call) -> dict[str, Any]:
    """§6: tags of the library only (40068), on a whole relation only (84061)."""
    userid, person_id = call.text("userid"), call.text("external_userid", code=41035)
    add, remove = call.strings("add_tag") or [], call.strings("remove_tag") or []
    if not add and not remove:
        raise Refusal(40063)
    follow = _whole(call, userid, person_id)
    library = call.world.tags.names()
    if any(tag not in library for tag in [*add, *remove]):
        raise Refusal(40068)
    if len({*follow.tags, *add}) > TAGS_PER_FOLLOW:
        raise Refusal(40058, "too many tags")
    call.world.contacts.edit(userid, person_id, add_tags=add, remove_tags=remove)
    call.ledger.write("mark_tag", call.world.now(), userid=userid, external_userid=person_id, add=add, remove=remove)
    return {}


def _whole(call: Call, userid: str, person_id: str) -> Follow:
    """A relation that may be edited: half ones and those that the customer ended refuse (84061)."""
    if userid not in call.world.book.staff:
        raise Refusal(40003)
    follow = call.world.contacts.follow(userid, person_id)
    if follow.half:
        raise Refusal(84061)
    return follow


def _people(call: Call, userid: str) -> list[str]:
    staff = call.world.book.seen(userid)
    if staff is None:
        raise Refusal(40003)
    if not staff.follows:
        return []
    live = call.world.book.staff.get(userid, staff)
    return live.people


def _fill(call: Call, userid: str, place: int, limit: int, rows: list[dict[str, Any]]) -> int:
    """Append rows of one member from `place` on until the page is full; the next place."""
    contacts = call.world.contacts
    people = _people(call, userid)
    while place < len(people) and len(rows) < limit:
        customer = contacts.customers[people[place]]
        place += 1
        for follow in contacts.seen_follows(customer):
            if follow.userid == userid:
                info = {**_info(call, customer, follow), "tag_id": follow.tags}
                rows.append({"external_contact": _external_contact(call, customer), "follow_info": info})
    return place


def _rest(call: Call, userids: list[str], user: int, place: int) -> bool:
    """Whether anything follows the position: the last page must say so with an empty cursor."""
    probe: list[dict[str, Any]] = []
    while user < len(userids):
        _fill(call, userids[user], place, 1, probe)
        if probe:
            return True
        user, place = user + 1, 0
    return False


def _external_contact(call: Call, customer: Customer) -> dict[str, Any]:
    """§5.2: unionid for WeChat users only, and only when a developer account is bound."""
    row: dict[str, Any] = {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "type": customer.type,
        "avatar": customer.avatar,
        "gender": customer.gender,
    }
    if customer.type == 1:
        if customer.unionid and call.world.settings.unionids:
            row["unionid"] = customer.unionid
    else:
        row |= {"position": "", "corp_name": "伙伴公司", "corp_full_name": "伙伴公司有限公司"}
    return row


def _info(call: Call, customer: Customer, follow: Follow) -> dict[str, Any]:
    row: dict[str, Any] = {
        "userid": follow.userid,
        "remark": follow.remark or customer.name,
        "description": follow.description,
        "createtime": follow.createtime,
        "remark_mobiles": follow.mobiles,
        "oper_userid": customer.external_userid if follow.add_way not in (201, 202) else follow.userid,
        "add_way": follow.add_way,
    }
    if follow.company:
        row["remark_corp_name"] = follow.company
    if follow.state:
        row["state"] = follow.state
    if follow.add_way == 10:
        row["wechat_channels"] = {"nickname": "视频号", "source": 1}
    return row


def _follow_user(call: Call, customer: Customer, follow: Follow, names: dict[str, tuple[str, str]]) -> dict[str, Any]:
    tags = [
        {"group_name": names[tag][0], "tag_name": names[tag][1], "tag_id": tag, "type": 1}
        for tag in follow.tags
        if tag in names
    ]
    return {**_info(call, customer, follow), "tags": tags}
