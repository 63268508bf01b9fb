"""What people do to the corp, by name: the verbs of `StandIn.act` and of `/_standin/actions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .records import Change

if TYPE_CHECKING:
    from .world import World

Action = Callable[..., Change]


def actions(world: World) -> dict[str, Action]:
    """Every verb with the method that does it; the methods' signatures are the verbs' parameters."""
    book, contacts, tags, chats, ways = world.book, world.contacts, world.tags, world.chats, world.ways
    return {
        "create_party": book.create_party,
        "update_party": book.update_party,
        "delete_party": book.delete_party,
        "create_user": book.create_user,
        "update_user": book.update_user,
        "delete_user": book.delete_user,
        "rename_user": book.rename_user,
        "make_full": book.make_full,
        "native_welcome": book.native_welcome,
        "create_person": contacts.create_person,
        "add": contacts.add,
        "half_add": contacts.half_add,
        "upgrade": contacts.upgrade,
        "edit": contacts.edit,
        "delete_by_customer": contacts.delete_by_customer,
        "delete_by_staff": contacts.delete_by_staff,
        "transfer": contacts.transfer,
        "transfer_fail": contacts.transfer_fail,
        "start_chat": contacts.start_chat,
        "create_way": ways.create_way,
        "scan": ways.scan,
        "create_tag": tags.create_tag,
        "edit_tag": tags.edit_tag,
        "delete_tag": tags.delete_tag,
        "delete_tag_group": tags.delete_group,
        "shuffle_tags": tags.shuffle,
        "create_chat": chats.create_chat,
        "join": chats.join,
        "leave": chats.leave,
        "kick": chats.kick,
        "swap": chats.swap,
        "rename_chat": chats.rename_chat,
        "change_notice": chats.change_notice,
        "change_owner": chats.change_owner,
        "set_admins": chats.set_admins,
        "dismiss_chat": chats.dismiss_chat,
        "add_media": world.media.add_media,
        "expire_media": world.media.expire_media,
        "confirm": world.broadcasts.confirm,
        "send_privately": world.broadcasts.send_privately,
        "talk": contacts.talk,
    }
