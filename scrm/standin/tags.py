"""Corp tags: groups and tags, made by apps through the API or by people in the console (wecom-api.md §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import events
from .errors import Refusal
from .records import Change, Tag, TagGroup

if TYPE_CHECKING:
    from .world import World

CAP = 3000  # tags in a corp, wecom-api.md §6
NAME_LENGTH = 30


class Tags:
    """The library. Groups are values: a change makes a new dictionary, so that old views stay."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.groups: dict[str, TagGroup] = {}

    def seen(self) -> list[TagGroup]:
        """The library as a reader sees it, larger order first, then the older one."""
        groups = self._world.lag.view(("tags",), self.groups).values()
        return sorted(groups, key=lambda group: (-group.order, group.create_time))

    def find(self, tag_id: str) -> tuple[TagGroup, Tag] | None:
        """A tag and its group as they are."""
        for group in self.groups.values():
            for tag in group.tags:
                if tag.id == tag_id:
                    return group, tag
        return None

    def names(self) -> dict[str, tuple[str, str]]:
        """Tag id to (group name, tag name)."""
        return {tag.id: (group.name, tag.name) for group in self.groups.values() for tag in group.tags}

    def count(self) -> int:
        """Tags in the library."""
        return sum(len(group.tags) for group in self.groups.values())

    # -- happenings ------------------------------------------------------------------------------

    def create_tag(
        self, name: str, group: str = "标签", group_id: str | None = None, order: int = 0, app: int = 0,
        tag_id: str | None = None,
    ) -> Change:  # fmt: skip
        """One tag, into a group by id or by name (made when it is not there)."""
        made = self.add([(name, order, tag_id)], group=group, group_id=group_id, app=app)
        tag = made.tags[-1]
        fields = events.external_tag("create", Id=tag.id, TagType="tag")
        return Change({"id": tag.id, "group_id": made.id, "name": name}, fields)

    def add(
        self, tags: list[tuple[str, int, str | None]], *, group: str, group_id: str | None, app: int,
        order: int = 0,
    ) -> TagGroup:  # fmt: skip
        """Put (name, order, id or None) tags into a group; 40068, 40071, 40072, 40126 as documented."""
        now = self._world.now()
        if group_id is not None and group_id not in self.groups:
            raise Refusal(40068)
        into = self.groups[group_id] if group_id is not None else self._by_name(group)
        if into is None:
            check_name(group)
            into = TagGroup(self._world.new_id("et"), group, order, now, (), app)
        names = [tag.name for tag in into.tags] + [name for name, _, _ in tags]
        for name in names:
            check_name(name)
        if len(set(names)) < len(names):
            raise Refusal(40071)
        if self.count() + len(tags) > CAP:
            raise Refusal(40126)
        new = tuple(Tag(tag_id or self._world.new_id("et"), name, place, now, app) for name, place, tag_id in tags)
        self._note()
        self.groups = {**self.groups, into.id: into._replace(tags=into.tags + new)}
        return self.groups[into.id]

    def edit_tag(self, tag_id: str, name: str | None = None, order: int | None = None) -> Change:
        """Rename or move a tag or a tag group."""
        if tag_id in self.groups:
            return self._edit_group(tag_id, name, order)
        found = self.find(tag_id)
        if found is None:
            raise Refusal(40068)
        group, tag = found
        if name is not None:
            check_name(name)
            if any(other.name == name and other.id != tag_id for other in group.tags):
                raise Refusal(40071)
        made = tag._replace(name=tag.name if name is None else name, order=tag.order if order is None else order)
        self._note()
        tags = tuple(made if other.id == tag_id else other for other in group.tags)
        self.groups = {**self.groups, group.id: group._replace(tags=tags)}
        return Change(made._asdict(), events.external_tag("update", Id=tag_id, TagType="tag"))

    def delete_tag(self, tag_id: str) -> Change:
        """Delete a tag (it leaves every relation); a group with no tag left goes too."""
        found = self.find(tag_id)
        if found is None:
            raise Refusal(40068)
        group, _ = found
        self._note()
        left = tuple(tag for tag in group.tags if tag.id != tag_id)
        rest = {key: value for key, value in self.groups.items() if key != group.id}
        self.groups = {**self.groups, group.id: group._replace(tags=left)} if left else rest
        self._unmark({tag_id})
        return Change({"id": tag_id}, events.external_tag("delete", Id=tag_id, TagType="tag"))

    def delete_group(self, group_id: str) -> Change:
        """Delete a group with its tags: no event tells of the tags (wecom-api.md §3.3)."""
        if group_id not in self.groups:
            raise Refusal(40068)
        self._note()
        self._unmark({tag.id for tag in self.groups[group_id].tags})
        self.groups = {key: value for key, value in self.groups.items() if key != group_id}
        return Change({"id": group_id}, events.external_tag("delete", Id=group_id, TagType="tag_group"))

    def shuffle(self, group_id: str, tag_ids: list[str]) -> Change:
        """Another order inside a group."""
        if group_id not in self.groups:
            raise Refusal(40068)
        self._note()
        place = {tag_id: len(tag_ids) - index for index, tag_id in enumerate(tag_ids)}
        tags = tuple(tag._replace(order=place.get(tag.id, 0)) for tag in self.groups[group_id].tags)
        self.groups = {**self.groups, group_id: self.groups[group_id]._replace(tags=tags)}
        return Change({"id": group_id}, events.external_tag("shuffle", Id=group_id))

    # -- inside ----------------------------------------------------------------------------------

    def _edit_group(self, group_id: str, name: str | None, order: int | None) -> Change:
        group = self.groups[group_id]
        if name is not None:
            check_name(name)
            same = self._by_name(name)
            if same is not None and same.id != group_id:
                raise Refusal(40071)
        self._note()
        made = group._replace(name=group.name if name is None else name, order=group.order if order is None else order)
        self.groups = {**self.groups, group_id: made}
        result: dict[str, Any] = {"id": group_id, "name": made.name, "order": made.order}
        return Change(result, events.external_tag("update", Id=group_id, TagType="tag_group"))

    def _by_name(self, name: str) -> TagGroup | None:
        return next((group for group in self.groups.values() if group.name == name), None)

    def _unmark(self, gone: set[str]) -> None:
        for customer in self._world.contacts.customers.values():
            if any(gone.intersection(follow.tags) for follow in customer.follows):
                customer.follows = tuple(
                    follow._replace(tags=tuple(tag for tag in follow.tags if tag not in gone))
                    for follow in customer.follows
                )

    def _note(self) -> None:
        self._world.lag.note(("tags",), self.groups, self._world.late("other"))


def check_name(name: str) -> None:
    """40072 unless the name has 1 to 30 characters."""
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Refusal(40072)
