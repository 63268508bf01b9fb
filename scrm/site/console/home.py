"""The workbench: what happened, what waits, and how fresh the numbers are. Its numbers are the dashboard's."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from analytics.query import Point, measure
from analytics.scope import Asker
from campaigns.models import Welcome, WelcomeRule
from contacts.models import Department, Staff, SyncRun
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console.who import user_of
from scrm.base.models import User, Work
from scrm.site.console import allowance, confirmations, vitals
from scrm.site.console.checklist import checklist
from scrm.site.console.freshness import freshness
from scrm.site.console.happenings import happenings
from scrm.site.console.room import capacity

NOTICEABLE = 0.1  # changes below stay grey
SHOWN_CHANNELS = 6


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the console's first page."""
    user = user_of(request)
    asker = Asker(user)
    steps = checklist(user)
    sees = user.has_full_scope or Staff.objects.visible_to(user).exists()
    context |= {
        "title": _("Workbench"),
        "greeting": _greeting(),
        "today_words": date_format(clock.now().astimezone(clock.zone()), "Y-m-d l H:i"),
        "scope_words": _scope(user),
        "sees": sees,
        "checklist": steps,
        "steps_left": any(step.needed and not step.done for step in steps),
        "connected": asker.connected is not None,
        "last_sync": SyncRun.objects.filter(state=SyncRun.State.DONE).first(),
        "freshness": freshness(),
        "todos": todos(user),
    }
    if sees:
        yesterday = net(asker)
        context |= {
            "confirmations": confirmations.confirmations(user),
            "allowance": allowance.remembered(user),
            "net": yesterday,
            "welcome": welcome(asker),
            "capacity": capacity(asker, yesterday["members"]["plus"]),
            "happenings": happenings(user),
        }
    return context


def _greeting() -> str:
    hour = clock.now().astimezone(clock.zone()).hour
    if hour < 6:
        return _("Good night")
    if hour < 12:
        return _("Good morning")
    return _("Good afternoon") if hour < 18 else _("Good evening")


def _scope(user: User) -> str:
    if user.has_full_scope:
        staff = Staff.objects.present().filter(serves_customers=True).count()
        return _("the whole company, %(n)d serving staff") % {"n": staff}
    staff = Staff.objects.visible_to(user).present().filter(serves_customers=True).count()
    if not user.department_ids and not staff:
        return _("nothing yet")
    names = "、".join(Department.objects.present().filter(pk__in=user.department_ids).values_list("name", flat=True))
    return _("%(departments)s: %(n)d members of staff") % {"departments": names or _("your own account"), "n": staff}


# --- yesterday ---------------------------------------------------------------------------------------------------------
def net(asker: Asker) -> dict[str, Any]:
    """Adds less losses and joins less leaves of yesterday, against the same weekday a week before."""
    day = clock.today() - dt.timedelta(days=1)
    before = day - dt.timedelta(days=7)
    return {
        "day": day,
        "before": before,
        "friends": _balance(asker, day, before, "adds", "losses"),
        "members": _balance(asker, day, before, "joins", "leaves"),
        "channels": _channels(asker, day, before),
    }


def _balance(asker: Asker, day: dt.date, before: dt.date, gained: str, lost: str) -> dict[str, Any]:
    plus_before, plus = _two_days(gained, before, day, asker)
    minus_before, minus = _two_days(lost, before, day, asker)
    return {
        "net": _difference(plus, minus),
        "plus": plus.value,
        "minus": minus.value,
        "plus_link": rows_address(gained, day),
        "minus_link": rows_address(lost, day),
        "change": change(_difference(plus, minus), _difference(plus_before, minus_before)),
        "before": _difference(plus_before, minus_before),
    }


def _two_days(metric: str, before: dt.date, day: dt.date, asker: Asker) -> tuple[Point, Point]:
    points = measure(metric, start=before, end=day + dt.timedelta(days=1), by="day", user=asker)
    return points[0], points[-1]


def _total(metric: str, day: dt.date, asker: Asker) -> Point:
    return measure(metric, start=day, end=day + dt.timedelta(days=1), user=asker)[0]


def _difference(plus: Point, minus: Point) -> int | None:
    return None if plus.value is None or minus.value is None else int(plus.value - minus.value)


def change(now: float | None, before: float | None, *, good: int = 1) -> dict[str, Any]:
    """`{"text": "−6.9%", "kind": "c-dn"}`; coloured by good and bad, grey below a tenth."""
    if now is None or not before:
        return {"text": "–", "kind": "c-mu"}
    share = (now - before) / abs(before)
    text = f"{share * 100:+.1f}%".replace("-", "−")
    if abs(share) < NOTICEABLE:
        return {"text": text, "kind": "c-mu"}
    return {"text": text, "kind": "c-up" if share * good > 0 else "c-dn"}


def _channels(asker: Asker, day: dt.date, before: dt.date) -> list[dict[str, Any]]:
    def by_channel(one: dt.date) -> dict[str, Point]:
        points = measure("adds", start=one, end=one + dt.timedelta(days=1), by="channel", user=asker)
        return {point.key: point for point in points}

    now, then = by_channel(day), by_channel(before)
    rows = [
        {
            "label": point.label or _("without a channel"),
            "value": point.value,
            "link": rows_address("adds", day, by="channel", key=key),
            "before": then[key].value if key in then else 0,
            "change": change(point.value, then[key].value if key in then else None),
        }
        for key, point in now.items()
    ]
    return rows[:SHOWN_CHANNELS]


# --- welcomes ----------------------------------------------------------------------------------------------------------
def welcome(asker: Asker) -> dict[str, Any]:
    """Success, coverage and speed of today's welcomes; who got none, by reason, with the list behind each."""
    today = clock.today()
    figures = {name: _total(name, today, asker) for name in ("welcome_rate", "welcome_coverage", "welcome_p99")}
    start = clock.day_start(today)
    due = Welcome.objects.visible_to(asker.user).filter(happened_at__gte=start)
    outcomes = dict(due.order_by().values_list("outcome").annotate(Count("pk")))
    missed = [
        {
            "reason": Welcome.Outcome(outcome).label,
            "count": count,
            "what": _what_to_do(outcome),
            "link": f"{reverse('admin:campaigns_welcome_changelist')}?{urlencode({'view': outcome, 'happened_at_from': str(today)})}",
        }
        for outcome, count in sorted(outcomes.items(), key=lambda item: -item[1])
        if outcome not in {Welcome.Outcome.SENT, Welcome.Outcome.SENDING}
    ]
    without_code = (figures["welcome_coverage"].denominator or 0) - (figures["welcome_coverage"].numerator or 0)
    if without_code > 0:
        missed.append({
            "reason": _("no welcome code came (native welcome switched on?)"), "count": without_code,
            "what": _("switch it off: 企微后台 > 客户与上下游 > 聊天工具 > 欢迎语"), "link": "",
        })  # fmt: skip
    p99 = figures["welcome_p99"]
    return {
        "rate": figures["welcome_rate"],
        "coverage": figures["welcome_coverage"],
        "p99_seconds": None if p99.value is None else p99.value / 1000,
        "base": p99.denominator,
        "missed": missed,
        "rate_link": rows_address("welcome_rate", today),
        "coverage_link": rows_address("welcome_coverage", today),
    }


def _what_to_do(outcome: str) -> str:
    return {
        Welcome.Outcome.REFUSED: _("nothing: staff already wrote, not a failure"),
        Welcome.Outcome.EXPIRED: _("let staff write by hand"),
        Welcome.Outcome.STOPPED: _("let staff write by hand; the brake was on"),
        Welcome.Outcome.NO_RULE: _("activate a default rule"),
        Welcome.Outcome.UNKNOWN: _("look into the chat before writing by hand"),
        Welcome.Outcome.FAILED: _("see the error, then let staff write by hand"),
    }.get(Welcome.Outcome(outcome), "")


# --- to do -------------------------------------------------------------------------------------------------------------
def todos(user: User) -> list[dict[str, Any]]:
    """What waits for this user: `{"text", "detail", "link", "kind"}`, the worst first."""
    found = [*(_for_administrators() if user.is_superuser else []), *confirmations.todos(user)]
    if not WelcomeRule.objects.filter(active=True, channel__isnull=True, staff__isnull=True).exists():
        found.append(_todo(
            _("No default welcome rule is active"), _("Adds that no other rule covers are not greeted."),
            reverse("admin:campaigns_welcomerule_changelist"), "warn",
        ))  # fmt: skip
    full = GroupChat.objects.visible_to(user).nearly_full(settings.CHAT_SCAN_CAPACITY).count()
    if full:
        found.append(_todo(
            _("%(n)d group chats are nearly full") % {"n": full}, _("Codes stop letting people in at %(n)d.") % {"n": settings.CHAT_SCAN_CAPACITY},
            f"{reverse('admin:groups_groupchat_changelist')}?view=nearly_full", "warn",
        ))  # fmt: skip
    return found


def _for_administrators() -> list[dict[str, Any]]:
    found = []
    failed = Work.objects.filter(state=Work.State.QUARANTINED)
    of_callbacks = Q(source_kind="callback")
    counts = failed.aggregate(
        callbacks=Count("source_id", distinct=True, filter=of_callbacks), others=Count("pk", filter=~of_callbacks)
    )
    callbacks, others = counts["callbacks"], counts["others"]
    held = SyncRun.objects.filter(state=SyncRun.State.HELD).first()
    if callbacks:
        found.append(_todo(
            _("%(n)d callbacks failed") % {"n": callbacks}, _("Read the error, mend the cause, do them again."),
            f"{reverse('admin:wecom_callback_changelist')}?view=failed", "bad",
        ))  # fmt: skip
    if others:
        found.append(_todo(
            _("%(n)d other pieces of work failed") % {"n": others}, _("They were put aside and hold up nothing."),
            f"{reverse('admin:base_work_changelist')}?view=failed", "bad",
        ))  # fmt: skip
    if held:
        found.append(_todo(
            _("%(n)d removals of a sync wait for you") % {"n": held.held}, _("Look at the app's visible range before you accept."),
            reverse("admin:contacts_syncrun_change", args=[held.pk]), "warn",
        ))  # fmt: skip
    seen = vitals.workers()
    dead = sorted(queue for queue, age in seen.items() if age > vitals.ALIVE_SECONDS)
    if dead or not seen:
        found.append(_todo(
            _("No worker is alive for: %(queues)s") % {"queues": "、".join(dead)} if dead else _("No worker has been seen"),
            _("Callbacks are kept but not worked on. Start the workers."), reverse("admin:base_work_changelist"), "bad",
        ))  # fmt: skip
    return found


def _todo(text: str, detail: str, link: str, kind: str) -> dict[str, Any]:
    return {"text": text, "detail": detail, "link": link, "kind": kind}


def rows_address(metric: str, day: dt.date, *, by: str = "", key: str = "") -> str:
    """The page with the rows behind a number of one day."""
    asked = {"from": day.isoformat(), "to": (day + dt.timedelta(days=1)).isoformat()}
    return f"{reverse('dashboards:rows', args=[metric])}?{urlencode(asked | ({by: key} if by else {}))}"
