"""Posts that group owners make by hand: no platform quota, one chat at a time, ticked, and nobody can prove them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.welcome import fits_in_message
from campaigns.querysets import HandPostQuerySet, HandPostTickQuerySet
from contacts.models import Staff
from groups.models import GroupChat


class HandPost(models.Model):
    """Something to be posted by hand in chosen chats, each by its owner (platform.md 2). Made by `campaigns.handposts`."""

    WORK_SOURCE = "handpost"

    name = models.CharField(_("name"), max_length=60)
    text = models.TextField(_("text"), blank=True, validators=[fits_in_message])
    picture_url = models.URLField(_("picture"), max_length=2048, blank=True)
    link_title = models.CharField(_("link: title"), max_length=128, blank=True)
    link_url = models.URLField(_("link: address"), max_length=2048, blank=True)
    due_at = models.DateTimeField(_("to be posted from"))  # domain time, as all that follow
    deadline = models.DateTimeField(_("to be posted by"))
    excluded = models.JSONField(_("excluded"), default=dict)  # {reason: n} of the chosen chats, as in a broadcast
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"))
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("cancelled by")
    )

    objects: ClassVar[HandPostQuerySet] = HandPostQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("manual post")
        verbose_name_plural = _("manual posts")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(deadline__gt=F("due_at")), name="handpost_deadline_after_due"),
        ]
        indexes = [models.Index(fields=["due_at"], name="handpost_due")]

    def __str__(self) -> str:
        return self.name


class HandPostTick(models.Model):
    """One chat of a manual post, and what its owner says about it."""

    class State(models.TextChoices):
        TODO = "todo", _("to do")
        DONE = "done", _("posted")
        SKIPPED = "skipped", _("skipped")

    post = models.ForeignKey(HandPost, on_delete=models.CASCADE, related_name="ticks", verbose_name=_("manual post"))
    chat = models.ForeignKey(GroupChat, on_delete=models.CASCADE, related_name="+", verbose_name=_("group chat"))
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+", verbose_name=_("staff member"))
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.TODO, db_default=State.TODO)
    done_at = models.DateTimeField(_("ticked"), null=True)  # domain time, of a skipped one too
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[HandPostTickQuerySet] = HandPostTickQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")
        constraints = [models.UniqueConstraint(fields=["post", "chat"], name="handpost_tick_once_per_chat")]
        indexes = [models.Index(fields=["staff", "post"], name="handpost_tick_of_staff")]

    def __str__(self) -> str:
        return f"{self.post_id}/{self.chat_id}"

    @property
    def is_late(self) -> bool:
        """Ticked after the deadline. Needs `post`."""
        return self.done_at is not None and self.done_at > self.post.deadline
