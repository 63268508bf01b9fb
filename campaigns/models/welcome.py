"""Welcome messages: the rules, and one row for every code that the platform gave us."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.querysets import WelcomeQuerySet, WelcomeRuleQuerySet
from contacts.models import Channel, Staff

TEXT_BYTES = 4000  # wecom-api.md §8.1
MOST_ATTACHMENTS = 9


def fits_in_message(text: str) -> None:
    """Raises ValidationError when the text is longer than the platform takes."""
    size = len(text.encode())
    if size > TEXT_BYTES:
        raise ValidationError(_("The text has %(size)d bytes, %(over)d more than WeCom takes (%(most)d)."), params={
            "size": size, "over": size - TEXT_BYTES, "most": TEXT_BYTES,
        })  # fmt: skip


class WelcomeRule(models.Model):
    """What newly added customers are told. The most exact active rule wins: channel and staff, channel, staff, default.

    Texts may hold {customer} and {staff}; where the name can't be read in time, `nameless_text` is sent.
    """

    name = models.CharField(_("name"), max_length=60)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("channel"))
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("staff member"))
    text = models.TextField(
        _("text"),
        validators=[fits_in_message],
        help_text=_("{customer} and {staff} become names. At most 4,000 bytes."),
    )
    nameless_text = models.TextField(
        _("text without the name"), blank=True, validators=[fits_in_message],
        help_text=_("Sent when the customer's name can't be read within 1.5 seconds. Needed if the text holds {customer}."),
    )  # fmt: skip
    returning_text = models.TextField(
        _("text for returning customers"), blank=True, validators=[fits_in_message],
        help_text=_("For people who were friends before; empty: they get the same text."),
    )  # fmt: skip
    active = models.BooleanField(_("active"), default=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    has_attachments: bool  # told by `best_for`
    objects: ClassVar[WelcomeRuleQuerySet] = WelcomeRuleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("welcome rule")
        verbose_name_plural = _("welcome rules")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "staff"], condition=Q(active=True), nulls_distinct=False, name="welcome_rule_one_per_case",
                violation_error_message=_("Another active rule already covers this channel and staff member."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if "{customer}" in self.text + self.returning_text and not self.nameless_text:
            raise ValidationError({"nameless_text": _("Write the text that is sent when the name can't be read.")})
        if "{customer}" in self.nameless_text:
            raise ValidationError(
                {"nameless_text": _("This text is for the case that the name is unknown: leave {customer} out.")}
            )


class WelcomeAttachment(models.Model):
    """A link or picture sent with a rule's text (wecom-api.md §8.1: at most 9; lengths in bytes)."""

    class Kind(models.TextChoices):
        LINK = "link", _("link")
        IMAGE = "image", _("image")

    rule = models.ForeignKey(WelcomeRule, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.LINK)
    title = models.CharField(_("title"), max_length=128, blank=True)
    url = models.URLField(
        _("address"), max_length=2048, help_text=_("For an image: the address that WeCom's upload gave.")
    )
    picture_url = models.URLField(_("picture"), max_length=2048, blank=True)
    description = models.CharField(_("description"), max_length=512, blank=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title or self.url

    def clean(self) -> None:
        if self.kind == self.Kind.LINK and not self.title:
            raise ValidationError({"title": _("A link needs a title.")})
        for field, most in (("title", 128), ("description", 512), ("url", 2048)):
            if len(getattr(self, field).encode()) > most:
                raise ValidationError(
                    {field: _("Longer than %(most)d bytes (a Chinese character takes three).") % {"most": most}}
                )

    def to_wecom(self) -> dict[str, object]:
        """The platform's attachment object."""
        if self.kind == self.Kind.IMAGE:
            return {"msgtype": "image", "image": {"pic_url": self.url}}
        link = {"title": self.title, "url": self.url, "picurl": self.picture_url, "desc": self.description}
        return {"msgtype": "link", "link": {key: value for key, value in link.items() if value}}


class Welcome(models.Model):
    """One welcome code and what became of it. Written before the call, so that no crash hides an attempt."""

    class Outcome(models.TextChoices):
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused: already talking")  # 41051
        EXPIRED = "expired", _("expired")  # 41050, or 18 s since receipt
        STOPPED = "stopped", _("stopped by the brake")
        NO_RULE = "no_rule", _("no rule")
        UNKNOWN = "unknown", _("no answer, may have arrived")
        FAILED = "failed", _("failed")

    code = models.CharField(max_length=200, unique=True, editable=False)
    callback_id = models.BigIntegerField(null=True)  # no foreign key: raw callbacks are pruned earlier
    userid = models.CharField(_("staff member"), max_length=64)
    external_userid = models.CharField(_("customer"), max_length=64)
    state = models.CharField(_("state"), max_length=128, blank=True)
    rule = models.ForeignKey(WelcomeRule, on_delete=models.SET_NULL, null=True, verbose_name=_("welcome rule"))
    rule_name = models.CharField(_("rule"), max_length=60, blank=True)  # outlives the rule
    text = models.TextField(_("text"), blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.SENDING)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    errcode = models.IntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    maybe_sent = models.BooleanField(default=False)  # an attempt got no answer: a 41051 may be ours
    happened_at = models.DateTimeField(_("added"))  # CreateTime, domain time
    received_at = models.DateTimeField(_("received"))  # real time, the database's clock
    accepted_at = models.DateTimeField(_("accepted"), null=True)  # real time, the database's clock
    latency_ms = models.PositiveIntegerField(_("latency (ms)"), null=True)  # CreateTime → accepted, at real speed
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[WelcomeQuerySet] = WelcomeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("welcome")
        verbose_name_plural = _("welcomes")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["happened_at", "outcome"], name="welcome_day"),
            models.Index(fields=["external_userid"], name="welcome_of_customer"),
            models.Index(fields=["changed_at"], name="welcome_changed"),
            models.Index(fields=["userid", "-id"], name="welcome_of_staff"),
            models.Index(fields=["outcome", "-id"], name="welcome_missed", condition=~Q(outcome="sent")),
        ]

    def __str__(self) -> str:
        return f"{self.external_userid} {self.outcome}"
