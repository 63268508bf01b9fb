"""Filters of customers by the people and things they belong to; choices and rows within the user's sight."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Channel, Follow, Staff, Tag
from scrm.base.console.filters import Choice
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of


class StaffFilter(DropdownFilter):
    """Customers with an open period with one staff member (`?staff=userid`)."""

    title = gettext_lazy("staff member")
    parameter_name = "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[Choice]:
        rows = Staff.objects.visible_to(user_of(request)).filter(serves_customers=True)
        return [(row.userid, str(row)) for row in rows.order_by("name", "userid")[:1000]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _followed(request, queryset, staff__userid=self.value()) if self.value() else queryset


class TagFilter(DropdownFilter):
    """Customers who carry a tag in an open period (`?tag=tag_id`)."""

    title = gettext_lazy("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[Choice]:
        rows = (
            Tag.objects.filter(deleted_at__isnull=True)
            .select_related("group")
            .order_by("group__order", "group", "order")
        )
        return [(row.tag_id, f"{row.group} / {row}") for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _followed(request, queryset, tag_ids__contains=[self.value()]) if self.value() else queryset


class ChannelFilter(DropdownFilter):
    """Customers whose first period came through a channel (`?channel=state`; `-`: without one)."""

    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[Choice]:
        rows = Channel.objects.visible_to(user_of(request))
        return [("-", _("without a channel")), *((row.state, str(row)) for row in rows)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.of_channel("" if self.value() == "-" else str(self.value()))  # type: ignore[attr-defined, no-any-return]


def _followed(request: HttpRequest, customers: QuerySet[Any], **conditions: Any) -> QuerySet[Any]:
    follows = Follow.objects.visible_to(user_of(request)).open().filter(customer=OuterRef("pk"), **conditions)
    return customers.filter(Exists(follows))
