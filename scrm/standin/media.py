"""Uploaded material: a media_id lives three days and is of one kind (wecom-api.md §14.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .records import Change

if TYPE_CHECKING:
    from .world import World

KINDS = ("image", "voice", "video", "file")


class Upload(NamedTuple):
    """What an id stands for. `kind` "" fits everywhere (made by hand); `until` is domain seconds."""

    kind: str
    until: float


class Media:
    """Media ids that were given out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.uploads: dict[str, Upload] = {}

    def upload(self, kind: str) -> str:
        """A fresh id."""
        media_id = self._world.new_id("3", 64)
        self._keep(media_id, kind)
        return media_id

    def usable(self, media_id: str, kind: str) -> bool:
        """Whether the id exists, still lives and is of this kind."""
        return media_id in self and self.uploads[media_id].kind in ("", kind)

    def __contains__(self, media_id: object) -> bool:
        """Whether the id exists and still lives, of whatever kind."""
        found = self.uploads.get(str(media_id))
        return found is not None and found.until > self._world.now()

    def add_media(self, media_id: str, kind: str = "") -> Change:
        """Material that somebody uploaded by hand."""
        self._keep(media_id, kind)
        return Change({"media_id": media_id})

    def expire_media(self, media_id: str) -> Change:
        """Its three days are over."""
        self.uploads.pop(media_id, None)
        return Change({"media_id": media_id})

    def _keep(self, media_id: str, kind: str) -> None:
        self.uploads[media_id] = Upload(kind, self._world.now() + self._world.settings.media_life)
