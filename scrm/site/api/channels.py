"""`channels/`: where customers come from."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Channel, Follow
from contacts.querysets import ChannelQuerySet
from scrm.base import audit
from scrm.base.models import User
from scrm.site.api import examples
from scrm.site.api.views import ListView, Strict

STATE_LENGTH = 30  # wecom-api.md §7.1: what a contact way's state may have


@dataclass(frozen=True)
class ChannelRow:
    channel: Channel
    adds: int


class ChannelFullShape(serializers.Serializer[ChannelRow]):
    state = serializers.CharField(source="channel.state")
    name = serializers.CharField(source="channel.name")
    adds = serializers.IntegerField(help_text="Friendships begun through it so far, as far as you see them.")
    created_at = serializers.DateTimeField(source="channel.created_at")


class NewChannel(Strict):
    name = serializers.CharField(max_length=60)
    state = serializers.RegexField(
        r"^[^\s\x00-\x1f]+$", required=False, max_length=STATE_LENGTH,
        help_text="What the code carries; made up when absent. Never changes.",
    )  # fmt: skip


@extend_schema(tags=["channels"])
class Channels(ListView[Channel]):
    serializer_class = ChannelFullShape
    rights = {"POST": "contacts.add_channel"}

    def rows(self) -> ChannelQuerySet:
        return Channel.objects.visible_to(self.user)

    def prepare(self, page: list[Channel]) -> Sequence[ChannelRow]:
        return channel_rows(page, self.user)

    @extend_schema(summary="List of channels", responses=ChannelFullShape(many=True), examples=[examples.CHANNEL])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Make a channel", request=NewChannel, responses={201: ChannelFullShape},
        examples=[examples.NEW_CHANNEL, examples.CHANNEL],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = NewChannel(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            channel = create(name=body.validated_data["name"], state=body.validated_data.get("state"))
            audit.record("channel.create", user=self.user, subject=channel.state, request=request, name=channel.name)
        return Response(ChannelFullShape(channel_rows([channel], self.user)[0]).data, status=status.HTTP_201_CREATED)


def create(*, name: str, state: str | None) -> Channel:
    """A new channel. Raises ValidationError where another one has the state."""
    try:
        with transaction.atomic():
            return Channel.objects.create(name=name, state=state or f"c{secrets.token_hex(6)}")
    except IntegrityError as error:
        raise ValidationError({"state": [_("Another channel has this state.")]}, code="unique") from error


def channel_rows(page: Sequence[Channel], user: User) -> list[ChannelRow]:
    """With their adds (metrics.md `adds`) since the beginning, in one query."""
    periods = Follow.objects.visible_to(user).adds().filter(state__in=[channel.state for channel in page])
    adds = dict(periods.values_list("state").annotate(Count("pk")).order_by())
    return [ChannelRow(channel, adds.get(channel.state, 0)) for channel in page]
