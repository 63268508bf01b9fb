"""Customers: the list, and one page with everything that is known of a person."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import people
from contacts.admin.filters import ChannelFilter, StaffFilter, TagFilter
from contacts.admin.words import ADD_WAYS, CUSTOMER_TYPES, GENDERS, word
from contacts.models import Channel, Customer, Follow, Tag
from scrm.base import audit, roles
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter, day_range
from scrm.base.console.pages import ConsolePage
from scrm.base.console.who import user_of
from scrm.base.masking import masked

CHANGE = "contacts.change_customer"
_SHOWN_TAGS = 4


@admin.register(Customer)
class CustomerPage(ConsolePage):
    """Persons with at least one period of friendship. Strangers in chats are found on the chats' pages."""

    open_to_staff = True
    views = (("kept", gettext_lazy("Friends now")), ("lost", gettext_lazy("Lost")))
    list_display = ("person", "staff_now", "channel", "tags", "added", "standing")
    list_filter = (
        StaffFilter,
        ChannelFilter,
        TagFilter,
        ("first_added_at", DayRangeFilter),
        ("lost_at", day_range(gettext_lazy("day of loss"))),
    )
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name, pinyin, initials or id")
    ordering = ("-first_added_at", "-id")
    detail_template = "console/contacts/customer.html"
    deed_rights = {"reveal": roles.REVEAL}
    export_head = (
        "external_userid", gettext_lazy("name"), gettext_lazy("staff member"), gettext_lazy("channel"), gettext_lazy("tags"),
        gettext_lazy("remark"), gettext_lazy("first added"), gettext_lazy("lost"),
    )  # fmt: skip
    nothing_yet = gettext_lazy("Customers appear here with the first callback or after the first full sync.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).added()  # type: ignore[attr-defined, no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.named_like(search_term.strip()) if search_term.strip() else queryset), False  # type: ignore[attr-defined]

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        if view == "kept":
            return rows.kept()  # type: ignore[attr-defined, no-any-return]
        return rows.lost() if view == "lost" else rows.none()  # type: ignore[attr-defined]

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        follows: dict[int, list[Follow]] = {}
        visible = Follow.objects.visible_to(user_of(request)).filter(customer__in=rows)
        for follow in visible.select_related("staff").order_by("-added_at"):
            follows.setdefault(follow.customer_id, []).append(follow)
        channels = channel_names({row.first_state for row in rows})
        names = tag_names(tag for group in follows.values() for row in group if not row.ended_at for tag in row.tag_ids)
        for row in rows:
            row.periods = follows.get(row.pk, [])
            row.channel_name = channels.get(row.first_state, row.first_state)
            row.tag_list = tags_of(row.periods, names)

    @display(description=gettext_lazy("customer"))
    def person(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("staff member"))
    def staff_now(self, row: Any) -> SafeString | str:
        names = [str(follow.staff) for follow in row.periods if not follow.ended_at]
        if not names:
            return formats.NONE
        return format_html("{}{}", "、".join(names[:2]), f" +{len(names) - 2}" if len(names) > 2 else "")

    @display(description=gettext_lazy("channel"))
    def channel(self, row: Any) -> str:
        return row.channel_name or formats.NONE

    @display(description=gettext_lazy("tags"))
    def tags(self, row: Any) -> SafeString | str:
        if not row.tag_list:
            return formats.NONE
        shown = format_html_join("", "{}", ((formats.tag(name),) for name in row.tag_list[:_SHOWN_TAGS]))
        more = len(row.tag_list) - _SHOWN_TAGS
        return format_html('{}<span class="c-mu">{}</span>', shown, f"+{more}" if more > 0 else "")

    @display(description=gettext_lazy("first added"), ordering="first_added_at")
    def added(self, row: Any) -> SafeString:
        return formats.ago(row.first_added_at)

    @display(description=gettext_lazy("standing"))
    def standing(self, row: Any) -> SafeString:
        silent = formats.tag(_("no broadcasts"), "warn") if row.do_not_contact_at else ""
        return format_html("{}{}", standing_tag(row), silent)

    def deeds(self) -> dict[str, Any]:
        return {"do_not_contact": self.do_not_contact, "reveal": self.reveal}

    def do_not_contact(self, request: HttpRequest, customer: Customer) -> None:
        """The switch “no more broadcasts”."""
        wanted = request.POST.get("wanted") == "yes"
        if not people.set_do_not_contact(customer, wanted):
            return
        audit.record(
            "customer.do_not_contact",
            user=user_of(request),
            subject=customer.external_userid,
            request=request,
            on=wanted,
        )
        self.say(request, _("Gets no more broadcasts.") if wanted else _("May get broadcasts again."))

    def reveal(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """The page with the numbers in the remarks in full, this once; noted."""
        audit.record("customer.reveal", user=user_of(request), subject=customer.external_userid, request=request)
        return self.change_view(request, str(customer.pk), extra_context={"revealed": True})

    def export_cells(self, request: HttpRequest, rows: list[Any]) -> Iterator[Sequence[Any]]:
        """Remarks are masked for who may export but not reveal."""
        self.prepare(request, rows)
        shown = str if request.user.has_perm(roles.REVEAL) else masked
        for row in rows:
            present = [follow for follow in row.periods if not follow.ended_at]
            yield (
                row.external_userid, row.name, "、".join(str(follow.staff) for follow in present), row.channel_name,
                "、".join(row.tag_list), "；".join(shown(follow.remark) for follow in present if follow.remark),
                formats.moment(row.first_added_at), formats.moment(row.lost_at) if row.lost_at else "",
            )  # fmt: skip

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        periods = list(
            Follow.objects.visible_to(user_of(request))
            .filter(customer=instance).select_related("staff").order_by("-added_at")
        )  # fmt: skip
        names = tag_names(tag for row in periods for tag in row.tag_ids)
        channels = channel_names({row.state for row in periods} | {instance.first_state})
        return {
            "customer": instance,
            "standing": standing_tag(instance),
            "may_silence": request.user.has_perm(CHANGE),
            "channel": channels.get(instance.first_state, instance.first_state),
            "kind": word(CUSTOMER_TYPES, instance.type),
            "gender": word(GENDERS, instance.gender) if instance.gender else formats.NONE,
            "tags": tags_of(periods, names),
            "may_reveal": any(masked(row.remark) != row.remark for row in periods) and self.may_do(request, "reveal"),
            "periods": [
                {
                    "row": row,
                    "remark": masked(row.remark),
                    "way": word(ADD_WAYS, row.add_way),
                    "channel": channels.get(row.state, row.state),
                    "tags": [names[tag] for tag in row.tag_ids if tag in names],
                }
                for row in periods
            ],
        }


def standing_tag(customer: Customer) -> SafeString:
    """Friend now, lost, or neither (handed over or left with the staff member)."""
    if customer.open_follows:
        return formats.tag(_("friend"), "ok")
    return formats.tag(_("lost"), "bad") if customer.lost_at else formats.tag(_("no open friendship"))


def channel_names(states: Iterable[str]) -> dict[str, str]:
    """Names of the channels with these states."""
    return dict(Channel.objects.filter(state__in=[state for state in states if state]).values_list("state", "name"))


def tag_names(tag_ids: Iterable[str]) -> dict[str, str]:
    """Names of these tags; ids that the platform no longer knows are left out."""
    wanted = set(tag_ids)
    return (
        dict(Tag.objects.filter(tag_id__in=wanted, deleted_at__isnull=True).values_list("tag_id", "name"))
        if wanted
        else {}
    )


def tags_of(periods: Iterable[Follow], names: dict[str, str]) -> list[str]:
    """The union of the tags over open periods, in the order of being met."""
    return list(dict.fromkeys(names[tag] for row in periods if not row.ended_at for tag in row.tag_ids if tag in names))
