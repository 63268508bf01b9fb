"""The base room."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BaseConfig(AppConfig):
    name = "scrm.base"
    label = "base"
    verbose_name = _("System settings")

    def ready(self) -> None:
        from scrm.base import checks, logs  # noqa: F401  checks register themselves on import

        logs.configure()
