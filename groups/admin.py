"""Group chats: the list, a page for each with members and their comings and goings, and a person's chats."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import display
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Customer, Staff
from groups.models import ChatGap, GroupChat, Stay
from groups.querysets import NEARLY_FULL
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.panels import add_filter, add_panel
from scrm.base.console.unfold import DropdownFilter, TextFilter
from scrm.base.console.who import user_of

MEMBERS_A_PAGE = 50
TREND_DAYS = 30
# wecom-api.md §6.3; an event tells 0 for "invited by a member"
JOIN_SCENES: dict[int, str | Promise] = {
    0: gettext_lazy("invited by a member"),
    1: gettext_lazy("invited directly"),
    2: gettext_lazy("by an invitation link"),
    3: gettext_lazy("scanned the chat's code"),
}
QUIT_SCENES: dict[int, str | Promise] = {
    0: gettext_lazy("left by themselves"),
    1: gettext_lazy("removed by the owner or an admin"),
}


class OwnerFilter(DropdownFilter):
    """Chats of one owner (`?owner=userid`)."""

    title = gettext_lazy("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        owners = GroupChat.objects.visible_to(user_of(request)).owners()
        return [(row.userid, str(row)) for row in owners.order_by("name", "userid")[:1000]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(owner__userid=self.value()) if self.value() else queryset


@admin.register(GroupChat)
class GroupChatPage(ConsolePage):
    """Customer group chats."""

    open_to_staff = True
    views = (
        ("nearly_full", gettext_lazy("Nearly full")),
        ("living", gettext_lazy("Living")),
        ("dismissed", gettext_lazy("Dismissed")),
    )
    counted_views = True
    list_display = (
        "chat",
        "chat_owner",
        "count_people",
        "count_joined",
        "count_left",
        "notice_short",
        "created",
        "read",
    )
    list_filter = (OwnerFilter, ("created_at", DayRangeFilter))
    search_fields = ("name", "chat_id", "owner__name")
    search_help_text = gettext_lazy("Name of the chat or its owner")
    ordering = ("-created_at", "-pk")
    list_select_related = ("owner",)
    detail_template = "console/groups/chat.html"
    nothing_yet = gettext_lazy("Group chats appear here with the first callback or after the first full sync.")

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        chats: Any = rows
        if view == "nearly_full":
            return chats.nearly_full(settings.CHAT_SCAN_CAPACITY)  # type: ignore[no-any-return]
        if view == "living":
            return chats.living()  # type: ignore[no-any-return]
        return chats.filter(dismissed_at__isnull=False) if view == "dismissed" else chats.none()  # type: ignore[no-any-return]

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        today = clock.day_start(clock.today())
        stays = Stay.objects.filter(chat__in=rows)
        joined = dict(stays.joins().filter(joined_at__gte=today).values_list("chat").annotate(Count("pk")))
        left = dict(stays.leaves().filter(left_at__gte=today).values_list("chat").annotate(Count("pk")))
        for row in rows:
            row.joined_today, row.left_today = joined.get(row.pk, 0), left.get(row.pk, 0)

    @display(description=gettext_lazy("group chat"), ordering="name")
    def chat(self, row: Any) -> SafeString | str:
        return str(row)

    @display(description=gettext_lazy("owner"), ordering="owner__name")
    def chat_owner(self, row: Any) -> str:
        return str(row.owner) if row.owner else formats.NONE

    @display(description=gettext_lazy("head count"), ordering="people")
    def count_people(self, row: Any) -> SafeString:
        if row.dismissed_at:
            return formats.tag(_("dismissed"))
        whole = settings.CHAT_SCAN_CAPACITY
        return formats.bar(row.people, whole, "warn" if row.people >= whole * NEARLY_FULL else "")

    @display(description=gettext_lazy("joined today"))
    def count_joined(self, row: Any) -> SafeString:
        return formats.figure(row.joined_today)

    @display(description=gettext_lazy("left today"))
    def count_left(self, row: Any) -> SafeString:
        return formats.figure(row.left_today)

    @display(description=gettext_lazy("notice"))
    def notice_short(self, row: Any) -> str:
        text = " ".join(row.notice.split())
        return (f"{text[:20]}…" if len(text) > 20 else text) or formats.NONE

    @display(description=gettext_lazy("created"), ordering="created_at")
    def created(self, row: Any) -> SafeString:
        return formats.ago(row.created_at)

    @display(description=gettext_lazy("read from WeCom"), ordering="read_at")
    def read(self, row: Any) -> SafeString:
        return formats.ago(row.read_at, real=True)

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        past = "past" in request.GET
        members = _members(
            instance, past=past, page=request.GET.get("page", "1"), query=request.GET.get("q", "").strip()
        )
        trend = _trend(instance)
        present = Stay.objects.filter(chat=instance).present()
        return {
            "chat": instance,
            "capacity": settings.CHAT_SCAN_CAPACITY,
            "nearly_full": instance.people >= settings.CHAT_SCAN_CAPACITY * NEARLY_FULL,
            "admins": list(Staff.objects.filter(userid__in=instance.admin_userids)),
            "strangers": present.external().filter(customer__open_follows=0).count(),
            "past": past,
            "query": request.GET.get("q", "").strip(),
            "members": members,
            "rows": _rows(request, instance, members),
            "trend": trend,
            "trend_joined": sum(day["joined"] for day in trend),
            "trend_left": sum(day["left"] for day in trend),
            "gaps": list(ChatGap.objects.filter(chat=instance).order_by("-found_at")[:10]),
        }


def _members(chat: GroupChat, *, past: bool, page: str, query: str) -> Page[Any]:
    stays = Stay.objects.filter(chat=chat, left_at__isnull=not past).select_related("customer", "staff")
    if query:
        people = Customer.objects.named_like(query)
        stays = stays.filter(Q(customer__in=people) | Q(staff__name__icontains=query) | Q(nickname__icontains=query))
    order = ("-left_at", "-pk") if past else ("-joined_at", "-pk")
    return Paginator(stays.order_by(*order), MEMBERS_A_PAGE).get_page(page)


def _rows(request: HttpRequest, chat: GroupChat, members: Page[Any]) -> list[dict[str, Any]]:
    stays = list(members.object_list)
    visible = set(
        Customer.objects.visible_to(user_of(request))
        .added().filter(pk__in=[stay.customer_id for stay in stays if stay.customer_id]).values_list("pk", flat=True)
    )  # fmt: skip
    inviters = {row.userid: row for row in Staff.objects.filter(userid__in={stay.invited_by for stay in stays})}
    admins = set(chat.admin_userids)
    return [
        {
            "stay": stay,
            "name": str(stay.staff or stay.customer)
            if stay.staff or stay.customer.name
            else (stay.nickname or str(stay.customer)),
            "page": formats.address_of(stay.customer) if stay.customer_id in visible else "",
            "kind": _kind(stay),
            "role": _role(stay, chat, admins),
            "way": _scene(JOIN_SCENES, stay.join_scene),
            "inviter": str(inviters.get(stay.invited_by, stay.invited_by)),
            "quit": _left_how(stay),
        }
        for stay in stays
    ]


def _kind(stay: Stay) -> SafeString:
    if stay.staff_id:
        return formats.tag(_("staff"), "pri")
    if stay.customer and stay.customer.open_follows:
        return formats.tag(_("customer"))
    return formats.tag(_("not a friend yet"), "warn")


def _role(stay: Stay, chat: GroupChat, admins: set[str]) -> str:
    if stay.staff_id and stay.staff_id == chat.owner_id:
        return _("owner")
    return _("admin") if stay.member_id in admins else _("member")


def _left_how(stay: Stay) -> str:
    if stay.left_at is None:
        return ""
    if stay.left_known_by == Stay.KnownBy.EVENT:
        return _scene(QUIT_SCENES, stay.quit_scene)
    return stay.get_left_known_by_display()


def _scene(words: dict[int, str | Promise], scene: int | None) -> str:
    if scene is None:
        return formats.NONE
    return str(words.get(scene) or _("other (%(n)d)") % {"n": scene})


def _trend(chat: GroupChat) -> list[dict[str, Any]]:
    """Joins and leaves of the last 30 company days, with their heights in per cent of the tallest."""
    first = clock.today() - dt.timedelta(days=TREND_DAYS - 1)
    joined = _by_day(Stay.objects.filter(chat=chat).joins(), "joined_at", first)
    left = _by_day(Stay.objects.filter(chat=chat).leaves(), "left_at", first)
    tallest = max([*joined.values(), *left.values(), 1])
    days = [first + dt.timedelta(days=number) for number in range(TREND_DAYS)]
    return [
        {
            "day": day,
            "joined": joined.get(day, 0),
            "left": left.get(day, 0),
            "up": 100 * joined.get(day, 0) / tallest,
            "down": 100 * left.get(day, 0) / tallest,
        }
        for day in days
    ]


def _by_day(stays: QuerySet[Any], field: str, first: dt.date) -> dict[dt.date, int]:
    rows = stays.filter(**{f"{field}__gte": clock.day_start(first)}).annotate(day=TruncDate(field, tzinfo=clock.zone()))
    return dict(rows.order_by().values_list("day").annotate(Count("pk")))


# --- what chats add to the pages of people -----------------------------------------------------------------------------
class ChatFilter(TextFilter):
    """Customers who are in a chat now (`?chat=chat_id`, or a part of its name).

    The chats are looked up here: with their keys in hand the database knows how many they are.
    """

    title = gettext_lazy("in group chat (name)")
    parameter_name = "chat"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "").strip()
        if not value:
            return queryset
        chats = GroupChat.objects.visible_to(user_of(request)).filter(Q(chat_id=value) | Q(name__icontains=value))
        keys = list(chats.order_by("pk").values_list("pk", flat=True))
        return queryset.filter(Exists(Stay.objects.present().filter(chat__in=keys, customer=OuterRef("pk"))))


def _chats_of_customer(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    stays = Stay.objects.visible_to(user_of(request)).filter(customer=customer)
    rows = stays.select_related("chat", "chat__owner").order_by("-joined_at")[:100]
    return {"stays": [{"row": row, "way": _scene(JOIN_SCENES, row.join_scene), "quit": _left_how(row)} for row in rows]}


def _chats_of_staff(request: HttpRequest, staff: Staff) -> dict[str, Any]:
    chats = GroupChat.objects.living().filter(owner=staff)
    return {
        "chats": chats.count(),
        "people": chats.aggregate(all=Sum("people"))["all"] or 0,
        "address": f"{reverse('admin:groups_groupchat_changelist')}?owner={staff.userid}",
    }


add_filter("contacts.Customer", ChatFilter)
add_panel("contacts.Customer", "console/groups/chats_of_customer.html", _chats_of_customer, order=20)
add_panel("contacts.Staff", "console/groups/chats_of_staff.html", _chats_of_staff, order=20)
