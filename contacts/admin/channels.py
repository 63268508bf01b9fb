"""Channels: where customers come from."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from contacts.models import Channel, Customer, Follow
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage
from scrm.base.console.who import user_of


@admin.register(Channel)
class ChannelPage(ConsolePage):
    """A name for each `state` that comes back with customers. A channel keeps its state for ever."""

    open_to_staff = True
    changeable = True
    list_display = ("name", "channel_state", "count_adds", "count_customers", "last_add", "created")
    search_fields = ("name", "state")
    search_help_text = gettext_lazy("Name or state")
    ordering = ("name", "pk")
    fields = ("name", "state")
    nothing_yet = gettext_lazy(
        "Give a channel the same state as its code in WeCom, and the customers who came through it are counted."
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("state",) if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> "type[forms.ModelForm[Any]]":
        labels = {"state": gettext_lazy("state of the code")}
        help_texts = {
            "state": gettext_lazy(
                "The state given to the code when it was made (at most 30 characters there). It can't be changed later."
            )
        }
        return super().get_form(request, obj, change, labels=labels, help_texts=help_texts, **kwargs)

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        states = [row.state for row in rows]
        adds = Follow.objects.visible_to(user_of(request)).adds().filter(state__in=states).values("state")
        found: dict[str, Any] = {
            item["state"]: item for item in adds.annotate(number=Count("pk"), last=Max("added_at"))
        }
        kept = Customer.objects.visible_to(user_of(request)).added().filter(first_state__in=states)
        customers = dict(kept.values_list("first_state").annotate(Count("first_state")))  # no more than the index holds
        for row in rows:
            row.adds = found.get(row.state, {}).get("number", 0)
            row.last = found.get(row.state, {}).get("last")
            row.customers = customers.get(row.state, 0)

    @display(description=gettext_lazy("state of the code"), ordering="state")
    def channel_state(self, row: Any) -> str:
        return str(row.state)

    @display(description=gettext_lazy("adds"))
    def count_adds(self, row: Any) -> SafeString:
        return formats.figure(row.adds)

    @display(description=gettext_lazy("customers who came first through it"))
    def count_customers(self, row: Any) -> SafeString:
        return formats.figure(
            row.customers, f"{reverse('admin:contacts_customer_changelist')}?{urlencode({'channel': row.state})}"
        )

    @display(description=gettext_lazy("last add"))
    def last_add(self, row: Any) -> SafeString:
        return formats.ago(row.last)

    @display(description=gettext_lazy("created"), ordering="created_at")
    def created(self, row: Any) -> SafeString:
        return formats.when(row.created_at)
