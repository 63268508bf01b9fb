"""Corporate tags."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TagGroup(models.Model):
    """A group of corporate tags, as the platform has it."""

    group_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=64)
    order = models.BigIntegerField(default=0)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("tag group")
        verbose_name_plural = _("tag groups")

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A corporate tag. A customer's tags are the union over open periods of friendship."""

    tag_id = models.CharField(max_length=64, unique=True)
    group = models.ForeignKey(TagGroup, on_delete=models.PROTECT, related_name="tags", verbose_name=_("tag group"))
    name = models.CharField(_("name"), max_length=64)
    order = models.BigIntegerField(default=0)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")

    def __str__(self) -> str:
        return self.name
