"""The API: one function for each address, from the caller's parameters to the answer."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from tests.otherplatform.broadcasts import Broadcast, Broadcasts, Sent, checked_content
from tests.otherplatform.corp import WELCOME_SECONDS, Chat, Corp, Customer, Follow, State, Tag
from tests.otherplatform.errors import Refusal

Answer = dict[str, Any]
T = TypeVar("T")


@dataclass
class Call:
    """A request whose token was good."""

    corp: Corp
    broadcasts: Broadcasts
    agent_id: int
    given: dict[str, object]
    """The query of a GET, the body of a POST."""

    @cached_property
    def state(self) -> State:
        """What this call, a reading of customers, tags or chats, gets to see."""
        return self.corp.seen()

    def text(self, name: str) -> str:
        value = self.given.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int) -> int:
        value = self.given.get(name)
        if value in (None, ""):
            return default
        try:
            return int(str(value))
        except ValueError:
            raise Refusal(40035) from None

    def strings(self, name: str, cap: int) -> list[str]:
        value = self.given.get(name) or []
        if not isinstance(value, list) or len(value) > cap:
            raise Refusal(40058)
        return [str(each) for each in value]

    def page(self, rows: list[T], *, most: int, usual: int, above: int) -> tuple[list[T], str]:
        """The rows from `cursor` on and the cursor behind them; `above`: for a limit too big."""
        quirks = self.corp.quirks
        size = self.number("limit", usual)
        size = above if size > most else max(size, 1)
        size = min(size, quirks.short_pages or size)
        begin = _offset(self.text("cursor"))
        end = begin + size
        more = end < len(rows) or (quirks.trailing_page and begin < len(rows))
        return rows[begin:end], _cursor(end) if more else ""


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"at:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, offset = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(50100) from None
    if kind != "at":
        raise Refusal(50100)
    return int(offset)


ANSWERS: dict[tuple[str, str], Callable[[Call], Answer]] = {}


def get(path: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    return _answering("GET", path)


def post(path: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    return _answering("POST", path)


def _answering(method: str, path: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    def register(function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        ANSWERS[method, path] = function
        return function

    return register


# Address book.


@get("department/list")
def department_list(call: Call) -> Answer:
    rows = [
        {"id": number, "name": name, "parentid": parent, "order": 1_000_000 - number, "name_en": ""}
        for number, (name, parent) in call.corp.truth.departments.items()
    ]
    return {"department": rows}


@get("department/simplelist")
def department_simplelist(call: Call) -> Answer:
    rows = call.corp.truth.departments.items()
    return {"department_id": [{"id": number, "parentid": up, "order": 0} for number, (_, up) in rows]}


@get("user/list")
def user_list(call: Call) -> Answer:
    department = call.number("department_id", 0)
    if department not in call.corp.truth.departments:
        raise Refusal(60003)
    within = {department}
    if call.text("fetch_child") == "1":
        for number, (_, parent) in sorted(call.corp.truth.departments.items()):
            within |= {number} if parent in within else set()
    return {
        "userlist": [
            _member(call.corp, each.userid)
            for each in call.corp.truth.members.values()
            if each.in_address_book and within & set(each.departments)
        ]
    }


@get("user/simplelist")
def user_simplelist(call: Call) -> Answer:
    rows = user_list(call)["userlist"]
    names = ("userid", "name", "department")
    return {"userlist": [{name: row[name] for name in names} for row in rows]}


@get("user/get")
def user_get(call: Call) -> Answer:
    member = call.corp.truth.members.get(call.text("userid"))
    if member is None or not member.in_address_book:
        raise Refusal(60111)
    return _member(call.corp, member.userid)


def _member(corp: Corp, userid: str) -> Answer:
    """Without mobile, e-mail and avatar: apps made after 2022-06-20 get none of them."""
    member = corp.truth.members[userid]
    return {
        "userid": member.userid,
        "name": member.name,
        "department": list(member.departments),
        "order": [0 for _ in member.departments],
        "position": "",
        "is_leader_in_dept": [0 for _ in member.departments],
        "status": member.status,
        "main_department": member.departments[0],
        "new_field_of_member": {"kind": 1},
    }


@get("externalcontact/get_follow_user_list")
def follow_users(call: Call) -> Answer:
    members = call.corp.truth.members.values()
    return {"follow_user": [each.userid for each in members if each.serves_customers]}


# Customers.


@get("externalcontact/list")
def customer_list(call: Call) -> Answer:
    userid = call.text("userid")
    _check_member(call, userid)
    ids = [each.external_userid for each in call.state.listed(userid)]
    if not ids:
        raise Refusal(84061)
    return {"external_userid": ids}


@get("externalcontact/get")
def customer_get(call: Call) -> Answer:
    wanted = call.text("external_userid")
    state = call.state
    follows = state.listed(external_userid=wanted)
    if not follows:
        raise Refusal(call.corp.quirks.stranger_code)
    return {
        "external_contact": _customer(state.customers[wanted]),
        "follow_user": [_follow(each) | {"tags": _tags(state.tags, state.tag_groups, each)} for each in follows],
        "next_cursor": "",
    }


@post("externalcontact/batch/get_by_user")
def batch_get_by_user(call: Call) -> Answer:
    members = call.strings("userid_list", 100)
    if not members:
        raise Refusal(40063)
    for each in members:
        _check_member(call, each)
    state = call.state
    follows = [each for userid in members for each in state.listed(userid)]
    if not follows and call.corp.quirks.empty_batch_refused:
        raise Refusal(84061)
    rows, cursor = call.page(follows, most=100, usual=50, above=100)
    return {
        "external_contact_list": [
            {
                "external_contact": _customer(state.customers[each.external_userid]),
                "follow_info": _follow(each) | {"tag_id": list(each.tag_ids)},
            }
            for each in rows
        ],
        "next_cursor": cursor,
    }


@post("externalcontact/remark")
def remark(call: Call) -> Answer:
    follow = _friend(call)
    if "remark" in call.given:
        follow.remark = call.text("remark")
    if "description" in call.given:
        follow.description = call.text("description")
    return {}


def _check_member(call: Call, userid: str) -> None:
    if userid not in call.corp.truth.members:
        raise Refusal(40003)


def _friend(call: Call) -> Follow:
    """The follow that a write names; half friends refuse it."""
    _check_member(call, call.text("userid"))
    found = call.corp.truth.listed(call.text("userid"), call.text("external_userid"))
    if not found or found[0].half:
        raise Refusal(84061)
    return found[0]


def _customer(customer: Customer) -> Answer:
    answer: Answer = {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "avatar": "",
        "type": customer.type,
        "gender": customer.gender,
        "new_field_of_customer": ["x"],
    }
    if customer.unionid:
        answer["unionid"] = customer.unionid
    if customer.type != 1:
        answer |= {"corp_name": "别家公司", "corp_full_name": "别家公司有限公司", "position": ""}
    return answer


def _follow(follow: Follow) -> Answer:
    own = follow.add_way in (1, 3, 16)
    return {
        "userid": follow.userid,
        "remark": follow.remark,
        "description": follow.description,
        "createtime": follow.created,
        "add_way": follow.add_way,
        "state": follow.state,
        "oper_userid": follow.external_userid if own else follow.userid,
        "remark_mobiles": [],
        "remark_corp_name": "",
    }


def _tags(tags: dict[str, Tag], groups: dict[str, str], follow: Follow) -> list[Answer]:
    """Personal tags have no id."""
    of_company: list[Answer] = [
        {
            "group_name": groups[tags[tag_id].group_id],
            "tag_name": tags[tag_id].name,
            "tag_id": tag_id,
            "type": 1,
        }
        for tag_id in follow.tag_ids
    ]
    personal: list[Answer] = [{"group_name": "", "tag_name": name, "type": 2} for name in follow.personal_tags]
    return of_company + personal


# Tags.


@post("externalcontact/get_corp_tag_list")
def tag_list(call: Call) -> Answer:
    groups = set(call.strings("group_id", 1000))
    ids = set() if groups else set(call.strings("tag_id", 1000))
    tags = [
        each
        for each in call.state.tags.values()
        if (not groups or each.group_id in groups) and (not ids or each.id in ids)
    ]
    return {
        "tag_group": [
            _tag_group(group_id, name, [each for each in tags if each.group_id == group_id])
            for group_id, name in call.state.tag_groups.items()
            if any(each.group_id == group_id for each in tags)
        ]
    }


@post("externalcontact/add_corp_tag")
def add_tags(call: Call) -> Answer:
    truth = call.corp.truth
    named = {name: group_id for group_id, name in truth.tag_groups.items()}
    group_id = call.text("group_id") or named.get(call.text("group_name"), "")
    wanted = call.given.get("tag") or []
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(40063)
    if group_id and group_id not in truth.tag_groups:
        raise Refusal(40068)
    names = [str(each["name"]) for each in wanted]
    held = {each.name for each in truth.tags.values() if each.group_id == group_id}
    if len(set(names)) < len(names) or held & set(names):
        raise Refusal(40071)
    if not group_id:
        group_id = f"etGroup{next(call.corp.numbers)}"
        truth.tag_groups[group_id] = call.text("group_name")
    made = [
        Tag(f"etTag{next(call.corp.numbers)}", name, group_id, int(each.get("order", 0)), own=True)
        for name, each in zip(names, wanted, strict=True)
    ]
    truth.tags.update({each.id: each for each in made})
    return {"tag_group": _tag_group(group_id, truth.tag_groups[group_id], made)}


@post("externalcontact/edit_corp_tag")
def edit_tag(call: Call) -> Answer:
    tag = _own_tag(call, call.text("id"))
    tag.name = call.text("name") or tag.name
    tag.order = call.number("order", tag.order)
    return {}


@post("externalcontact/del_corp_tag")
def delete_tags(call: Call) -> Answer:
    truth = call.corp.truth
    groups = call.strings("group_id", 1000)
    ids = call.strings("tag_id", 1000)
    ids += [each.id for each in truth.tags.values() if each.group_id in groups]
    for tag in [_own_tag(call, tag_id) for tag_id in ids]:
        del truth.tags[tag.id]
        for follow in truth.follows:
            follow.tag_ids = [tag_id for tag_id in follow.tag_ids if tag_id != tag.id]
    return {}


@post("externalcontact/mark_tag")
def mark_tag(call: Call) -> Answer:
    follow = _friend(call)
    added, removed = call.strings("add_tag", 1000), call.strings("remove_tag", 1000)
    if not added and not removed:
        raise Refusal(40063)
    if not {*added, *removed} <= set(call.corp.truth.tags):
        raise Refusal(40068)
    kept = [tag_id for tag_id in follow.tag_ids if tag_id not in removed]
    follow.tag_ids = kept + [tag_id for tag_id in added if tag_id not in kept]
    return {}


def _own_tag(call: Call, tag_id: str) -> Tag:
    tag = call.corp.truth.tags.get(tag_id)
    if tag is None:
        raise Refusal(40068)
    if not tag.own:
        raise Refusal(48002)
    return tag


def _tag_group(group_id: str, name: str, tags: list[Tag]) -> Answer:
    made = 1_717_000_000
    return {
        "group_id": group_id,
        "group_name": name,
        "create_time": made,
        "order": 0,
        "tag": [{"id": each.id, "name": each.name, "create_time": made, "order": each.order} for each in tags],
    }


# Chats.


@post("externalcontact/groupchat/list")
def chat_list(call: Call) -> Answer:
    status = call.number("status_filter", 0)
    given = call.given.get("owner_filter")
    owners = given.get("userid_list") if isinstance(given, dict) else None
    if not 1 <= call.number("limit", 0) <= 1000 or len(owners or []) > 100:
        raise Refusal(40058)
    chats = [
        each
        for each in call.state.chats.values()
        if each.dismissed is None and (not owners or each.owner in owners) and status in (0, each.status)
    ]
    rows, cursor = call.page(chats, most=1000, usual=1000, above=1000)
    return {
        "group_chat_list": [{"chat_id": each.chat_id, "status": each.status} for each in rows],
        "next_cursor": cursor,
    }


@post("externalcontact/groupchat/get")
def chat_get(call: Call) -> Answer:
    state = call.state
    chat = state.chats.get(call.text("chat_id"))
    if chat is None:
        raise Refusal(90501)
    if chat.dismissed is not None:
        raise Refusal(49008)
    return {"group_chat": _chat(call, chat)}


def _chat(call: Call, chat: Chat) -> Answer:
    named = call.number("need_name", 0) == 1
    members: list[Answer] = []
    for stay in call.state.present(chat.chat_id):
        member: Answer = {
            "userid": stay.id,
            "type": stay.type,
            "join_time": stay.since,
            "join_scene": stay.join_scene,
            "group_nickname": "",
        }
        if stay.invitor:
            member["invitor"] = {"userid": stay.invitor}
        if named:
            member["name"] = stay.name
        if stay.unionid:
            member["unionid"] = stay.unionid
        if stay.state:
            member["state"] = stay.state
        members.append(member)
    answer: Answer = {
        "chat_id": chat.chat_id,
        "name": chat.name,
        "owner": chat.owner,
        "create_time": chat.created,
        "member_list": members,
        "admin_list": [{"userid": each} for each in chat.admins],
        "new_field_of_chat": None,
    }
    if chat.notice:
        answer["notice"] = chat.notice
    if call.corp.quirks.versions_told:
        answer["member_version"] = chat.version
    return answer


# Welcome.


@post("externalcontact/send_welcome_msg")
def send_welcome(call: Call) -> Answer:
    code = call.text("welcome_code")
    if not code:
        raise Refusal(41049)
    welcome = call.corp.welcomes.get(code)
    if welcome is None or call.corp.clock() - welcome.issued > WELCOME_SECONDS:
        raise Refusal(41050)
    if welcome.sent is not None:
        raise Refusal(41051)
    welcome.sent = checked_content(call.given)
    return {}


# Broadcasts.


@post("externalcontact/add_msg_template")
def add_broadcast(call: Call) -> Answer:
    made, failed = call.broadcasts.create(call.given)
    return {"msgid": made.msgid, "fail_list": failed}


@post("externalcontact/get_groupmsg_list_v2")
def broadcast_list(call: Call) -> Answer:
    begin, end = call.number("start_time", 0), call.number("end_time", 0)
    if not begin or not end or not 0 <= end - begin <= 31 * 86_400:
        raise Refusal(40035)
    kind = call.number("filter_type", 2)
    found = [
        each
        for each in call.broadcasts.all.values()
        if each.chat_type == call.text("chat_type")
        and begin <= each.created <= end
        and kind in (2, int(bool(each.creator)))
        and call.text("creator") in ("", each.creator)
    ]
    rows, cursor = call.page(found, most=100, usual=50, above=50)
    return {"group_msg_list": [_broadcast(each) for each in rows], "next_cursor": cursor}


def _broadcast(broadcast: Broadcast) -> Answer:
    answer: Answer = {
        "msgid": broadcast.msgid,
        "create_time": broadcast.created,
        "create_type": int(bool(broadcast.creator)),
        **broadcast.content,
    }
    if broadcast.creator:
        answer["creator"] = broadcast.creator
    return answer


@post("externalcontact/get_groupmsg_task")
def broadcast_tasks(call: Call) -> Answer:
    broadcast = call.broadcasts.being_read(call.given.get("msgid"))
    rows, cursor = call.page(list(broadcast.audience), most=1000, usual=500, above=500)
    tasks: list[Answer] = []
    for userid in rows:
        at = broadcast.confirmed.get(userid)
        done: Answer = {"status": 0} if at is None else {"status": 2, "send_time": at}
        tasks.append({"userid": userid} | done)
    return {"task_list": tasks, "next_cursor": cursor}


@post("externalcontact/get_groupmsg_send_result")
def broadcast_results(call: Call) -> Answer:
    broadcast = call.broadcasts.being_read(call.given.get("msgid"))
    userid = call.text("userid")
    if userid not in broadcast.audience:
        raise Refusal(40003)
    rows, cursor = call.page(broadcast.audience[userid], most=1000, usual=500, above=500)
    key = "chat_id" if broadcast.chat_type == "group" else "external_userid"
    results: list[Answer] = []
    for recipient in rows:
        status = broadcast.results.get((userid, recipient), Sent.NOT_YET)
        row: Answer = {key: recipient, "userid": userid, "status": int(status)}
        if status == Sent.DONE:
            row["send_time"] = broadcast.confirmed[userid]
        results.append(row)
    return {"send_list": results, "next_cursor": cursor}


@post("externalcontact/cancel_groupmsg_send")
def cancel_broadcast(call: Call) -> Answer:
    call.broadcasts.cancel(call.given.get("msgid"))
    return {}


@post("externalcontact/remind_groupmsg_send")
def remind_broadcast(call: Call) -> Answer:
    call.broadcasts.remind(call.given.get("msgid"))
    return {}


# The rest of what a self-hosted app needs.


@post("message/send")
def message_send(call: Call) -> Answer:
    if call.number("agentid", 0) != call.agent_id:
        raise Refusal(301002)
    wanted = call.text("touser").split("|")
    unknown = [each for each in wanted if each not in call.corp.truth.members]
    if len(unknown) == len(wanted):
        raise Refusal(81013)
    return {"invaliduser": "|".join(unknown), "msgid": f"app{next(call.corp.numbers)}"}


@get("getcallbackip")
def callback_ips(call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1", "101.226.103.*"]}


@get("get_api_domain_ip")
def api_ips(call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1"]}
