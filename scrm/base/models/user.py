"""The people who log in to the console."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scrm.base.roles import Role, role_of


class User(AbstractUser):
    """An operator, manager, administrator or staff member of the company.

    `department_ids` are the platform's ids of the departments whose rows the user sees, children included; administrators
    see everything, a user without departments sees nothing of any customer but those of the own WeCom account.
    """

    department_ids = ArrayField(models.IntegerField(), default=list, blank=True, verbose_name=_("departments in scope"))
    sees_all = models.BooleanField(_("sees the whole company"), default=False)
    changed_at = models.DateTimeField(auto_now=True, db_default=Now())  # by a form; a login changes nothing
    wecom_userid = models.CharField(_("WeCom userid"), max_length=64, blank=True, default="")

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("export", _("export personal data")), ("reveal", _("reveal masked personal data"))]

    @property
    def role(self) -> Role | None:
        """One of the fixed roles (scrm.base.roles), or none."""
        return role_of(self)

    @property
    def has_full_scope(self) -> bool:
        """True where no department narrows what the user sees."""
        return self.is_active and (self.is_superuser or self.sees_all)

    def get_full_name(self) -> str:
        """Family name first and without a space, as Chinese names are written; other names the other way round."""
        return super().get_full_name() if self.last_name.isascii() else f"{self.last_name}{self.first_name}"

    def __str__(self) -> str:
        return self.get_full_name() or self.username
