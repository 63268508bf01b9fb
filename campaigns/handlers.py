"""The welcome lane: its own workers, no API reads before the greeting but the bounded one for a name."""

import hashlib

from campaigns import welcoming
from campaigns.models import Welcome, WelcomeRule
from campaigns.welcoming import PAUSE_SECONDS, WINDOW, Result
from contacts.models import Staff
from contacts.renaming import mergings, renamings
from scrm.base.failpoints import failpoint
from scrm.base.work import Claim, lane
from scrm.wecom.callback.events import Event
from scrm.wecom.callback.reading import incoming_of
from scrm.wecom.callback.routes import route

WELCOME = "welcome"
Outcome = Welcome.Outcome


def connect() -> None:
    """Says which events this lane takes: whatever brings a welcome code."""
    kinds = {"add_external_contact", "add_half_external_contact", "msg_audit_approved"}
    route("change_external_contact", change_types=kinds, lane=WELCOME, entity=_entity)
    renamings.append(_rename_staff)
    mergings.append(_merge_staff)


def _entity(event: Event) -> str:
    code = event.welcome_code
    if not code:
        return ""
    return f"code:{code}" if len(code) <= 120 else f"code:{hashlib.sha256(code.encode()).hexdigest()}"


def _rename_staff(old: str, new: str) -> None:
    Welcome.objects.filter(userid=old).update(userid=new)


def _merge_staff(double: Staff, into: Staff) -> None:
    """The rules for the row that stays go on; those for the other are its own only where nothing is double."""
    for rule in WelcomeRule.objects.filter(staff=double):
        taken = WelcomeRule.objects.filter(staff=into, channel=rule.channel, active=True).exists()
        WelcomeRule.objects.filter(pk=rule.pk).update(staff=into, active=rule.active and not taken)


# A killed worker's code is taken over within 3 s, well within its window. A burst of 100 adds a second keeps 20 threads
# waiting for a platform that takes 200 ms; as many again are for what the database takes while others are at work.
@lane(WELCOME, queue="welcome", threads=40, lease=2.4, poll=0.25, back_off=(0.5, 1.0, 2.0, 2.0, 4.0))
def greet(claim: Claim) -> None:
    """One welcome code: sent once, within 18 s of first receipt, or the reason why not."""
    first = incoming_of(claim)[0]
    asked = welcoming.asked_by(first.callback, first.event)
    known = welcoming.look_up(asked)
    message = welcoming.compose(asked, known) if known.now - asked.received_at <= WINDOW else None
    with claim.writing():  # in one commit: that there is a code, and that it is about to be used
        welcome = welcoming.open_welcome(asked)
        if welcome.outcome != Outcome.SENDING:
            return
        first_receipt = min(asked.received_at, welcome.received_at)  # another callback may have brought the code
        late = known.now - first_receipt > WINDOW
        if message and not late:
            welcoming.begin_try(welcome, message)
    if late:
        _close(claim, welcome)
        return
    if message is None:
        _finish(claim, welcome, Result(Outcome.NO_RULE))
        return
    failpoint("welcome.written")
    result = welcoming.send(welcome, message)
    failpoint("welcome.sent")
    _finish(claim, welcome, result)


def _finish(claim: Claim, welcome: Welcome, result: Result) -> None:
    with claim.writing():
        welcoming.record(welcome, result)
        if result.outcome is None:
            claim.again(PAUSE_SECONDS, reason=result.reason)
        else:
            claim.done()
    failpoint("welcome.recorded")
    welcoming.tell(welcome, result)


def _close(claim: Claim, welcome: Welcome) -> None:
    with claim.writing():
        welcoming.close_window(welcome)
        claim.done()
    welcoming.tell(welcome, Result(Outcome.EXPIRED))
