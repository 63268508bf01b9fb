"""The room of numbers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        from analytics import checks  # noqa: F401  registers itself
