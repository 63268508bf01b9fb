"""Greeting a newly added customer: choosing the rule, composing, sending once, recording what became of it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.models import Welcome, WelcomeRule
from contacts import people
from scrm.base.dbclock import db_now
from scrm.base.logs import story
from scrm.wecom import errors
from scrm.wecom.api import contacts as contacts_api
from scrm.wecom.api import staff as staff_api
from scrm.wecom.api import welcome as api
from scrm.wecom.brake import SendingStopped
from scrm.wecom.callback.events import Event
from scrm.wecom.models import Callback

WINDOW = dt.timedelta(seconds=18)  # codes live 20 s (wecom-api.md §8.1); counted from first receipt
NAME_SECONDS = 1.5  # platform.md 26: one bounded read, then the text without the name
SEND_SECONDS = 3.5
PAUSE_SECONDS = 1.0  # between tries within the window

Outcome = Welcome.Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a greeting begins. `now`: by the database. `was_friend`: before, of anybody. Names: "" if unknown."""

    now: dt.datetime
    staff: str
    customer: str
    was_friend: bool
    rule: WelcomeRule | None


@dataclass(frozen=True)
class Message:
    """What is to be sent, and by which rule."""

    rule: WelcomeRule
    text: str
    attachments: list[dict[str, object]]


# One round trip, and a tenth of the time that it takes to put these questions together one by one: a hundred customers
# may be added in a second. No newcomer's text for those who were friends before (platform.md 26).
_KNOWN = """
SELECT clock_timestamp(),
       coalesce((SELECT name FROM contacts_staff WHERE userid = %(userid)s), ''),
       coalesce((SELECT name FROM contacts_customer WHERE external_userid = %(external_userid)s), ''),
       EXISTS (SELECT FROM contacts_follow f JOIN contacts_customer c ON c.id = f.customer_id
               WHERE c.external_userid = %(external_userid)s AND f.ended_at <= %(happened_at)s)
"""

# One round trip for the row, whether it was there before or not.
_OPEN = """
INSERT INTO campaigns_welcome (code, callback_id, userid, external_userid, state, rule_name, text, outcome, reason,
                               attempts, maybe_sent, happened_at, received_at)
VALUES (%(code)s, %(callback_id)s, %(userid)s, %(external_userid)s, %(state)s, '', '', 'sending', '',
        0, false, %(happened_at)s, %(received_at)s)
ON CONFLICT (code) DO UPDATE SET code = excluded.code
RETURNING *
"""


def asked_by(callback: Callback, event: Event) -> Welcome:
    """What a callback asks for; not a row yet."""
    return Welcome(
        code=callback.welcome_code,
        callback_id=callback.pk,
        userid=event.text("UserID")[:64],
        external_userid=event.text("ExternalUserID")[:64],
        state=event.text("State")[:128],
        happened_at=callback.happened_at or callback.received_domain_at,
        received_at=callback.received_at,
    )


def open_welcome(asked: Welcome) -> Welcome:
    """The row of the code, made when the code is met first. Several callbacks may bring one code."""
    columns = ("code", "callback_id", "userid", "external_userid", "state", "happened_at", "received_at")
    welcome: Welcome = Welcome.objects.raw(_OPEN, {name: getattr(asked, name) for name in columns})[0]
    return welcome


def look_up(asked: Welcome) -> Known:
    """What a greeting needs to know of its rule and of those whom it is about."""
    columns = ("userid", "external_userid", "happened_at")
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {name: getattr(asked, name) for name in columns})
        ((now, staff, customer, was_friend),) = cursor.fetchall()
    return Known(now, staff, customer, was_friend, WelcomeRule.objects.best_for(state=asked.state, userid=asked.userid))


def compose(welcome: Welcome, known: Known) -> Message | None:
    """The message of the most exact rule, None without any. May read a name that is not known, for at most NAME_SECONDS."""
    rule = known.rule
    if rule is None:
        return None
    text = rule.returning_text if rule.returning_text and known.was_friend else rule.text
    if "{customer}" in text:
        name = known.customer or _read_customer_name(welcome.external_userid)
        text = text.replace("{customer}", name) if name else rule.nameless_text
    if "{staff}" in text:
        text = text.replace("{staff}", known.staff or _read_staff_name(welcome.userid))
    attachments = [attachment.to_wecom() for attachment in rule.attachments.all()] if rule.has_attachments else []
    return Message(rule, text, attachments)


def send(welcome: Welcome, message: Message) -> "Result":
    """One try. Never raises for what the platform answers."""
    try:
        api.send(
            welcome.code,
            message.text,
            message.attachments,
            external_userid=welcome.external_userid,
            timeout=SEND_SECONDS,
        )
    except SendingStopped as stopped:
        return Result(Outcome.STOPPED, reason=_("The brake was on (%(held_by)s).") % {"held_by": stopped.held_by})
    except errors.Unreachable as error:
        return Result(None, reason=str(error), maybe_sent=error.maybe_done)
    except (errors.WecomError, errors.ConfigurationError) as error:
        return _refused(welcome, error)
    return Result(Outcome.SENT)


@dataclass(frozen=True)
class Result:
    """What a try brought; outcome None: to be tried again while the window is open."""

    outcome: Welcome.Outcome | None
    reason: str = ""
    errcode: int | None = None
    maybe_sent: bool = False


def _refused(welcome: Welcome, error: errors.WecomError | errors.ConfigurationError) -> Result:
    if error.code == errors.ALREADY_WELCOMED:
        if welcome.maybe_sent:  # an earlier try of ours got no answer: this says that it arrived
            return Result(Outcome.SENT, reason=_("An earlier try had arrived."), errcode=error.code)
        return Result(Outcome.REFUSED, reason=str(error), errcode=error.code)
    if error.code == errors.WELCOME_EXPIRED:
        return Result(Outcome.EXPIRED, reason=str(error), errcode=error.code)
    if error.code == errors.ARCHIVE_CONSENT_MISSING:  # the consent brings a code of its own (msg_audit_approved)
        return Result(Outcome.FAILED, reason=str(error), errcode=error.code)
    if error.temporary or error.code == errors.WELCOME_ELSEWHERE:
        return Result(None, reason=str(error), errcode=error.code)
    return Result(Outcome.FAILED, reason=str(error), errcode=error.code)


_BEGIN = """
UPDATE campaigns_welcome SET rule_id = %(rule)s, rule_name = %(name)s, text = %(text)s, attempts = attempts + 1,
       maybe_sent = true, changed_at = statement_timestamp()
WHERE id = %(id)s
"""


def begin_try(welcome: Welcome, message: Message) -> None:
    """Writes that a try is about to be made: whatever happens now, the row says so."""
    rule = message.rule
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"id": welcome.pk, "rule": rule.pk, "name": rule.name, "text": message.text})


# Latency: CreateTime → accepted. The way to us runs in domain time, the rest in real time (architecture.md).
_RECORD = """
UPDATE campaigns_welcome w
SET outcome = %(outcome)s, reason = %(reason)s, errcode = %(errcode)s, maybe_sent = %(maybe_sent)s,
    changed_at = statement_timestamp(),
    accepted_at = CASE WHEN %(sent)s THEN statement_timestamp() ELSE accepted_at END,
    latency_ms = CASE WHEN %(sent)s THEN (
        SELECT 1000 * extract(epoch FROM greatest(interval '0', c.received_domain_at - w.happened_at) / %(speed)s
                                         + greatest(interval '0', statement_timestamp() - w.received_at))
        FROM wecom_callback c WHERE c.id = w.callback_id
    ) ELSE latency_ms END
WHERE id = %(id)s
RETURNING latency_ms
"""


def record(welcome: Welcome, result: Result) -> None:
    """Writes what a try brought, on the row and on `welcome`. A definite refusal takes back that the message may have
    arrived."""
    welcome.outcome = result.outcome or welcome.outcome
    welcome.maybe_sent = welcome.maybe_sent or result.maybe_sent
    given: dict[str, Any] = {
        "id": welcome.pk,
        "outcome": welcome.outcome,
        "reason": result.reason[:300],
        "errcode": result.errcode,
        "maybe_sent": welcome.maybe_sent,
        "sent": result.outcome == Outcome.SENT,
        "speed": settings.CLOCK_SPEED or 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, given)
        (welcome.latency_ms,) = cursor.fetchone() or (None,)


def close_window(welcome: Welcome) -> None:
    """Nothing more can be sent: says why nothing was, or that nobody knows."""
    welcome.outcome = outcome = Outcome.UNKNOWN if welcome.maybe_sent else Outcome.EXPIRED
    reason = welcome.reason or _("Not sent within 18 seconds of the callback.")
    Welcome.objects.filter(pk=welcome.pk, outcome=Outcome.SENDING).update(
        outcome=outcome, reason=reason[:300], changed_at=Now()
    )


_NAMES = """
SELECT (SELECT name FROM contacts_staff WHERE userid = %s), (SELECT name FROM contacts_customer WHERE external_userid = %s)
"""


def tell(welcome: Welcome, result: Result) -> None:
    """A line of the story."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [welcome.userid, welcome.external_userid])
        staff, customer = cursor.fetchone() or (None, None)
    names = {
        "staff": staff or welcome.userid,
        "customer": customer or _("new customer …%s") % welcome.external_userid[-5:],
        "seconds": f"{(welcome.latency_ms or 0) / 1000:.1f}",
        "outcome": welcome.get_outcome_display(),
    }
    if welcome.outcome == Outcome.SENT:
        story.info(_("💬 %(staff)s greeted %(customer)s after %(seconds)s s") % names)
    elif result.outcome is not None:
        story.info(_("⚠ %(customer)s was not greeted: %(outcome)s") % names)


def _read_customer_name(external_userid: str) -> str:
    try:
        return contacts_api.fetch(external_userid, timeout=NAME_SECONDS, urgent=True).name
    except (errors.WecomError, errors.ConfigurationError):
        return ""


def _read_staff_name(userid: str) -> str:
    """The name customers know, of a member whom nobody has read yet; else nothing."""
    try:
        started_at = db_now()
        info = staff_api.fetch_one(userid, timeout=NAME_SECONDS)
    except (errors.WecomError, errors.ConfigurationError):
        return ""
    people.describe_staff([info], started_at=started_at)
    return info.name
