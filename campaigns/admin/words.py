"""States and reasons of broadcasts in words and colours."""

from django.conf import settings
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Broadcast, Delivery, Dispatch
from scrm.base.console import formats

Text = str | Promise
State = Delivery.State
Reason = Delivery.Reason

_BROADCAST_KIND = {"planned": "pri", "running": "pri", "paused": "warn", "done": "ok"}
_DISPATCH_KIND = {
    "sending": "pri", "unknown": "warn", "sent": "warn", "confirmed": "ok", "unconfirmed": "bad", "refused": "bad",
    "unread": "bad",
}  # fmt: skip
_DELIVERY_KIND = {
    "sending": "pri", "waiting": "warn", "sent": "ok", "not_friend": "bad", "over_quota": "warn", "refused": "bad",
    "unconfirmed": "bad", "unknown": "warn",
}  # fmt: skip

# What a reason means and what can be done, for those who plan.
REASONS: dict[str, Text] = {
    Reason.UNKNOWN: gettext_lazy("No row in your data scope has this id; nothing is sent to it."),
    Reason.DUPLICATE: gettext_lazy(
        "Named twice, or the same words go to them within six hours: somebody would get it twice."
    ),
    Reason.DO_NOT_CONTACT: gettext_lazy("“No more broadcasts” is switched on on the customer's page."),
    Reason.LOST: gettext_lazy("No staff member is their friend any more: WeCom can't deliver."),
    Reason.DISMISSED: gettext_lazy("The group chat no longer exists."),
    Reason.HALF: gettext_lazy("Only one side has added the other: WeCom doesn't deliver until both have."),
    Reason.NO_STAFF: gettext_lazy(
        "Their staff member or the chat's owner has left, is disabled or may not serve customers. Hand over first."
    ),
    Reason.RECEIVE_RULE: gettext_lazy("They have received as many broadcasts as WeCom's rule in force allows."),
    Reason.CAP: gettext_lazy("Our own limit of broadcasts in seven days (setting SEND_CAP_PER_WEEK)."),
    Reason.QUIET_HOURS: gettext_lazy("The tasks would be created in quiet hours (setting QUIET_HOURS)."),
    Reason.STAFF_LEFT: gettext_lazy("After planning the staff member left or lost the right to send."),
    Reason.NOT_TAKEN: gettext_lazy("WeCom left them out of the task, mostly no friend in WeCom's own books."),
    Reason.REFUSED: gettext_lazy("The error stands in the table of staff."),
    Reason.TOO_LATE: gettext_lazy("The task could not be created before the deadline (brake, pause or quiet hours)."),
    Reason.BY_USER: gettext_lazy("A colleague cancelled the broadcast."),
}
_STATES: dict[str, Text] = {
    State.PLANNED: gettext_lazy("The task is not created yet."),
    State.SENDING: gettext_lazy("The task is being created."),
    State.WAITING: gettext_lazy("Sent when the staff member confirms; results follow within a minute or so."),
    State.SENT: gettext_lazy("WeCom reports success."),
    State.NOT_FRIEND: gettext_lazy("They had deleted the staff member; the friendship is booked as ended."),
    State.OVER_QUOTA: gettext_lazy("WeCom refused: they have received enough. Can't be sent again in this period."),
    State.UNCONFIRMED: gettext_lazy("The staff member did not confirm before the deadline; the task was taken back."),
    State.UNKNOWN: gettext_lazy(
        "WeCom's answer was lost, and the task is looked up before anything is sent again; or WeCom refuses to tell the"
        " result."
    ),
}
RULES: dict[str, Text] = {
    "month_total": gettext_lazy("as many a month as the month has days"),
    "week_7": gettext_lazy("7 from Monday to Sunday"),
    "day_1": gettext_lazy("1 a day"),
}


def state_tag(broadcast: Broadcast) -> SafeString:
    return formats.tag(broadcast.get_state_display(), _BROADCAST_KIND.get(broadcast.state, ""))


def dispatch_tag(dispatch: Dispatch) -> SafeString:
    return formats.tag(dispatch.get_state_display(), _DISPATCH_KIND.get(dispatch.state, ""))


def progress_word(progress: str) -> str:
    """The state of a delivery; what is sent is delivered: WeCom tells no more."""
    return _("delivered") if progress == State.SENT else str(State(progress).label)


def progress_tag(progress: str) -> SafeString:
    return formats.tag(progress_word(progress), _DELIVERY_KIND.get(progress, ""))


def explain(progress: str, reason: str) -> Text:
    """Why a delivery stands as it does, in a sentence; "" when there is nothing to say."""
    return REASONS.get(reason) or _STATES.get(progress) or ""


def rule_sentence() -> str:
    """WeCom's receive rule that is reckoned with."""
    return _("WeCom's receive rule in force here: %(rule)s for each customer and each chat (RECEIVE_RULE=%(name)s).") % {
        "rule": RULES[settings.RECEIVE_RULE], "name": settings.RECEIVE_RULE,
    }  # fmt: skip
