"""The timeline on a customer's page: the same entries as the REST API's, in words."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.models import Delivery, Welcome
from contacts import timeline
from contacts.admin.words import ADD_WAYS, word
from contacts.models import Customer, Follow, Staff
from contacts.timeline import Entry
from groups.admin import JOIN_SCENES, QUIT_SCENES
from scrm.base.console.panels import add_panel
from scrm.base.console.who import user_of

SHOWN = 100
_ICONS = {
    "added": ("person_add", "ok"),
    "ended": ("person_remove", "bad"),
    "joined": ("group_add", "ok"),
    "left": ("group_remove", "warn"),
    "welcome": ("waving_hand", ""),
    "broadcast": ("campaign", ""),
}


def build(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """The latest entries that the user may know."""
    entries = timeline.of(customer, user=user_of(request))
    shown = entries[:SHOWN]
    staff = {row.userid: str(row) for row in Staff.objects.filter(userid__in={entry.userid for entry in shown})}
    return {"entries": [_row(entry, staff) for entry in shown], "more": len(entries) - len(shown)}


def _row(entry: Entry, staff: dict[str, str]) -> dict[str, Any]:
    icon, kind = _ICONS.get(entry.kind, ("circle", ""))
    parts = [staff.get(entry.userid, entry.userid), *_details(entry)]
    if entry.channel:
        parts.append(_("channel %(name)s") % {"name": entry.channel})
    return {
        "at": entry.occurred_at,
        "title": entry.title,
        "what": entry.detail.get("chat_name") or entry.detail.get("name") or "",
        "detail": " · ".join(part for part in parts if part),
        "icon": icon,
        "kind": kind,
    }


def _details(entry: Entry) -> list[str]:
    detail = entry.detail
    if entry.kind == "added":
        half = [_("half added")] if detail.get("half") else []
        return [word(ADD_WAYS, detail.get("add_way")), *half] if detail.get("add_way") is not None else half
    if entry.kind == "ended":
        return [_("by %(who)s") % {"who": Follow.EndedBy(detail["ended_by"]).label}] if detail.get("ended_by") else []
    if entry.kind == "joined" and detail.get("join_scene") is not None:
        return [word(JOIN_SCENES, detail["join_scene"])]
    if entry.kind == "left" and detail.get("quit_scene") is not None:
        return [word(QUIT_SCENES, detail["quit_scene"])]
    if entry.kind == "welcome":
        return [str(Welcome.Outcome(detail["outcome"]).label), str(detail.get("reason") or "")]
    if entry.kind == "broadcast":
        return [str(Delivery.State(detail["state"]).label)]
    return []


add_panel("contacts.Customer", "console/contacts/timeline.html", build, order=60)
