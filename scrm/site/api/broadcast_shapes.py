"""How broadcasts and their deliveries are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from campaigns import figures
from campaigns.figures import Figures
from campaigns.models import Broadcast, Delivery
from campaigns.sending.plan import Plan, forecast
from scrm.base.models import User
from scrm.site.api.shapes import TextOrNull

STATES = Broadcast.State.values  # named in the settings, too: how the description calls them
TO = {Broadcast.To.CUSTOMERS: "customers", Broadcast.To.CHATS: "group_chats"}


@dataclass(frozen=True)
class BroadcastRow:
    """A broadcast with its numbers; `plan` only where one is shown alone."""

    broadcast: Broadcast
    figures: Figures
    plan: Plan | None = None


class Count(serializers.IntegerField):
    """A number of metrics.md."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def bind(self, field_name: str, parent: Any) -> None:
        self.source = f"figures.{field_name}"
        super().bind(field_name, parent)


class Rate(serializers.FloatField):
    """A rate of metrics.md: null without a base."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def bind(self, field_name: str, parent: Any) -> None:
        self.source = f"figures.{field_name}"
        super().bind(field_name, parent)


class Reasons(serializers.DictField):
    """{reason: how many}."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.IntegerField(), **options)


class ContentShape(serializers.Serializer[Broadcast]):
    text = serializers.CharField()
    attachments = serializers.ListField(child=serializers.DictField(), help_text="The platform's objects.")


class BroadcastShape(serializers.Serializer[BroadcastRow]):
    """Numbers are those of the staff within one's scope."""

    id = serializers.IntegerField(source="broadcast.pk")
    name = serializers.CharField(source="broadcast.name")
    to = serializers.SerializerMethodField(help_text="`customers` or `group_chats`.")
    content = ContentShape(source="broadcast")
    state = serializers.ChoiceField(source="broadcast.state", choices=STATES)
    stop_reason = TextOrNull(source="broadcast.stop_reason", help_text="Why it paused by itself.")
    created_by = serializers.CharField(source="broadcast.created_by.username")
    created_at = serializers.DateTimeField(source="broadcast.created_at")
    approved_by = serializers.CharField(source="broadcast.approved_by.username", allow_null=True)
    approved_at = serializers.DateTimeField(source="broadcast.approved_at", allow_null=True)
    create_at = serializers.DateTimeField(source="broadcast.create_at", help_text="Tasks are created from then on.")
    confirm_by = serializers.DateTimeField(source="broadcast.confirm_by")
    finished_at = serializers.DateTimeField(source="broadcast.finished_at", allow_null=True)
    excluded = Reasons(
        source="figures.excluded",
        help_text="Whom nothing is sent to, by reason; of colleagues' broadcasts only those found unfit after planning.",
    )
    deliveries_planned = Count(help_text="Recipients that were not excluded.")
    deliveries_sent = Count()
    deliveries_not_friend = Count()
    deliveries_over_quota = Count()
    deliveries_refused = Count()
    deliveries_unconfirmed = Count(help_text="Their staff member had not confirmed by `confirm_by`.")
    deliveries_cancelled = Count()
    deliveries_unknown = Count(help_text="The answer was lost; looked up.")
    deliveries_open = Count(help_text="Without a result so far; with the seven above it adds up to those planned.")
    delivery_rate = Rate(help_text="Sent ÷ planned.")
    group_reach = Count(help_text="People reached: members of the chats at delivery; a customer counts 1.")
    tasks = Count(help_text="Tasks of staff, those not created yet included.")
    tasks_created = Count()
    tasks_confirmed = Count()
    confirm_rate = Rate(help_text="Tasks confirmed ÷ created.")
    on_time_rate = Rate(help_text="Tasks confirmed by `confirm_by` ÷ created.")
    confirmations_per_staff = Rate(help_text="Tasks created per staff member and day, the mean.")

    def get_to(self, row: BroadcastRow) -> str:
        return TO[Broadcast.To(row.broadcast.to)]


class PlanShape(serializers.Serializer[Plan]):
    """Of a draft a forecast, made anew each time; frozen by approving."""

    planned = serializers.IntegerField()
    excluded = Reasons()
    dispatches = serializers.IntegerField(help_text="Tasks to be created.")
    taps = serializers.DictField(child=serializers.IntegerField(), help_text="{userid: tasks to confirm}.")


class OneBroadcastShape(BroadcastShape):
    plan = PlanShape()


class RemindedShape(serializers.Serializer[Any]):
    reminded = serializers.IntegerField(help_text="Tasks whose staff member is reminded now.")
    too_often = serializers.IntegerField(help_text="Tasks that had their three reminders of 24 hours.")
    not_waiting = serializers.IntegerField(help_text="Tasks that need none.")


class DeliveryShape(serializers.Serializer[Delivery]):
    external_userid = serializers.CharField(source="customer.external_userid", allow_null=True)
    chat_id = serializers.CharField(source="chat.chat_id", allow_null=True)
    userid = serializers.CharField(source="staff.userid", allow_null=True, help_text="Who sends.")
    state = serializers.ChoiceField(source="progress", choices=Delivery.State.values)
    reason = TextOrNull(help_text="Why nothing is sent.")
    msgid = TextOrNull(source="dispatch.msgid", help_text="The platform's, once the task is created.")
    sent_at = serializers.DateTimeField(allow_null=True)


def broadcast_rows(page: Sequence[Broadcast], user: User) -> list[BroadcastRow]:
    known = figures.of(page, user)
    return [BroadcastRow(broadcast, known[broadcast.pk]) for broadcast in page]


def one_row(broadcast: Broadcast, user: User) -> BroadcastRow:
    """With its plan: the forecast of a draft, what is frozen of others."""
    is_draft = broadcast.state == Broadcast.State.DRAFT
    foreseen = forecast(broadcast) if is_draft else figures.plan_of(broadcast, user)
    return BroadcastRow(broadcast, figures.of([broadcast], user)[broadcast.pk], foreseen)
