"""The metrics: rows of metrics.md, each declared once. Definitions shown to people stand here and nowhere else."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from analytics.populations import Count, Population, chat_facts, deliveries, facts, friends, present, sends, tasks
from campaigns.models import Welcome

By = Literal["day", "channel", "group_chat", "staff"]
Part = Literal["value", "numerator", "denominator"]
KINDS: Final = {"S": _("sum"), "D": _("distinct persons"), "R": _("ratio"), "P": _("percentile")}

PEOPLE: Final[frozenset[By]] = frozenset({"day", "channel", "staff"})
CHATS: Final[frozenset[By]] = frozenset({"day", "channel", "group_chat", "staff"})
TASKS: Final[frozenset[By]] = frozenset({"day", "staff"})
_NOT_REFUSED: Final = [outcome for outcome in Welcome.Outcome.values if outcome != Welcome.Outcome.REFUSED]


@dataclass(frozen=True)
class Metric:
    """One number. `kind`: S sums over days and parts, D counts distinct persons, R is numerator ÷ denominator, P a
    percentile; an R with a unit is a mean per head. `numerator` of an S or D metric is what it counts; a denominator is the sum of its counts.

    `window`: how long a cohort is watched; its days count from when their window has ended.
    `good`: whether more is better (1), worse (-1) or neither (0), for the colour of a change.
    """

    name: str
    title: str | Promise
    definition: str | Promise
    kind: Literal["S", "D", "R", "P"]
    numerator: tuple[Count, ...]
    denominator: tuple[Count, ...] = ()
    by: frozenset[By] = PEOPLE
    window: dt.timedelta | None = None
    unit: str | Promise = ""
    good: int = 1
    source: str = "own"

    @property
    def is_rate(self) -> bool:
        return self.kind == "R"

    def part(self, part: Part) -> tuple[Count, ...]:
        """What a part counts; the value of a rate has the rows of its numerator, a percentile those it is taken of."""
        if part == "denominator":
            return self.denominator
        return self.denominator if self.kind == "P" and part == "value" else self.numerator


def _rows(population: Population) -> tuple[Count, ...]:
    return (Count(population),)


def _persons(population: Population) -> tuple[Count, ...]:
    return (Count(population, distinct=True),)


_TIMES: Final = _("times")
_PEOPLE: Final = _("people")
_JOINS: Final = chat_facts("joins")
_SENT: Final = facts("welcomes", "sent")


def _retention(days: int) -> Metric:
    return Metric(
        f"retention_d{days}",
        format_lazy(_("Retention, day {days}"), days=days),
        _("Of the persons who joined a chat, those in it so many days later; only days whose window has ended."),
        "R",
        _persons(Population("kept", details=("kept",))),
        _persons(Population("kept")),
        by=CHATS,
        window=dt.timedelta(days=days),
    )


_BY_PLAN: Final = _("By the day for which the broadcast was planned.")


def _not_sent(state: str, title: str | Promise, definition: str | Promise, good: int = -1) -> Metric:
    """A reason for which a planned delivery was not sent."""
    return Metric(
        f"deliveries_{state}", title, format_lazy("{} {}", definition, _BY_PLAN), "S", _rows(deliveries(state)),
        by=CHATS, unit=_TIMES, good=good,
    )  # fmt: skip


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(
            "adds", _("Adds"), _("Friendships begun; hand-overs are no adds, half adds count once."), "S",
            _rows(facts("adds")), unit=_TIMES,
        ),
        Metric(
            "new_customers", _("New customers"), _("Persons whose first friendship ever begins; each person once."), "D",
            _persons(facts("new_customers")), unit=_PEOPLE,
        ),
        Metric(
            "readds", _("Returns"), _("Friendships begun by a person who had ended one, or been removed, before."), "S",
            _rows(facts("readds")), unit=_TIMES,
        ),
        Metric(
            "losses", _("Losses"),
            _("Friendships ended by the customer or the staff member; hand-overs and leaving staff are no losses."), "S",
            _rows(facts("losses")), unit=_TIMES, good=-1,
        ),
        Metric(
            "lost_customers", _("Lost customers"), _("Persons whose last open friendship ends by customer or staff."), "D",
            _persons(facts("lost_customers")), unit=_PEOPLE, good=-1,
        ),
        Metric(
            "customers", _("Customers now"),
            _("Persons with an open friendship at the end; WeCom's own list still holds those who deleted us."), "D",
            _persons(friends()), unit=_PEOPLE,
        ),
        Metric(
            "follows", _("Friendships"), _("Open friendships at the end, which fill the company's quota."), "S",
            _rows(friends()), unit=_TIMES,
        ),
        Metric(
            "welcomes_due", _("Welcomes due"), _("Callbacks that carried a welcome code."), "S",
            _rows(facts("welcomes")), unit=_TIMES,
        ),
        Metric(
            "welcomes_sent", _("Welcomes sent"), _("Welcomes that WeCom accepted."), "S", _rows(_SENT), unit=_TIMES,
        ),
        Metric(
            "welcome_rate", _("Welcome success"),
            _("Welcomes sent ÷ welcomes due without those refused because staff already spoke."), "R",
            _rows(_SENT), _rows(facts("welcomes", *_NOT_REFUSED)),
        ),
        Metric(
            "welcome_coverage", _("Welcome coverage"),
            _("Welcomes due ÷ adds; low where a native welcome is switched on in WeCom."), "R",
            _rows(facts("welcomes")), _rows(facts("adds")),
        ),
        Metric(
            "welcome_p99", _("Welcome time"),
            _("99 of 100 accepted welcomes took at most this long from the add, in milliseconds."), "P",
            (), _rows(_SENT), unit="ms", good=-1,
        ),
        Metric(
            "add_to_join_rate", _("Join rate"),
            _("Of the new customers who were in no chat when added, those who joined one within 48 hours; only days whose"
              " window has ended."), "R",
            _persons(Population("may_join", details=("joined",))), _persons(Population("may_join")), window=dt.timedelta(hours=48),
        ),
        Metric(
            "joins", _("Joins"), _("Stays begun; who was there when the chat was first read has not joined."), "S",
            _rows(_JOINS), by=CHATS, unit=_TIMES,
        ),
        Metric(
            "joiners", _("Persons joining"), _("Distinct persons among the joins; parts may repeat a person."), "D",
            _persons(_JOINS), by=CHATS, unit=_PEOPLE,
        ),
        Metric(
            "leaves", _("Leaves"),
            _("Stays ended by quitting or in an unknown way; removals and dismissed chats are no leaves."), "S",
            _rows(chat_facts("leaves")), by=CHATS, unit=_TIMES, good=-1,
        ),
        Metric(
            "removals", _("Removals"), _("Stays ended by a removal."), "S",
            _rows(chat_facts("removals")), by=CHATS, unit=_TIMES, good=0,
        ),
        Metric(
            "leave_rate", _("Leave rate"), _("Leaves ÷ (persons present at the start + persons joining)."), "R",
            _rows(chat_facts("leaves")), (*_persons(present("start")), *_persons(_JOINS)), by=CHATS, good=-1,
        ),
        Metric(
            "leave_rate_snapshot", _("Leave rate (of the end)"),
            _("Leaves ÷ members at the end: the formula that many use."), "R",
            _rows(chat_facts("leaves")), _persons(present("end")), by=CHATS, good=-1,
        ),
        Metric(
            "members", _("Chat members"), _("External persons in chats at the end; each person once."), "D",
            _persons(present("end")), by=CHATS, unit=_PEOPLE,
        ),
        *(_retention(days) for days in (1, 3, 7, 30)),
        Metric(
            "deliveries_planned", _("Planned deliveries"),
            _("Recipients of approved broadcasts who were not excluded, by the day for which the broadcast was planned,"
              " the staff member who was to send and the customer's first channel."), "S",
            _rows(deliveries()), by=CHATS, unit=_TIMES, good=0,
        ),
        Metric(
            "deliveries_sent", _("Sent deliveries"),
            _("Recipients whom WeCom says it reached, by the day on which they were reached: a broadcast confirmed after"
              " midnight counts on the next day."), "S",
            _rows(sends()), by=CHATS, unit=_TIMES,
        ),
        _not_sent("not_friend", _("Not a friend any more"), _("Deliveries that WeCom did not make, the customer being no"
                  " friend any more.")),
        _not_sent("over_quota", _("Received enough"), _("Deliveries that WeCom did not make, the customer or chat having"
                  " received as many as WeCom allows.")),
        _not_sent("refused", _("Refused deliveries"), _("Deliveries that WeCom did not take, singly or with the whole"
                  " task.")),
        _not_sent("unconfirmed", _("Unconfirmed deliveries"), _("Deliveries whose task the staff member did not confirm"
                  " in time.")),
        _not_sent("cancelled", _("Cancelled deliveries"), _("Deliveries taken back before they were sent, or whose task"
                  " could not be created in time."), 0),
        _not_sent("unknown", _("Unresolved deliveries"), _("Deliveries whose task got no answer and is being looked"
                  " up, or whose result WeCom refuses to tell.")),
        Metric(
            "delivery_rate", _("Delivery rate"),
            _("Of the deliveries planned for these days, those sent, whenever that was; what still waits counts as not"
              " sent."), "R",
            _rows(deliveries("sent")), _rows(deliveries()), by=CHATS,
        ),
        Metric(
            "confirm_rate", _("Confirmation rate"),
            _("Of the staff tasks created on these days, those confirmed; what still waits counts as not confirmed."), "R",
            _rows(tasks("on_time", "late")), _rows(tasks()), by=TASKS,
        ),
        Metric(
            "on_time_rate", _("On-time rate"),
            _("Of the staff tasks created on these days, those confirmed by their deadline."), "R",
            _rows(tasks("on_time")), _rows(tasks()), by=TASKS,
        ),
        Metric(
            "confirmations_per_staff", _("Confirmations per head"),
            _("Staff tasks created ÷ days on which a staff member got any, counted for each staff member."), "R",
            _rows(tasks()), _rows(Population("staff_days")), by=TASKS, unit=_("times a day"), good=-1,
        ),
        Metric(
            "group_reach", _("People reached"),
            _("People in the chats reached, external members when the message came; a customer counts 1. By the day on"
              " which they were reached; who is in two chats counts twice."), "S",
            (Count(sends(), summed=True),), by=CHATS, unit=_TIMES,
        ),
        Metric(
            "loss_after", _("Losses after a message"),
            _("Friendships ended by the customer within 48 hours after a broadcast from that staff member ÷ customers"
              " reached; only days whose window has ended. Each loss counts once, with the last message before it."), "R",
            _rows(Population("lost_after")), _rows(sends("customers")), window=dt.timedelta(hours=48), good=-1,
        ),
        Metric(
            "loss_after_expected", _("Losses in 48 hours at other times"),
            _("Friendships ended by the customer ÷ friendships × 48-hour spans of the days: what losses after a message"
              " are to be compared with. Messages of these days are not taken out."), "R",
            _rows(facts("losses", "customer")), (Count(Population("friend_windows"), summed=True),),
            by=frozenset({"channel", "staff"}), window=dt.timedelta(hours=48), good=-1,
        ),
        Metric(
            "leave_after", _("Leaves after a message"),
            _("Stays ended by quitting within 24 hours after a broadcast to the chat ÷ members at delivery; only days whose"
              " window has ended. Each leave counts once, with the last message before it."), "R",
            _rows(Population("left_after")), (Count(sends("chats"), summed=True),),
            by=frozenset({"day", "group_chat", "staff"}), window=dt.timedelta(hours=24), good=-1,
        ),
        Metric(
            "leave_after_expected", _("Leaves in 24 hours at other times"),
            _("Leaves ÷ members × days of the interval: what leaves after a message are to be compared with. Messages of"
              " these days are not taken out."), "R",
            _rows(chat_facts("leaves")), (Count(Population("stay_windows"), summed=True),),
            by=frozenset({"group_chat", "staff"}), window=dt.timedelta(hours=24), good=-1,
        ),
    )
}  # fmt: skip


def dictionary() -> list[dict[str, Any]]:
    """Every metric with its definition, in the reader's language."""
    return [
        {
            "name": metric.name,
            "title": str(metric.title),
            "definition": str(metric.definition),
            "kind": metric.kind,
            "kind_title": str(KINDS[metric.kind]),
            "source": metric.source,
            "unit": str(metric.unit),
            "by": [name for name in ("day", "channel", "group_chat", "staff") if name in metric.by],
            "window_hours": int(metric.window.total_seconds() // 3600) if metric.window else None,
        }
        for metric in METRICS.values()
    ]
