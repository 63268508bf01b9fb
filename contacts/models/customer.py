"""External persons."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.querysets import CustomerQuerySet


class Customer(models.Model):
    """One external person by `external_userid`; strangers in chats included (they have no period of friendship).

    `first_added_at`, `first_state`, `lost_at` and `open_follows` are cached from the follow ledger by the verbs that
    write it, never set by hand.
    """

    external_userid = models.CharField(max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=128, blank=True)
    search = ArrayField(models.CharField(max_length=8), default=list, blank=True, editable=False)  # contacts.search
    avatar = models.CharField(max_length=500, blank=True)
    type = models.IntegerField(_("type"), default=1)  # 1 WeChat, 2 WeCom; the platform's integer, also unknown ones
    gender = models.IntegerField(_("gender"), default=0)
    unionid = models.CharField(max_length=64, blank=True)
    position = models.CharField(max_length=128, blank=True)
    corp_name = models.CharField(_("company"), max_length=128, blank=True)
    corp_full_name = models.CharField(max_length=256, blank=True)

    first_added_at = models.DateTimeField(_("first added"), null=True)
    first_state = models.CharField(max_length=128, blank=True)
    open_follows = models.PositiveIntegerField(_("friends on staff"), default=0)
    lost_at = models.DateTimeField(_("lost"), null=True)
    do_not_contact_at = models.DateTimeField(_("wants no broadcasts since"), null=True, blank=True)

    read_at = models.DateTimeField(null=True)  # start of the last applied read, the database's clock
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[CustomerQuerySet] = CustomerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            GinIndex(fields=["search"], name="customer_search"),
            models.Index(
                fields=["-first_added_at", "-id"], name="customer_newest", condition=Q(first_added_at__isnull=False)
            ),
            models.Index(fields=["lost_at"], name="customer_lost", condition=Q(lost_at__isnull=False)),
            models.Index(
                fields=["first_state", "first_added_at"],
                include=["id"],
                name="customer_of_channel",
                condition=Q(first_added_at__isnull=False),
            ),
            models.Index(fields=["unionid"], name="customer_unionid", condition=~Q(unionid="")),
        ]

    def __str__(self) -> str:
        return self.name or self.external_userid

    @property
    def entity(self) -> str:
        return f"contact:{self.external_userid}"
