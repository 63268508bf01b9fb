"""The room of what we say."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns import (
            checks,  # noqa: F401  registers itself
            handlers,
            handposts,
            sending,
            timeline,
        )

        handlers.connect()
        sending.connect()
        handposts.connect()
        timeline.connect()
