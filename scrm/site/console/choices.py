"""The settings that decide what customers receive, each choice with what follows from it."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True)
class Choice:
    """One decision. `options`: (value, what follows, whether it is the present one), where there are a few; `where`: how
    to find out which is right."""

    name: str
    title: str
    now: str
    follows: str
    options: tuple[tuple[str, str, bool], ...] = ()
    where: str = ""


def choices() -> list[Choice]:
    """In the order in which they matter."""
    return [_receive_rule(), _quiet_hours(), _cap(), _failures(), _patience(), _polling()]


def _receive_rule() -> Choice:
    options = {
        "month_total": _("As many a month as the month has days, several a day are possible. WeCom's own default."),
        "week_7": _("Seven from Monday to Sunday: the company's administrator has tightened it."),
        "day_1": _(
            "One a day: the company's administrator has tightened it. A second broadcast on a day reaches nobody."
        ),
    }
    return Choice(
        "RECEIVE_RULE",
        _("How many broadcasts a customer or a group may receive"),
        options[settings.RECEIVE_RULE],
        _(
            "The planner leaves out whoever has received enough and says so. Set too wide, WeCom refuses at confirmation: results say “has received enough”, and the tap was in vain. Set too tight, customers who could be reached are left out. Broadcasts that staff make by themselves count too, and nobody tells us of them."
        ),
        tuple((value, text, value == settings.RECEIVE_RULE) for value, text in options.items()),
        _("No API tells which rule holds. Look there: 企微后台 > 客户与上下游 > 客户联系 > 群发助手."),
    )


def _quiet_hours() -> Choice:
    off = settings.QUIET_HOURS == "none"
    return Choice(
        "QUIET_HOURS",
        _("When no tasks are created"),
        _("There are none.")
        if off
        else _("%(hours)s, company time") % {"hours": settings.QUIET_HOURS.replace("-", "～")},
        _(
            "A broadcast planned into these hours excludes everybody, with the reason “quiet hours”. They bind only the creation of tasks: a staff member may still confirm an older task at night; only its deadline, after which it is cancelled on the platform, prevents that. Welcomes are not held: who adds somebody at night is awake."
        ),
    )


def _cap() -> Choice:
    cap = settings.SEND_CAP_PER_WEEK
    return Choice(
        "SEND_CAP_PER_WEEK",
        _("Our own limit in any 7 days"),
        ngettext("%(n)d broadcast to each customer or group", "%(n)d broadcasts to each customer or group", cap)
        % {"n": cap}
        if cap
        else _("None: only WeCom's rule holds."),
        _(
            "Beside WeCom's rule. The planner excludes whoever has had that many with “has received as many as we allow”. Fewer messages, fewer people who leave."
        ),
    )


def _failures() -> Choice:
    n = settings.SEND_FAILURES_BEFORE_PAUSE
    return Choice(
        "SEND_FAILURES_BEFORE_PAUSE",
        _("When a broadcast pauses by itself"),
        ngettext("after %(n)d failed task", "after %(n)d failed tasks", n) % {"n": n},
        _(
            "So many tasks refused by WeCom or left without an answer, and no more are created until somebody resumes the broadcast. Tasks that exist stay with the staff. Lower: an error reaches fewer. Higher: one bad account does not stop the rest."
        ),
    )


def _patience() -> Choice:
    delays = "、".join(f"{delay:g}" for delay in settings.SEND_LOOKUP_DELAYS)
    return Choice(
        "SEND_CREATE_SECONDS, SEND_LOOKUP_DELAYS",
        _("What happens when WeCom does not answer"),
        _("after %(seconds)s s without an answer; looked for after %(delays)s s")
        % {"seconds": f"{settings.SEND_CREATE_SECONDS:g}", "delays": delays},
        _(
            "A call without an answer may have made the task. It is never simply repeated: the task is looked for on the platform first, so that nobody gets a message twice. Shorter waits find out sooner and cost more calls."
        ),
    )


def _polling() -> Choice:
    return Choice(
        "SEND_POLL_SECONDS",
        _("How often results are read"),
        _("every %(seconds)s s while something is open") % {"seconds": f"{settings.SEND_POLL_SECONDS:g}"},
        _(
            "WeCom sends no event when somebody confirms; it has to be asked. Results, today's tasks and reminders are as old as this. Shorter costs calls of the budget, one for each open task."
        ),
    )
