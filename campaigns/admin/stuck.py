"""Tasks of a broadcast whose work failed for good and waits for a person: said on its page, found in the list of work."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from campaigns.models import Broadcast, Dispatch
from scrm.base.console.panels import add_filter
from scrm.base.console.unfold import TextFilter
from scrm.base.console.who import user_of
from scrm.base.models import Work
from scrm.base.numbers import whole


class BroadcastFilter(TextFilter):
    """Work on the tasks of one broadcast (`?broadcast=12`)."""

    title = gettext_lazy("number of the broadcast")
    parameter_name = "broadcast"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "").strip()
        if not value:
            return queryset
        number = whole(value)
        tasks = Dispatch.objects.none() if number is None else Dispatch.objects.filter(broadcast=number)
        return queryset.filter(source_kind=Dispatch.WORK_SOURCE, source_id__in=tasks.values("pk"))


def of(request: HttpRequest, broadcast: Broadcast, tasks: Collection[Dispatch]) -> dict[str, Any]:
    """How much work on these tasks failed, the latest error, and the list of it for those who may open that."""
    works = Work.objects.filter(source_kind=Dispatch.WORK_SOURCE, source_id__in=[task.pk for task in tasks])
    failed = works.filter(state=Work.State.QUARANTINED).order_by("-pk")
    errors = list(failed.values_list("error", flat=True))
    address = f"{reverse('admin:base_work_changelist')}?{urlencode({'view': 'failed', 'broadcast': broadcast.pk})}"
    return {
        "count": len(errors),
        "error": errors[0] if errors else "",
        "link": address if user_of(request).is_superuser else "",
    }


add_filter("base.Work", BroadcastFilter)
