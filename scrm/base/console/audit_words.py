"""The audit trail in words. A deed or a detail that nobody named is shown as it is."""

import json
from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext as _

from scrm.base.roles import Role


def deed_words() -> dict[str, str]:
    """Deed → what it is, in the language of the moment."""
    return {
        "sync.start": _("started a full sync"),
        "sync.accept_removals": _("accepted removals of a sync"),
        "callback.replay": _("had callbacks done again"),
        "backup.take": _("took a backup"),
        "backup.restore": _("restored a backup"),
        "audit.prune": _("deleted what was older than the trail is kept"),
        "brake.press": _("pressed the red button"),
        "brake.release": _("released the red button"),
        "broadcast.create": _("wrote a broadcast"),
        "broadcast.change": _("changed a broadcast"),
        "broadcast.copy": _("copied a broadcast"),
        "broadcast.export": _("exported a broadcast's recipients"),
        "broadcast.approve": _("approved a broadcast"),
        "broadcast.pause": _("paused a broadcast"),
        "broadcast.resume": _("resumed a broadcast"),
        "broadcast.cancel": _("cancelled a broadcast"),
        "broadcast.remind": _("reminded staff of a broadcast"),
        "broadcast.add": _("drafted a broadcast"),
        "channel.adopt": _("made channels of existing codes"),
        "connection.check": _("tried the connection to WeCom"),
        "domain_proof.keep": _("entered a domain's proof file"),
        "domain_proof.drop": _("removed a domain's proof file"),
        "login.wecom": _("logged in by WeCom"),
        "login.refused": _("was refused to log in by WeCom"),
        "work.replay": _("had work done again"),
        "apitoken.add": _("issued an API token"),
        "apitoken.revoke": _("revoked an API token"),
        "channel.add": _("entered a channel"),
        "channel.create": _("made a channel through the API"),
        "channel.change": _("changed a channel"),
        "welcomerule.add": _("wrote a welcome rule"),
        "welcomerule.change": _("changed a welcome rule"),
        "user.add": _("created a user"),
        "user.change": _("changed a user"),
        "user.role": _("changed a user's role"),
        "user.scope": _("changed a user's data scope"),
        "user.rights": _("changed a user's rights"),
        "user.active": _("switched a user on or off"),
        "customer.do_not_contact": _("said whether a customer gets broadcasts"),
        "handpost.make": _("asked staff to post by hand"),
        "handpost.cancel": _("cancelled a manual post"),
        "handpost.remind": _("reminded staff of a manual post"),
        "login.blocked": _("ran out of attempts to log in"),
        "customer.export": _("exported customers"),
        "customer.reveal": _("revealed masked personal data of a customer"),
    }


def deed_word(deed: str) -> str:
    """The deed in words; an unknown one as it is."""
    return deed_words().get(deed, deed)


def detail_lines(detail: dict[str, Any]) -> list[str]:
    """The detail of a record, a line for each thing: `data scope: … → …`, `count: 3`."""
    rest = dict(detail)
    lines = []
    if "before" in rest and "after" in rest:
        lines.append(f"{_value(rest.pop('before'))} → {_value(rest.pop('after'))}")
    if isinstance(rest.get("changes"), list):  # as Django's forms tell it
        lines.append(LogEntry(change_message=json.dumps(rest.pop("changes"))).get_change_message())
    names = _names()
    return [*lines, *(f"{names.get(name, name)}{_(': ')}{_value(value)}" for name, value in rest.items())]


def _names() -> dict[str, str]:
    return {
        "count": _("count"), "scope": _("scope"), "of": _("user"), "filters": _("filters"), "held": _("removals"),
        "opened": _("opened again"), "name": _("name"), "departments": _("departments"), "staff": _("staff member"),
        "sees_all": _("sees the whole company"), "through": _("through"), "broadcast": _("broadcast no."),
        "post": _("manual post no."), "planned": _("planned recipients"), "chats": _("group chats"),
        "handpost": _("manual post no."), "excluded": _("excluded"), "dispatches": _("tasks"), "lane": _("lane"), "rows": _("rows"), "days": _("days"),
        "reason": _("reason"), "stop": _("press no."), "source": _("copied from no."), "create_at": _("create tasks at"),
        "on": _("switched on"), "taken_at": _("taken at"),
    }  # fmt: skip


def _value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        names = _names()
        return ", ".join(f"{names.get(name, name)} {_value(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "、".join(_value(part) for part in value)
    return str(Role(value).label) if value in Role.values else str(value)
