"""The face of the product."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SiteConfig(AppConfig):
    name = "scrm.site"
    label = "site"
    verbose_name = _("Console")

    def ready(self) -> None:
        from scrm.site.h5 import links

        links.connect()
