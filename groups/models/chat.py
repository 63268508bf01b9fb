"""Customer group chats."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models import Staff
from groups.querysets import GroupChatQuerySet


class GroupChat(models.Model):
    """A customer group chat. `people` and `external_people` are cached from the stay ledger by the verbs that write it."""

    class Type(models.TextChoices):
        UNKNOWN = "", _("not set")
        ACQUISITION = "acquisition", _("acquisition chat")
        BENEFITS = "benefits", _("benefits chat")
        FLASH = "flash", _("flash chat")
        SERVICE = "service", _("service chat")

    class DismissedBy(models.TextChoices):
        """How a dismissal is known. What a sync concluded may be wrong: the chat may only be out of the app's sight."""

        EVENT = "event", _("event")
        SYNC = "sync", _("sync")
        HISTORY = "history", _("history")

    chat_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    owner = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_chats", verbose_name=_("owner")
    )
    admin_userids = ArrayField(models.CharField(max_length=64), default=list, blank=True, verbose_name=_("admins"))
    notice = models.TextField(_("notice"), blank=True)
    type = models.CharField(_("type"), max_length=12, choices=Type, blank=True, default=Type.UNKNOWN)
    created_at = models.DateTimeField(_("created"), null=True)
    dismissed_at = models.DateTimeField(_("dismissed"), null=True, blank=True)
    dismissed_known_by = models.CharField(max_length=8, choices=DismissedBy, blank=True, default="", db_default="")
    platform_status = models.IntegerField(
        _("owner status"), default=0
    )  # 0 normal, 1 owner left, 2 inheriting, 3 inherited

    member_version = models.CharField(max_length=64, blank=True)  # of the last applied read
    people = models.PositiveIntegerField(_("members"), default=0)
    external_people = models.PositiveIntegerField(_("external members"), default=0)
    read_at = models.DateTimeField(null=True)  # start of the last applied read, the database's clock
    # start, in domain time, of the last applied read that showed the members: the proof that they were there
    shown_at = models.DateTimeField(null=True)
    first_read_at = models.DateTimeField(null=True)  # domain time: who was there then has not joined before our eyes
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[GroupChatQuerySet] = GroupChatQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("group chat")
        verbose_name_plural = _("group chats")
        indexes = [models.Index(fields=["owner", "dismissed_at"], name="chat_of_owner")]

    def __str__(self) -> str:
        return self.name or self.chat_id

    @property
    def entity(self) -> str:
        return f"chat:{self.chat_id}"

    @property
    def is_out_of_sight(self) -> bool:
        """Taken as dismissed because nothing showed it any more."""
        return self.dismissed_at is not None and self.dismissed_known_by == self.DismissedBy.SYNC

    @property
    def room_left(self) -> int:
        """People who may still join by code."""
        return max(0, settings.CHAT_SCAN_CAPACITY - self.people)


class ChatVersion(models.Model):
    """A member-list version that was seen, by an event or a read, in the order of being seen.

    An event whose LastMemVer stands nowhere here says that an event before it was lost.
    """

    chat = models.ForeignKey(GroupChat, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)  # LastMemVer of the event that brought it
    happened_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "version"], name="chat_version_once")]

    def __str__(self) -> str:
        return self.version


class ChatGap(models.Model):
    """A hole in the chain of member-list versions: events were lost between `version` and the one before."""

    chat = models.ForeignKey(GroupChat, on_delete=models.CASCADE, related_name="gaps")
    version = models.CharField(max_length=64)  # the LastMemVer that nobody had seen
    found_at = models.DateTimeField()
    healed_at = models.DateTimeField(null=True)
    healed_by = models.CharField(
        max_length=8, blank=True
    )  # read: the list was read afterwards · late: the event came late

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        constraints = [models.UniqueConstraint(fields=["chat", "version"], name="chat_gap_once")]
        indexes = [models.Index(fields=["found_at"], name="chat_gap_open", condition=Q(healed_at__isnull=True))]

    def __str__(self) -> str:
        return self.version
