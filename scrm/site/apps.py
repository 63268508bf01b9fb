"""The face of the product."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SiteConfig(AppConfig):
    name = "scrm.site"
    label = "site"
    verbose_name = _("Console")

    def ready(self) -> None:
        from scrm.site.h5 import links
        from scrm.site.rights import after_migrate

        links.connect()
        post_migrate.connect(after_migrate, sender=apps.get_app_config("base"), dispatch_uid="roles")
