"""The page of settings: what each means, what it is now, and where it is changed. Read only: settings are environment."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from scrm import env
from scrm.site.console.choices import choices
from scrm.site.console.frame import administrators_page, show

# Names that hold one of these words are secrets; addresses may hold a password.
_SECRET = ("SECRET", "PASSWORD", "TOKEN", "AES_KEY", "DATABASE_URL", "REDIS_URL")
_PRIVATE = ("ALLOWLIST",)  # ids of people: counted only
_SET_BY_TESTS = ("CLOCK_", "FAILPOINT")


@dataclass(frozen=True)
class Line:
    """One setting. `value` is None for secrets and ids of people; `origin`: see scrm.env.origin."""

    name: str
    meaning: str
    value: str | None
    is_set: bool
    default: str
    origin: str
    is_secret: bool


@administrators_page
def page(request: HttpRequest) -> HttpResponse:
    """All settings, and at length those that decide what customers receive. `?q=` searches names and meanings."""
    query = request.GET.get("q", "").strip()
    groups = [(title, [line for line in lines if _matches(line, query)]) for title, lines in grouped()]
    shown = [(title, lines) for title, lines in groups if lines]
    return show(request, "console/settings.html", _("All settings"), {
        "groups": shown,
        "total": sum(len(lines) for _title, lines in shown),
        "query": query,
        "choices": [choice for choice in choices() if query.lower() in f"{choice.name} {choice.title}".lower()],
    })  # fmt: skip


def grouped() -> list[tuple[str, list[Line]]]:
    """Every setting in the group it belongs to, in the order of scrm.settings."""
    groups: dict[str, list[Line]] = {}
    for name in env.SETTINGS:
        groups.setdefault(_group(name), []).append(line_of(name))
    order = list(_titles())
    return [(_titles()[group], groups[group]) for group in sorted(groups, key=order.index)]


def line_of(name: str) -> Line:
    """A setting as the page shows it; a secret's value never leaves this function."""
    setting = env.SETTINGS[name]
    raw = _raw(name)
    hidden = is_secret(name)
    private = any(word in name for word in _PRIVATE)
    return Line(
        name=name,
        meaning=_(setting.meaning) if setting.meaning else "",
        value=None if hidden else (_("%(n)s ids") % {"n": len(getattr(settings, name, ()))} if private else raw),
        is_set=bool(raw),
        default=setting.default,
        origin=env.origin(name),
        is_secret=hidden,
    )


def is_secret(name: str) -> bool:
    """Whether the value may never be shown."""
    return any(word in name for word in _SECRET) or name == "SECRET_KEY"


def _raw(name: str) -> str:
    value: Any = getattr(settings, name, "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple | frozenset):
        return ",".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
    if isinstance(value, dict):  # DATABASE_URL as Django takes it
        return "set" if value else ""
    return str(value)


def _group(name: str) -> str:
    if name.startswith(("SEND", "QUIET_HOURS", "RECEIVE_RULE")):
        return "sending"
    if name.startswith("WECOM_CALLS") or name in {"WECOM_CONCURRENCY", "WECOM_CALL_LOG_SAMPLE"}:
        return "budget"
    if name.startswith("WECOM_"):
        return "wecom"
    if name.startswith(("CHAT_", "CONTACT_", "FRESH_", "STAFF_CAPACITY")):
        return "mirror"
    if name.endswith("_RETENTION_DAYS"):
        return "retention"
    return "tests" if name.startswith(_SET_BY_TESTS) else "installation"


def _titles() -> dict[str, str]:
    return {
        "sending": _("What customers receive"),
        "wecom": _("Connection to WeCom"),
        "budget": _("Budget of API calls"),
        "mirror": _("Customers, staff and chats"),
        "retention": _("How long things are kept"),
        "installation": _("The installation"),
        "tests": _("Demo and tests only"),
    }


def _matches(line: Line, query: str) -> bool:
    return query.lower() in f"{line.name} {line.meaning}".lower()
