"""Where a customer came from."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.querysets import ChannelQuerySet


class Channel(models.Model):
    """A source of customers; `state` comes back with every customer who scanned its code.

    Periods and stays keep the state as the platform gave it; they belong to the channel whose state is equal, also when
    the channel is entered later.
    """

    state = models.CharField(_("state"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=60)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[ChannelQuerySet] = ChannelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
