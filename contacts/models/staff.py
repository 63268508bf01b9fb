"""The company's own people and how they are arranged."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.querysets import DepartmentQuerySet, StaffQuerySet


class Department(models.Model):
    """A department of the address book; `id` is the platform's, `path` the ids from the root down to itself."""

    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(_("name"), max_length=128)
    parent_id = models.BigIntegerField(_("parent"), default=0)
    path = ArrayField(models.BigIntegerField(), default=list)
    order = models.BigIntegerField(default=0)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects: ClassVar[DepartmentQuerySet] = DepartmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")

    def __str__(self) -> str:
        return self.name


class Staff(models.Model):
    """A member of the corp whom customers can add. Rows are never deleted: ledgers point here."""

    class Status(models.IntegerChoices):
        ACTIVE = 1, _("active")
        DISABLED = 2, _("disabled")
        NOT_ACTIVATED = 4, _("not activated")
        LEFT = 5, _("left")

    userid = models.CharField("userid", max_length=64, unique=True)
    # userids this member had before: late events and old texts still name them
    former_userids = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    name = models.CharField(_("name"), max_length=64, blank=True)
    alias = models.CharField(_("alias"), max_length=64, blank=True)
    position = models.CharField(_("position"), max_length=128, blank=True)
    avatar = models.CharField(max_length=500, blank=True)
    department_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("departments"))
    main_department = models.BigIntegerField(null=True, blank=True)
    status = models.IntegerField(_("status"), default=Status.ACTIVE)  # the platform's integer, also unknown ones
    serves_customers = models.BooleanField(_("serves customers"), default=False)  # has the customer-contact function
    is_persona = models.BooleanField(_("persona account, not counted"), default=False)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)  # start of the last applied read, the database's clock
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[StaffQuerySet] = StaffQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        indexes = [GinIndex(fields=["department_ids"], name="staff_departments")]  # data scope

    def __str__(self) -> str:
        return self.name or self.userid

    @property
    def is_at_work(self) -> bool:
        """Active in the address book (`StaffQuerySet.at_work` for one row)."""
        return self.left_at is None and self.status == Staff.Status.ACTIVE
