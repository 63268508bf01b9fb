"""`broadcasts/`: drafts with their forecast, the steps from draft to sent, the numbers, and each delivery."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as FieldError
from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.figures import Figures
from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.querysets import BroadcastQuerySet, DeliveryQuerySet
from campaigns.sending import compose, pace, plan
from campaigns.sending.remind import remind
from scrm.base import audit
from scrm.base.models import User
from scrm.site.api import examples
from scrm.site.api.broadcast_bodies import NewBroadcast
from scrm.site.api.broadcast_shapes import (
    STATES,
    BroadcastRow,
    BroadcastShape,
    DeliveryShape,
    OneBroadcastShape,
    RemindedShape,
    broadcast_rows,
    one_row,
)
from scrm.site.api.errors import Error
from scrm.site.api.pagination import NewestFirst
from scrm.site.api.shapes import MOST_ID
from scrm.site.api.views import ApiView, Conflict, ListView, Query, Strict, found


class BroadcastQuery(Query):
    state = serializers.ChoiceField(required=False, choices=STATES, help_text="How far it is.")


def _seen(user: User) -> BroadcastQuerySet:
    return Broadcast.objects.visible_to(user).select_related("created_by", "approved_by")


@extend_schema(tags=["broadcasts"])
class Broadcasts(ListView[Broadcast]):
    query_class = BroadcastQuery
    serializer_class = BroadcastShape
    rights = {"POST": "campaigns.add_broadcast"}

    def rows(self) -> BroadcastQuerySet:
        return _seen(self.user).defer("audience").filter(**self.asked)  # which may name half a million

    def prepare(self, page: list[Broadcast]) -> Sequence[BroadcastRow]:
        return broadcast_rows(page, self.user)

    @extend_schema(
        summary="List of broadcasts", responses=BroadcastShape(many=True), examples=[examples.BROADCAST]
    )  # fmt: skip
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Draft a broadcast", request=NewBroadcast, responses={201: OneBroadcastShape},
        examples=[examples.NEW_BROADCAST, examples.ONE_BROADCAST],
        description="Answers with the forecast of what approving would do. Nothing is sent before it is approved.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = NewBroadcast(data=request.data)
        body.is_valid(raise_exception=True)
        broadcast = _draft(body.validated_data, self.user)
        foreseen = plan.forecast(broadcast)
        if not foreseen.planned and not foreseen.excluded:
            raise ValidationError({"audience": [_("Nobody is chosen: an empty audience is never sent to.")]})
        with transaction.atomic():
            broadcast.save()
            audit.record("broadcast.create", user=self.user, subject=str(broadcast), request=request,
                         broadcast=broadcast.pk)  # fmt: skip
        row = BroadcastRow(broadcast, Figures(), foreseen)
        return Response(OneBroadcastShape(row).data, status=status.HTTP_201_CREATED)


def _draft(given: dict[str, Any], user: User) -> Broadcast:
    """Raises ValidationError."""
    content = given["content"]
    try:
        return compose.draft(
            user, name=given["name"], audience_=given["audience"], text=content["text"],
            attachments=content["attachments"], create_at=given.get("create_at"),
            confirm_by=given.get("confirm_by"), staff_choice=given["staff_choice"],
        )  # fmt: skip
    except FieldError as error:
        raise _refusal(error) from None


def _refusal(error: FieldError) -> ValidationError:
    """The faults under the names that the body has."""
    faults: dict[str, Any] = error.message_dict
    content: dict[str, Any] = {name: faults.pop(name) for name in ("text", "attachments") if name in faults}
    return ValidationError({**faults, **({"content": content} if content else {})})


@extend_schema(
    tags=["broadcasts"], summary="One broadcast with its plan", responses=OneBroadcastShape,
    examples=[examples.ONE_BROADCAST],
)  # fmt: skip
class OneBroadcast(ApiView):
    serializer_class = OneBroadcastShape

    def get(self, request: Request, pk: int) -> Response:
        return Response(OneBroadcastShape(one_row(found(_seen(self.user), pk=pk), self.user)).data)


class Step(ApiView):
    """A move of a broadcast, for those who may approve and see all of it. Who comes second is told so (409)."""

    serializer_class = OneBroadcastShape
    rights = {"POST": "campaigns.approve_broadcast"}

    def move(self, broadcast: Broadcast) -> Broadcast:
        """A verb of `campaigns.sending.pace`. Raises its NotNow and Django's ValidationError."""
        raise NotImplementedError

    def post(self, request: Request, pk: int) -> Response:
        Strict(data=request.data).is_valid(raise_exception=True)  # there is nothing to say in the body
        broadcast = found(_seen(self.user), pk=pk)
        if not Broadcast.objects.wholly_visible_to(self.user).filter(pk=pk).exists():
            self.permission_denied(request, _("Staff outside your scope take part in this broadcast."))
        try:
            self.move(broadcast)
        except pace.NotNow as refusal:
            raise Conflict(str(refusal)) from None
        except FieldError as error:
            raise _refusal(error) from None
        return Response(OneBroadcastShape(one_row(found(_seen(self.user), pk=pk), self.user)).data)


def _step(summary: str, description: str) -> Any:
    return extend_schema(
        tags=["broadcasts"], summary=summary, description=description, request=None,
        responses={200: OneBroadcastShape, 409: Error},
    )  # fmt: skip


@_step("Approve a draft", "Freezes the audience; tasks are created from `create_at` on. Its maker may approve it, too.")
class Approve(Step):
    def move(self, broadcast: Broadcast) -> Broadcast:
        return pace.approve(broadcast, self.user, self.request)


@_step(
    "Pause", "No more tasks are created. Those created already stay with the staff: only cancelling takes them back."
)
class Pause(Step):
    def move(self, broadcast: Broadcast) -> Broadcast:
        return pace.pause(broadcast, self.user, self.request)


@_step("Go on after a pause", "")
class Resume(Step):
    def move(self, broadcast: Broadcast) -> Broadcast:
        return pace.resume(broadcast, self.user, self.request)


@_step("Cancel", "What is not created never will be; tasks that nobody has confirmed are taken back.")
class Cancel(Step):
    def move(self, broadcast: Broadcast) -> Broadcast:
        return pace.cancel(broadcast, self.user, self.request)


@extend_schema(
    tags=["broadcasts"], summary="Remind staff who have not confirmed", request=None,
    responses={200: RemindedShape, 409: Error},
    description="Those within one's scope; at most three times in 24 hours for each task.",
)  # fmt: skip
class Remind(ApiView):
    serializer_class = RemindedShape
    rights = {"POST": "campaigns.approve_broadcast"}

    def post(self, request: Request, pk: int) -> Response:
        Strict(data=request.data).is_valid(raise_exception=True)
        broadcast = found(_seen(self.user), pk=pk)
        if not broadcast.is_open:
            raise Conflict(_("Nobody waits to be reminded: this broadcast is %(state)s.")
                           % {"state": broadcast.get_state_display()})  # fmt: skip
        dispatches = Dispatch.objects.visible_to(self.user).filter(broadcast=broadcast)
        return Response(RemindedShape(remind(dispatches, self.user, request)).data)


class DeliveryQuery(Query):
    state = serializers.ChoiceField(required=False, choices=Delivery.State.values, help_text="How far it is.")
    reason = serializers.ChoiceField(required=False, choices=Delivery.Reason.values, help_text="Why nothing is sent.")
    userid = serializers.CharField(required=False, max_length=MOST_ID, help_text="Of this staff member.")


@extend_schema(
    tags=["broadcasts"], summary="Recipients and what became of each, newest first",
    responses=DeliveryShape(many=True), examples=[examples.DELIVERY],
)  # fmt: skip
class Deliveries(ListView[Delivery]):
    """None before the broadcast is approved."""

    query_class = DeliveryQuery
    serializer_class = DeliveryShape
    pagination_class = NewestFirst

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.broadcast = found(_seen(self.user), pk=kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def rows(self) -> DeliveryQuerySet:
        partition: Any = self.broadcast.plan_date  # none of a draft: so no rows
        rows = Delivery.objects.filter(broadcast=self.broadcast, plan_date=partition)
        rows = rows.visible_to(self.user).select_related("customer", "chat", "staff", "dispatch")
        rows = rows.in_progress(self.asked["state"]) if "state" in self.asked else rows.with_progress()
        fields = {"reason": "reason", "userid": "staff__userid"}
        return rows.filter(**{field: self.asked[name] for name, field in fields.items() if name in self.asked})
