"""The console's menu and look (Unfold)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

ADMINISTRATORS = "administrators"

# Group → items: title, icon, address name, model whose page must be open to the user (none: everybody), badge
_MENU: list[tuple[Text, list[tuple[Text, str, str, str, str]]]] = [
    (
        _("Workbench"),
        [
            (_("Home"), "home", "admin:index", "", ""),
            (_("Today's tasks"), "task_alt", "console:tasks", "", ""),
        ],
    ),
    (
        _("Acquisition"),
        [
            (_("Channels"), "qr_code_2", "admin:contacts_channel_changelist", "contacts.Channel", ""),
            (_("Welcome rules"), "waving_hand", "admin:campaigns_welcomerule_changelist", "campaigns.WelcomeRule", ""),
            (_("Welcome log"), "mark_chat_read", "admin:campaigns_welcome_changelist", "campaigns.Welcome", ""),
        ],
    ),
    (
        _("Customer management"),
        [
            (_("All customers"), "person", "admin:contacts_customer_changelist", "contacts.Customer", ""),
            (_("Tags"), "sell", "admin:contacts_tag_changelist", "contacts.Tag", ""),
            (_("Staff"), "badge", "admin:contacts_staff_changelist", "contacts.Staff", ""),
            (_("Messages to staff"), "notifications", "admin:contacts_notice_changelist", "contacts.Notice", ""),
            (_("Departments"), "account_tree", "admin:contacts_department_changelist", "contacts.Department", ""),
        ],
    ),
    (
        _("Group chats"),
        [
            (_("All group chats"), "groups", "admin:groups_groupchat_changelist", "groups.GroupChat", ""),
            (_("Manual posts"), "pan_tool", "admin:campaigns_handpost_changelist", "campaigns.HandPost", ""),
        ],
    ),
    (
        _("Marketing tasks"),
        [(_("Broadcasts"), "campaign", "admin:campaigns_broadcast_changelist", "campaigns.Broadcast", "")],
    ),
    (
        _("Analytics"),
        [
            (_("Dashboard"), "monitoring", "dashboards:overview", "", ""),
            (_("Definitions"), "menu_book", "dashboards:dictionary", "", ""),
        ],
    ),
    (
        _("System settings"),
        [
            (_("Connection guide"), "cable", "connection:page", ADMINISTRATORS, ""),
            (_("Full sync"), "sync", "admin:contacts_syncrun_changelist", "contacts.SyncRun", "held_syncs"),
            (_("Callbacks"), "webhook", "admin:wecom_callback_changelist", "wecom.Callback", "failed_callbacks"),
            (_("All settings"), "tune", "console:settings", "base.Work", ""),
            (_("Work queue"), "checklist", "admin:base_work_changelist", "base.Work", ""),
            (_("API budget and calls"), "api", "admin:wecom_apicall_changelist", "wecom.ApiCall", ""),
            (_("API tokens"), "key", "admin:base_apitoken_changelist", "base.ApiToken", ""),
            (_("Users"), "manage_accounts", "admin:base_user_changelist", "base.User", ""),
            (_("Audit trail"), "history", "admin:base_auditrecord_changelist", "base.AuditRecord", ""),
        ],
    ),
]


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups that hold something for this user; items whose page is closed stay out."""
    groups, lit = [], _lit(request)
    for title, entries in _MENU:
        items = [item for item in (_item(request, lit, *entry) for entry in entries) if item]
        if items:
            groups.append({"title": title, "items": items, "collapsible": False})
    return groups


def place(request: HttpRequest) -> dict[str, Any] | None:
    """Where in the menu the page stands, in the menu's words: `{"group", "title", "link", "here"}`; None: nowhere.
    `here`: it is the item's own page, not one behind it."""
    lit = _lit(request)
    for group, entries in _MENU:
        for title, _icon, name, model, _badge_name in entries:
            if reverse(name) == lit and (not model or _open_to(request, model)):
                return {"group": group, "title": title, "link": lit, "here": request.path == lit}
    return None


def _item(
    request: HttpRequest, lit: str, title: Text, icon: str, name: str, model: str, badge: str
) -> dict[str, Any] | None:
    link = reverse(name)
    if model and not _open_to(request, model):
        return None
    item: dict[str, Any] = {"title": title, "icon": icon, "link": link, "active": link == lit}
    number = _badge(badge) if badge else 0
    return {**item, "badge": str(number), "badge_variant": "danger"} if number else item


def _lit(request: HttpRequest) -> str:
    """The address of the item that is lit; "" for none. Of items below which the page lies it is the nearest: the
    dictionary is an item below the dashboard's address."""
    index = reverse("admin:index")
    links = (reverse(name) for _group, entries in _MENU for _title, _icon, name, _model, _badge_name in entries)
    above = (link for link in links if request.path.startswith(link) and (link != index or request.path == index))
    return max(above, key=len, default="")


def _open_to(request: HttpRequest, model: str) -> bool:
    from django.apps import apps
    from django.contrib import admin

    if model == ADMINISTRATORS:
        return bool(request.user.is_active and request.user.is_superuser)
    page = admin.site._registry.get(apps.get_model(model))
    return page is not None and page.has_view_permission(request)


def _badge(name: str) -> int:
    from contacts.models import SyncRun
    from scrm.base.models import Work

    if name == "held_syncs":
        return SyncRun.objects.filter(state=SyncRun.State.HELD).count()
    failed = Work.objects.filter(state=Work.State.QUARANTINED, source_kind="callback")
    return failed.values("source_id").distinct().count()


def environment(request: HttpRequest) -> list[str] | None:
    """A label for installations that are no production: the demo says so on every page."""
    if settings.WECOM_API_URL.startswith(("http://127.0.0.1", "http://localhost")):
        return [str(_("Demo: stand-in WeCom")), "info"]
    return None


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Links of the user menu: the password, and the version that is running."""
    return [
        {"title": _("Change password"), "link": reverse("admin:password_change")},
        {"title": f"{_('Version')} {settings.VERSION}", "link": reverse("admin:index")},
    ]


def search(request: HttpRequest, term: str) -> list[Any]:
    """What the command palette finds beside the pages: customers by name, pinyin or initials, chats and broadcasts."""
    from unfold.dataclasses import SearchResult

    from campaigns.models import Broadcast
    from contacts.models import Customer
    from groups.models import GroupChat
    from scrm.base.console.who import user_of

    customers = Customer.objects.visible_to(user_of(request)).added().named_like(term)[:8]
    chats = GroupChat.objects.visible_to(user_of(request)).filter(name__icontains=term)[:5]
    named = Broadcast.objects.visible_to(user_of(request)).filter(name__icontains=term)
    broadcasts = named.defer("audience")[:5]
    found: list[tuple[Any, Any, str, str]] = [
        (row, _("customer"), "person", "admin:contacts_customer_change") for row in customers
    ]
    found += [(row, _("group chat"), "groups", "admin:groups_groupchat_change") for row in chats]
    found += [(row, _("broadcast"), "campaign", "admin:campaigns_broadcast_change") for row in broadcasts]
    return [
        SearchResult(title=str(row), description=str(kind), link=reverse(name, args=[row.pk]), icon=icon)
        for row, kind, icon, name in found
    ]


_BLUE = {
    "50": "#eff6ff", "100": "#dbeafe", "200": "#bfdbfe", "300": "#93c5fd", "400": "#60a5fa", "500": "#3b82f6",
    "600": "#2563eb", "700": "#1d4ed8", "800": "#1e40af", "900": "#1e3a8a", "950": "#172554",
}  # fmt: skip

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Private-domain communities"),
    "SITE_HEADER": _("Private-domain communities"),
    "SITE_SUBHEADER": _("WeCom customer operations"),
    "SITE_SYMBOL": "groups",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "8px",
    "LOGIN": {"form": "scrm.site.console.login.LoginForm"},
    "ENVIRONMENT": "scrm.site.navigation.environment",
    "DASHBOARD_CALLBACK": "scrm.site.console.home.home",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/favicon.svg")},
    ],
    "STYLES": [lambda request: static("console/console.css")],
    "COLORS": {"primary": _BLUE},
    "ACCOUNT": {"navigation": "scrm.site.navigation.account_links"},
    "COMMAND": {"search_models": False, "show_history": False, "search_callback": "scrm.site.navigation.search"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "scrm.site.navigation.menu",
    },
}
