"""Corporate tags, as WeCom has them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from contacts.models import Staff, Tag
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage
from scrm.base.console.who import user_of
from scrm.base.models import User

_COUNT = """
SELECT tag, count(DISTINCT customer_id) FROM contacts_follow, unnest(tag_ids) AS tag
WHERE ended_at IS NULL AND tag_ids && %s::varchar[] AND tag = ANY(%s) AND (%s OR staff_id = ANY(%s)) GROUP BY tag
"""


@admin.register(Tag)
class TagPage(ConsolePage):
    """Tags with the number of customers who carry them. Tags name no customer: all staff see all of them."""

    open_to_staff = True
    scoped = False
    list_display = ("name", "group_name", "count_customers")
    search_fields = ("name", "group__name")
    search_help_text = gettext_lazy("Tag or tag group")
    ordering = ("group__order", "group__name", "order", "pk")
    fields = ("name", "group_name", "count_customers")
    readonly_fields = ("group_name", "count_customers")
    nothing_yet = gettext_lazy("Tags appear here after the first full sync.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(deleted_at__isnull=True).select_related("group")

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        counts = _customers_by_tag([row.tag_id for row in rows], user_of(request))
        for row in rows:
            row.customers = counts.get(row.tag_id, 0)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    @display(description=gettext_lazy("tag group"), ordering="group__name")
    def group_name(self, row: Any) -> str:
        return str(row.group)

    @display(description=gettext_lazy("customers now"))
    def count_customers(self, row: Any) -> SafeString:
        return formats.figure(row.customers, f"{reverse('admin:contacts_customer_changelist')}?tag={row.tag_id}")


def _customers_by_tag(tag_ids: list[str], user: User) -> dict[str, int]:
    """Distinct customers by tag over the open periods that `user` may see."""
    scope = [] if user.has_full_scope else list(Staff.objects.visible_to(user).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [tag_ids, tag_ids, user.has_full_scope, scope])
        return dict(cursor.fetchall())
