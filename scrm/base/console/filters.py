"""Filters of lists. Their values stand in the address, so that a filtered list can be shared."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from scrm.base import clock
from scrm.base.console.unfold import DropdownFilter, RangeDateFilter

Choice = tuple[str, Any]


class ViewFilter(DropdownFilter):
    """The tabs above a list (`?view=`), as named by the page's `views`."""

    title = _("view")
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[Choice]:
        self.model_admin = model_admin
        return list(model_admin.views)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return self.model_admin.view_queryset(request, queryset, chosen) if chosen else queryset


def day_range(title: Any) -> type["DayRangeFilter"]:
    """A DayRangeFilter under a title of its own."""

    class Titled(DayRangeFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


class DayRangeFilter(RangeDateFilter):
    """Whole company days, both ends included: `?<field>_from=2026-11-01&<field>_to=2026-11-30`."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        begin, end = self._day("from"), self._day("to")
        if begin:
            queryset = queryset.filter(**{f"{self.field_path}__gte": clock.day_start(begin)})
        if end:
            queryset = queryset.filter(**{f"{self.field_path}__lt": clock.day_start(end + dt.timedelta(days=1))})
        return queryset

    def _day(self, edge: str) -> dt.date | None:
        try:
            day = dt.date.fromisoformat(
                str(self.used_parameters.get(f"{self.field_path}_{edge}") or "").replace("/", "-")
            )
        except ValueError:
            return None
        return day if day.year in clock.YEARS else None
