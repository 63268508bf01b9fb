"""The room of people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from contacts import handlers, notices, sync

        handlers.connect()
        sync.connect()
        notices.connect()
