"""`callbacks/`: the inbox, for administrators; raw events name customers of every department."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from scrm.base import audit, work
from scrm.base.models import ApiToken
from scrm.site.api import examples
from scrm.site.api.moments import MomentField
from scrm.site.api.pagination import NewestFirst
from scrm.site.api.shapes import TextOrNull
from scrm.site.api.views import ApiView, ListView, Query, Strict, found
from scrm.wecom.models import Callback
from scrm.wecom.querysets import STATES, CallbackQuerySet


class CallbackShape(serializers.Serializer[Any]):
    """A callback and how far it is handled."""

    id = serializers.IntegerField()
    received_at = serializers.DateTimeField(help_text="By the database's clock.")
    happened_at = serializers.DateTimeField(allow_null=True, help_text="The event's CreateTime.")
    event = serializers.CharField()
    change_type = serializers.CharField()
    entity = serializers.CharField(help_text="Whom or what it is about, such as `contact:wm…`.")
    repeats = serializers.IntegerField(help_text="How often it came again.")
    state = serializers.ChoiceField(choices=sorted(STATES.values()), help_text="The worst of its lanes.")
    attempts = serializers.IntegerField()
    error = TextOrNull()


class OneCallbackShape(CallbackShape):
    raw = serializers.CharField(help_text="The decrypted text.")


class CallbackQuery(Query):
    state = serializers.ChoiceField(required=False, choices=sorted(STATES.values()), help_text="How far it is handled.")
    event = serializers.CharField(required=False, max_length=40, help_text="The platform's name of the event.")
    change_type = serializers.CharField(required=False, max_length=40, help_text="The platform's ChangeType.")
    entity = serializers.CharField(required=False, max_length=160, help_text="Such as `contact:wm…` or `chat:wr…`.")
    received_after = MomentField(required=False, help_text="Received at this moment or later.")
    received_before = MomentField(required=False, help_text="Received before this moment.")


@extend_schema(
    tags=["callbacks"],
    summary="Callbacks, newest first",
    responses=CallbackShape(many=True),
    examples=[examples.CALLBACK],
)
class Callbacks(ListView[Callback]):
    query_class = CallbackQuery
    serializer_class = CallbackShape
    pagination_class = NewestFirst
    superusers_only = True

    def rows(self) -> CallbackQuerySet:
        fields = {
            "event": "event", "change_type": "change_type", "entity": "entity",
            "received_after": "received_at__gte", "received_before": "received_at__lt",
        }  # fmt: skip
        wanted = {field: self.asked[name] for name, field in fields.items() if name in self.asked}
        callbacks = Callback.objects.visible_to(self.user).filter(**wanted)
        return (callbacks.in_state(self.asked["state"]) if "state" in self.asked else callbacks).with_state()


@extend_schema(tags=["callbacks"], summary="One callback with its text", responses=OneCallbackShape)
class OneCallback(ApiView):
    serializer_class = OneCallbackShape
    superusers_only = True

    def get(self, request: Request, pk: int) -> Response:
        callback = found(Callback.objects.visible_to(self.user).with_state(), pk=pk)
        return Response(OneCallbackShape(callback).data)


@extend_schema(
    tags=["callbacks"], summary="Handle a callback again", request=None, responses=OneCallbackShape,
    description="Opens all settled and failed work of the callback again. Needs a token of scope `admin`.",
)  # fmt: skip
class Replay(ApiView):
    serializer_class = OneCallbackShape
    superusers_only = True
    scopes = {"POST": ApiToken.Scope.ADMIN}

    def post(self, request: Request, pk: int) -> Response:
        Strict(data=request.data).is_valid(raise_exception=True)  # there is nothing to say in the body
        callbacks = Callback.objects.visible_to(self.user).with_state()
        callback = found(callbacks, pk=pk)
        with transaction.atomic():
            opened = work.replay(Callback.WORK_SOURCE, [callback.pk])
            audit.record("callback.replay", user=self.user, subject=str(callback.pk), request=request, opened=opened)
        return Response(OneCallbackShape(found(callbacks, pk=pk)).data)
