"""`welcomes/`: what became of each welcome code. The code itself is never shown."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from campaigns.models import Welcome
from campaigns.querysets import WelcomeQuerySet
from scrm.site.api import examples
from scrm.site.api.moments import MomentField
from scrm.site.api.pagination import NewestFirst
from scrm.site.api.shapes import MOST_ID, TextOrNull
from scrm.site.api.views import ListView, Query


class WelcomeShape(serializers.Serializer[Welcome]):
    id = serializers.IntegerField()
    userid = serializers.CharField()
    external_userid = serializers.CharField()
    state = TextOrNull()
    rule = TextOrNull(source="rule_name")
    text = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Welcome.Outcome.values)
    reason = TextOrNull()
    errcode = serializers.IntegerField(allow_null=True, help_text="The platform's.")
    attempts = serializers.IntegerField()
    happened_at = serializers.DateTimeField(help_text="When the customer was added.")
    received_at = serializers.DateTimeField(help_text="When the callback came in, by the server's clock.")
    accepted_at = serializers.DateTimeField(
        allow_null=True, help_text="When the platform took it, by the server's clock."
    )
    latency_ms = serializers.IntegerField(allow_null=True, help_text="From adding to accepted.")


class WelcomeQuery(Query):
    userid = serializers.CharField(required=False, max_length=MOST_ID, help_text="Of this staff member.")
    external_userid = serializers.CharField(required=False, max_length=MOST_ID, help_text="To this customer.")
    channel = serializers.CharField(required=False, max_length=128, help_text="State of the add.")
    outcome = serializers.ChoiceField(required=False, choices=Welcome.Outcome.values, help_text="What became of it.")
    added_after = MomentField(required=False, help_text="Added at this moment or later.")
    added_before = MomentField(required=False, help_text="Added before this moment.")


@extend_schema(
    tags=["welcomes"], summary="Welcomes, newest first", responses=WelcomeShape(many=True), examples=[examples.WELCOME]
)
class Welcomes(ListView[Welcome]):
    query_class = WelcomeQuery
    serializer_class = WelcomeShape
    pagination_class = NewestFirst

    def rows(self) -> WelcomeQuerySet:
        fields = {
            "userid": "userid", "external_userid": "external_userid", "channel": "state", "outcome": "outcome",
            "added_after": "happened_at__gte", "added_before": "happened_at__lt",
        }  # fmt: skip
        wanted = {field: self.asked[name] for name, field in fields.items() if name in self.asked}
        return Welcome.objects.visible_to(self.user).filter(**wanted)
