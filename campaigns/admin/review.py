"""The check of a draft (核对): who will be asked to confirm what, whom it leaves out and why, what stands against it."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.admin import deeds, preview
from campaigns.admin.words import REASONS, rule_sentence, state_tag
from campaigns.models import Broadcast, Delivery
from campaigns.sending import plan, rules
from campaigns.sending.plan import MANY_TAPS, Plan
from contacts.models import Channel, Staff, Tag
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.console.editions import edition

SHOWN_STAFF = 100
_NAMED = 3  # people named in the sentence


def of_draft(request: HttpRequest, broadcast: Broadcast) -> dict[str, Any]:
    """What the page of a draft shows. Asks the planner; writes nothing."""
    forecast = plan.forecast(broadcast)
    names = {row.userid: str(row) for row in Staff.objects.filter(userid__in=forecast.taps)}
    quiet = rules.quiet_until(max(broadcast.create_at, clock.now()))
    allowed = {name: request.user.has_perm(right) for name, right in deeds.RIGHTS.items()}
    return {
        "broadcast": broadcast,
        "draft": True,
        "state": state_tag(broadcast),
        "may": allowed,
        "plan": forecast,
        "sentence": _sentence(broadcast, forecast, names),
        "excluded": _excluded(forecast.excluded),
        "excluded_total": sum(forecast.excluded.values()),
        "staff": _staff(forecast, names),
        "staff_more": max(0, len(forecast.taps) - SHOWN_STAFF),
        "most_taps": MANY_TAPS,
        "audience": audience_lines(broadcast),
        "rule": rule_sentence(),
        "cap": settings.SEND_CAP_PER_WEEK,
        "quiet_until": quiet,
        "at_once": broadcast.create_at <= clock.now(),
        "late": broadcast.confirm_by <= clock.now(),
        "typed": forecast.planned > deeds.MANY,
        "edition": edition(broadcast),
        "preview": preview.of(broadcast),
    }


def _sentence(broadcast: Broadcast, forecast: Plan, names: dict[str, str]) -> str:
    """将请 张敏 等 3 位员工各点 1 次，发给 2,431 位客户"""
    if not forecast.planned:
        return _("Nobody would get this broadcast.")
    first = sorted(forecast.taps, key=lambda userid: (-forecast.people[userid], userid))[:_NAMED]
    people = "、".join(names.get(userid, userid) for userid in first)
    fewest, most = min(forecast.taps.values()), max(forecast.taps.values())
    words = {
        "people": people,
        "staff": formats.number(len(forecast.taps)),
        "taps": f"{fewest}" if fewest == most else f"{fewest}–{most}",
        "planned": formats.number(forecast.planned),
    }
    if len(forecast.taps) > len(first):
        asks = (
            _("%(people)s and others, %(staff)s members of staff in all, will be asked to confirm %(taps)s times each")
            % words
        )
    elif len(forecast.taps) == 1:
        asks = _("%(people)s will be asked to confirm %(taps)s times, alone") % words
    else:
        asks = _("%(people)s will be asked to confirm %(taps)s times each") % words
    if broadcast.to_chats:
        return asks + _(", for %(planned)s group chats.") % words
    return asks + _(", for %(planned)s customers.") % words


def _excluded(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"label": reason.label, "count": counts[reason], "why": REASONS.get(reason, "")}
        for reason in Delivery.Reason
        if reason in counts
    ]


def _staff(forecast: Plan, names: dict[str, str]) -> list[dict[str, Any]]:
    """Those with the most to do that day first."""
    order = sorted(forecast.taps, key=lambda userid: (-forecast.taps_of_day[userid], -forecast.people[userid], userid))
    return [
        {
            "name": names.get(userid, userid),
            "people": forecast.people[userid],
            "taps": forecast.taps[userid],
            "of_day": forecast.taps_of_day[userid],
            "many": userid in forecast.overloaded,
        }
        for userid in order[:SHOWN_STAFF]
    ]


def audience_lines(broadcast: Broadcast) -> list[tuple[str, str]]:
    """The audience as it was chosen: (what, which)."""
    key, value = next(iter(broadcast.audience.items()))
    if key == "external_userids":
        words = ngettext("%(n)s customer by id", "%(n)s customers by id", len(value))
        return [(_("customers"), words % {"n": formats.number(len(value))})]
    if key == "chat_ids":
        words = ngettext("%(n)s chosen chat", "%(n)s chosen chats", len(value))
        return [(_("group chats"), words % {"n": formats.number(len(value))})]
    lines = [
        (_("staff"), _names(Staff.objects.filter(userid__in=value.get("userids", [])))),
        (_("tags"), _names(Tag.objects.filter(tag_id__in=value.get("tags", [])))),
        (_("channels"), _names(Channel.objects.filter(state__in=value.get("channels", [])))),
        (_("added from"), str(value.get("added_after", ""))[:10]),
        (_("added before"), str(value.get("added_before", ""))[:10]),
    ]
    return [line for line in lines if line[1]] or [(_("customers"), _("all in the maker's data scope"))]


def _names(rows: Iterable[Any]) -> str:
    return "、".join(str(row) for row in rows)
