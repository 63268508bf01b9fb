"""The room of chats."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = _("Group chats")

    def ready(self) -> None:
        from groups import handlers, sync, timeline

        handlers.connect()
        sync.connect()
        timeline.connect()
