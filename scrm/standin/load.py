"""Puts the end of a generated history into a world, without a word to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .broadcasts import SENT
from .records import Broadcast, ChatView, ContactWay, Customer, Department, Follow, Member, Staff, Tag, TagGroup, Task
from .scenarios.draws import day_begin
from .scenarios.rows import FollowRow, History, TaskRow

if TYPE_CHECKING:
    from .world import World

OWN_TEXT = "老朋友专享，明天截止~"  # of what members sent by themselves


def load(world: World, history: History, *, app: int) -> None:
    """Fill an empty world; contact ways belong to the app with agent id `app`."""
    world.book.departments = {row.id: Department(*row) for row in history.departments}
    for row in history.staff:
        world.book.staff[row.userid] = Staff(
            row.userid, row.name, row.departments, row.position, row.status, row.follows, row.capacity
        )
    _tags(world, history)
    for way in history.channels:
        world.ways.ways[way.config_id] = ContactWay(
            way.config_id, 2, 2, way.users, state=way.state, remark=way.name[:30], app=app
        )
    for person in history.customers:
        world.contacts.customers[person.external_userid] = Customer(
            person.external_userid, person.name, person.type, person.gender, person.avatar, person.unionid
        )
    for follow in history.follows:
        _follow(world, follow)
    _chats(world, history)
    _broadcasts(world, history)


def _tags(world: World, history: History) -> None:
    for row in history.tags:
        tag = Tag(row.tag_id, row.name, row.order, row.created_at)
        group = world.tags.groups.get(row.group_id)
        if group is None:
            group = TagGroup(row.group_id, row.group_name, row.group_order, row.created_at, ())
        world.tags.groups[row.group_id] = group._replace(tags=(*group.tags, tag))


def _follow(world: World, row: FollowRow) -> None:
    """The latest period of a pair counts; ended by the customer it stays listed, by staff it is gone."""
    customer = world.contacts.customers[row.external_userid]
    staff = world.book.staff[row.userid]
    before = [follow for follow in customer.follows if follow.userid == row.userid]
    kept = tuple(follow for follow in customer.follows if follow.userid != row.userid)
    if not before:
        staff.people.append(customer.external_userid)
    if row.ended_by != "staff":
        made = Follow(
            row.userid, row.added_at, row.add_way, row.state, row.remark, row.description, row.tag_ids,
            half=row.half, one_way=row.ended_by == "customer",
        )  # fmt: skip
        kept = (*kept, made)
        staff.friends += 0 if before else 1
    customer.follows = kept


def _chats(world: World, history: History) -> None:
    members: dict[str, dict[str, Member]] = {}
    for stay in history.stays:
        if stay.left_at is None:
            people = members.setdefault(stay.chat_id, {})
            people[stay.member_id] = Member(
                stay.member_id, stay.member_type, stay.joined_at, stay.join_scene, stay.state, stay.invitor
            )
    for chat in history.chats:
        world.chats.chats[chat.chat_id] = ChatView(
            chat.chat_id, chat.name, chat.owner, chat.created_at, chat.notice, chat.admins,
            members.get(chat.chat_id, {}), chat.member_version, chat.dismissed_at is not None,
        )  # fmt: skip


def _broadcasts(world: World, history: History) -> None:
    """Every task with its results; the quota counts what was received, members' own broadcasts too."""
    counts = world.broadcasts.tasks
    for row in history.tasks:
        world.broadcasts.sent[row.msgid] = _broadcast(history, row)
        if row.broadcast is not None:
            _, day, today = counts.get(row.userid, (0, 0, 0))
            begin = day_begin(row.created_at)
            counts[row.userid] = (row.number, begin, today + 1 if day == begin else 1)
    confirmed = [(row.confirmed_at, row) for row in history.tasks if row.confirmed_at is not None]
    for at, row in sorted(confirmed, key=lambda item: item[0]):
        reached = zip(row.receivers, row.statuses, strict=True)
        world.quota.book((receiver for receiver, status in reached if status == SENT), at)


def _broadcast(history: History, row: TaskRow) -> Broadcast:
    task = Task(row.userid, list(row.receivers), bytearray(row.statuses), row.number, row.confirmed_at)
    tasks = {row.userid: task}
    if row.broadcast is None:
        return Broadcast(row.msgid, row.chat_type, row.created_at, OWN_TEXT, [], row.userid, tasks=tasks)
    said = history.broadcasts[row.broadcast]
    title, url = said.link
    link = {"msgtype": "link", "link": {"title": title, "url": url}}
    taken_back = said.confirm_by if row.confirmed_at is None else None
    return Broadcast(
        row.msgid, row.chat_type, row.created_at, said.text, [link], tasks=tasks, reminders=list(row.reminded_at),
        cancelled_at=taken_back,
    )  # fmt: skip
