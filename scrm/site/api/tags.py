"""`tags/`: the corp's tags, group by group."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from contacts.models import Tag, TagGroup
from scrm.site.api import examples
from scrm.site.api.views import ListView


@dataclass(frozen=True)
class TagGroupRow:
    group: TagGroup
    tags: list[Tag]


class GroupedTagShape(serializers.Serializer[Tag]):
    id = serializers.CharField(source="tag_id")
    name = serializers.CharField()


class TagGroupShape(serializers.Serializer[TagGroupRow]):
    group_id = serializers.CharField(source="group.group_id")
    name = serializers.CharField(source="group.name")
    tags = GroupedTagShape(many=True, help_text="In the platform's order.")


@extend_schema(
    tags=["tags"], summary="Groups of corporate tags", responses=TagGroupShape(many=True), examples=[examples.TAG_GROUP]
)
class Tags(ListView[TagGroup]):
    """They hold no personal data: every token sees all of them."""

    serializer_class = TagGroupShape

    def rows(self) -> "QuerySet[TagGroup]":
        return TagGroup.objects.filter(deleted_at__isnull=True)

    def prepare(self, page: list[TagGroup]) -> Sequence[TagGroupRow]:
        tags: dict[int, list[Tag]] = defaultdict(list)
        # the platform shows higher `order` first (wecom-api.md, corporate tags)
        for tag in Tag.objects.filter(group__in=page, deleted_at__isnull=True).order_by("-order", "pk"):
            tags[tag.group_id].append(tag)
        return [TagGroupRow(group, tags[group.pk]) for group in page]
