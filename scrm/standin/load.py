"""Puts the end of a generated history into a world, without a word to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .records import ChatView, ContactWay, Customer, Department, Follow, Member, Staff, Tag, TagGroup
from .scenarios.rows import FollowRow, History

if TYPE_CHECKING:
    from .world import World


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
