"""Small shapes that several resources share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from contacts.models import Channel, Tag

MOST_ID = 64  # characters of a platform id


class TextOrNull(serializers.CharField):
    """Text that may be unknown: null instead of an empty one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) if value else None


class ChannelShape(serializers.Serializer[Channel]):
    """A channel that we know by its state."""

    state = serializers.CharField()
    name = serializers.CharField()


@dataclass(frozen=True)
class TagRow:
    """A tag as it hangs on somebody; `group` is the tag group's name."""

    id: str
    name: str
    group: str


class TagShape(serializers.Serializer[TagRow]):
    id = serializers.CharField()
    name = serializers.CharField()
    group = serializers.CharField()


def channels_by_state(states: Iterable[str]) -> dict[str, Channel]:
    """The known channels among these states, in one query."""
    return {channel.state: channel for channel in Channel.objects.filter(state__in={*states} - {""})}


def tags_by_id(ids: Iterable[str]) -> dict[str, TagRow]:
    """The tags among these ids, in one query. Deleted ones are left out; ids not read yet have an empty name."""
    wanted = set(ids)
    found = {tag.tag_id: tag for tag in Tag.objects.filter(tag_id__in=wanted).select_related("group")}
    return {
        tag_id: TagRow(tag_id, found[tag_id].name, found[tag_id].group.name)
        if tag_id in found
        else TagRow(tag_id, "", "")
        for tag_id in wanted
        if tag_id not in found or found[tag_id].deleted_at is None
    }
