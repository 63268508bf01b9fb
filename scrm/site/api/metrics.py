"""`metrics/`, `metrics/dictionary/` and `funnels/`: the numbers of the written definitions."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import funnels
from analytics.metrics import METRICS, dictionary
from analytics.query import Point, measure
from analytics.scope import Filters
from scrm.base.models import ApiToken
from scrm.site.api import examples
from scrm.site.api.intervals import interval, interval_fields
from scrm.site.api.shapes import MOST_ID, TextOrNull
from scrm.site.api.views import ApiView, Query, Strict

BY = ("day", "channel", "group_chat", "staff")
NULL_REASONS = ("no_base", "needs_archive", "before_connection", "immature")
FILTERS = ("channel", "group_chat", "staff", "department")


class PointShape(serializers.Serializer[Point]):
    key = serializers.CharField(help_text="Company day, state, chat id or userid; `total` without `by`.")
    label = serializers.CharField(help_text="The key in words.")  # type: ignore[assignment]
    value = serializers.FloatField(
        allow_null=True, help_text="Counts are whole, rates fractions 0…1, means per head numbers, times milliseconds."
    )
    numerator = serializers.IntegerField(allow_null=True)
    denominator = serializers.IntegerField(allow_null=True)
    null_reason = TextOrNull(help_text=f"Why there is no value: {', '.join(NULL_REASONS)}.")
    estimated = serializers.BooleanField(help_text="Some of the counted happenings have an estimated time.")
    estimated_rows = serializers.IntegerField(help_text="How many.")

    def to_representation(self, instance: Point) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return {**shown, "value": instance.value}  # counts stay integers


class MetricQuery(Query):
    metric = serializers.ChoiceField(choices=sorted(METRICS), help_text="Name as in `metrics/dictionary/`.")
    by = serializers.ChoiceField(
        required=False, choices=BY, help_text="One value for each of these; default one in all."
    )
    channel = serializers.CharField(required=False, max_length=128, help_text="State.")
    group_chat = serializers.CharField(required=False, max_length=MOST_ID, help_text="Chat id.")
    staff = serializers.CharField(required=False, max_length=MOST_ID, help_text="Userid.")
    department = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Department id; its sub-departments are included."
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **interval_fields()}


@extend_schema(
    tags=["metrics"], summary="One metric over an interval", responses=PointShape(many=True), examples=[examples.POINT]
)
class Metrics(ApiView):
    """A plain list, not paged."""

    query_class = MetricQuery
    serializer_class = PointShape

    def get(self, request: Request) -> Response:
        start, end = interval(self.asked)
        name, by = self.asked["metric"], self.asked.get("by")
        _refuse_unanswerable(name, self.asked)
        points = measure(name, start=start, end=end, by=by, filters=filters_of(self.asked), user=self.user)
        return Response(self.get_serializer(points, many=True).data)


def filters_of(asked: dict[str, Any]) -> Filters:
    return Filters(**{name: asked[name] for name in FILTERS if name in asked})


def _refuse_unanswerable(name: str, asked: dict[str, Any]) -> None:
    """Raises ValidationError for a dimension that the metric does not have."""
    has = METRICS[name].by
    if asked.get("by") and asked["by"] not in has:
        raise ValidationError({"by": [_("%(metric)s has no such parts.") % {"metric": name}]})
    if "group_chat" in asked and "group_chat" not in has:
        raise ValidationError({"group_chat": [_("%(metric)s does not know group chats.") % {"metric": name}]})
    if "channel" in asked and "channel" not in has:
        raise ValidationError({"channel": [_("%(metric)s does not know channels.") % {"metric": name}]})


class DefinitionShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    definition = serializers.CharField()
    kind = serializers.CharField(help_text="S sum, D distinct persons, R ratio, P percentile.")
    kind_title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    by = serializers.ListField(child=serializers.CharField(), help_text="What it can be split by.")
    window_hours = serializers.IntegerField(allow_null=True, help_text="How long a cohort is watched.")


@extend_schema(tags=["metrics"], summary="Every metric with its definition", responses=DefinitionShape(many=True))
class Dictionary(ApiView):
    """A plain list, not paged."""

    serializer_class = DefinitionShape

    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(dictionary(), many=True).data)


class StepShape(serializers.Serializer[funnels.Step]):
    key = serializers.CharField(help_text="State or userid of the breakdown; `total` without one.")
    label = serializers.CharField(help_text="The key in words.")  # type: ignore[assignment]
    step = serializers.CharField()
    customers = serializers.IntegerField(help_text="Who took this step and all before.")
    rate = serializers.FloatField(allow_null=True, help_text="Of the first step's customers; null without any.")
    rate_from_previous = serializers.FloatField(allow_null=True)
    base = serializers.IntegerField(help_text="Those of the previous step of whom it can be said already.")
    waiting = serializers.IntegerField(help_text="Those of the previous step whose window is still open.")
    median_seconds = serializers.FloatField(allow_null=True, help_text="From the previous step.")


class FunnelBody(Strict):
    steps = serializers.ListField(
        child=serializers.ChoiceField(choices=list(funnels.STEPS)), min_length=1, max_length=len(funnels.STEPS),
        help_text="Names in this order; single ones may be left out.",
    )  # fmt: skip
    window_days = serializers.IntegerField(required=False, default=7, min_value=1, max_value=365)
    breakdown = serializers.ChoiceField(required=False, allow_null=True, choices=["channel", "staff"])
    channel = serializers.CharField(required=False, max_length=128, help_text="State.")
    staff = serializers.CharField(required=False, max_length=MOST_ID, help_text="Userid.")
    department = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **interval_fields()}

    def validate_steps(self, steps: list[str]) -> list[str]:
        known = list(funnels.STEPS)
        if steps != sorted(set(steps), key=known.index):
            raise serializers.ValidationError(
                _("Steps come once and in this order: %(steps)s.") % {"steps": ", ".join(known)}, code="order"
            )
        return steps


class Funnels(ApiView):
    """A question, not a change: reading is enough."""

    serializer_class = StepShape
    scopes = {"POST": ApiToken.Scope.READ}

    @extend_schema(
        tags=["metrics"], summary="A funnel over the new customers of an interval", request=FunnelBody,
        responses={200: StepShape(many=True)}, examples=[examples.FUNNEL, examples.STEP],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = FunnelBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        start, end = interval(asked)
        breakdown = asked.get("breakdown")
        found = funnels.funnel(
            asked["steps"], start, end, asked["window_days"], breakdown, user=self.user, filters=filters_of(asked)
        )
        return Response(self.get_serializer(found.parts if breakdown else found.whole, many=True).data)
