"""The table of rights: what each role may do. Written into the groups after every migration."""

from typing import Any

from django.apps import AppConfig, apps

from scrm.base import roles
from scrm.base.roles import Role

# Patterns over `app.codename`, so that a new model of these rooms has its rights without a line here. What no pattern
# names is denied: a new room, deletion, and every page that does not say `open_to_staff`.
_SEES = ("contacts.view_*", "groups.view_*", "campaigns.view_*", "analytics.view_*")
_WRITES = (
    "contacts.add_channel",
    "contacts.change_channel",
    "contacts.change_customer",
    "campaigns.add_*",
    "campaigns.change_*",
)
# Ledgers and logs: written by the program only.
_NOBODY_WRITES = tuple(
    f"-campaigns.{verb}_{model}" for verb in ("add", "change") for model in ("welcome", "dispatch", "delivery")
)
_ANSWERS_FOR = ("campaigns.approve_*", roles.EXPORT, roles.REVEAL)

RIGHTS: dict[Role, tuple[str, ...]] = {
    Role.ADMINISTRATOR: ("*",),
    Role.MANAGER: (*_SEES, *_WRITES, *_NOBODY_WRITES, *_ANSWERS_FOR),
    Role.OPERATOR: (*_SEES, *_WRITES, *_NOBODY_WRITES),
    Role.STAFF: _SEES,
}

# What may be given to one person beside the role.
EXTRA = ("campaigns.approve_broadcast", roles.EXPORT, roles.REVEAL)


def after_migrate(sender: Any, using: str = "default", **_more: Any) -> None:
    """Receiver of `post_migrate`: permissions of all rooms first, which Django makes room by room in its own order."""
    from django.contrib.auth.management import create_permissions

    config: AppConfig
    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0, using=using)
    roles.sync(RIGHTS)
