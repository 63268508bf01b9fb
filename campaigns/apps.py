"""The room of what we say."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from campaigns import handlers, handposts, sending, timeline

        handlers.connect()
        sending.connect()
        handposts.connect()
        timeline.connect()
