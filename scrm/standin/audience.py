"""Whom a broadcast may reach through whom (wecom-api.md §10.1): receivers by member, and those it cannot reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .contacts import find
from .errors import Refusal

if TYPE_CHECKING:
    from .records import Customer, Follow
    from .world import World

TagGroups = list[set[str]]  # any tag of a set, of every set


class Audience(NamedTuple):
    """Receivers by userid, in the order given, and the fail_list."""

    by_staff: dict[str, list[str]]
    failed: list[str]


def single(world: World, sender: str, people: list[str], tags: TagGroups) -> Audience:
    """Customers of `sender`: those named, or all. Without a sender those named, each by who talked last to them.

    One-way friends are taken (they fail at confirmation, platform.md 17); half ones and strangers fail now, or
    refuse the whole call (84061) when the setting `half_refused` says so. Tags narrow either list.
    """
    if not people:
        return Audience({sender: _everybody(world, sender, tags)}, [])
    by_staff: dict[str, list[str]] = {}
    failed = []
    for person in dict.fromkeys(people):
        customer = world.contacts.customers.get(person)
        follow = _relation(world, customer, sender) if customer is not None else None
        if follow is None or customer is None:
            failed.append(person)
        elif _tagged(follow, tags):
            by_staff.setdefault(follow.userid, []).append(customer.external_userid)
    return Audience(by_staff, failed)


def group(world: World, owner: str, chat_ids: list[str]) -> Audience:
    """Groups of `owner`: those named, or all."""
    own = {chat.chat_id for chat in world.chats.chats.values() if chat.owner == owner and not chat.dismissed}
    named = list(dict.fromkeys(chat_ids)) if chat_ids else [item for item in world.chats.chats if item in own]
    return Audience({owner: [item for item in named if item in own]}, [item for item in named if item not in own])


def _everybody(world: World, userid: str, tags: TagGroups) -> list[str]:
    customers = world.contacts.customers
    found = []
    for person in world.book.get(userid).people:
        follow = find(customers[person].follows, userid)
        if follow is not None and not follow.half and _tagged(follow, tags):
            found.append(person)
    return found


def _relation(world: World, customer: Customer, sender: str) -> Follow | None:
    follow = find(customer.follows, sender) if sender else world.contacts.talker(customer)
    if follow is not None and follow.half:
        if world.settings.half_refused:
            raise Refusal(84061)
        return None
    return follow


def _tagged(follow: Follow, tags: TagGroups) -> bool:
    return all(not group.isdisjoint(follow.tags) for group in tags)
