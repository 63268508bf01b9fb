"""`customers/`: persons with at least one period of friendship, with all that belongs to them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import timeline
from contacts.models import Channel, Customer, Follow
from contacts.querysets import CustomerQuerySet
from groups.models import Stay
from scrm.base import audit
from scrm.base.limits import Bucket
from scrm.base.masking import Veil
from scrm.base.models import ApiToken, User
from scrm.site.api import examples
from scrm.site.api.moments import MomentField
from scrm.site.api.pagination import Pages
from scrm.site.api.shapes import (
    MOST_ID,
    ChannelShape,
    TagRow,
    TagShape,
    TextOrNull,
    channels_by_state,
    tags_by_id,
)
from scrm.site.api.views import ApiView, ListView, Query, found

_REVEALS = Bucket("api-reveals-noted", "1/hour")


@dataclass(frozen=True)
class FollowRow:
    period: Follow
    tags: list[TagRow]
    remark: str
    description: str


@dataclass(frozen=True)
class CustomerRow:
    """A customer with what the page's sets say about them."""

    person: Customer
    channel: Channel | None
    follows: list[FollowRow]
    tags: list[TagRow]
    group_chats: list[str]


class FollowShape(serializers.Serializer[FollowRow]):
    """One period of friendship with a staff member."""

    userid = serializers.CharField(source="period.staff.userid")
    added_at = serializers.DateTimeField(source="period.added_at")
    half = serializers.BooleanField(source="period.half", help_text="Not confirmed by the customer yet.")
    ended_at = serializers.DateTimeField(source="period.ended_at", allow_null=True)
    ended_by = serializers.ChoiceField(source="period.ended_by", choices=Follow.EndedBy.values, allow_null=True)
    add_way = serializers.IntegerField(source="period.add_way", allow_null=True, help_text="The platform's integer.")
    state = TextOrNull(source="period.state", help_text="As the platform gave it, also where no channel has it.")
    remark = serializers.CharField(help_text="Numbers in it are masked for users without the right to reveal them.")
    description = serializers.CharField(help_text="As `remark`.")
    tags = TagShape(many=True)

    def to_representation(self, instance: FollowRow) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return {**shown, "ended_by": shown["ended_by"] or None}


class CustomerShape(serializers.Serializer[CustomerRow]):
    external_userid = serializers.CharField(source="person.external_userid")
    name = serializers.CharField(source="person.name")
    type = serializers.IntegerField(source="person.type", help_text="The platform's integer: 1 WeChat, 2 WeCom.")
    gender = serializers.IntegerField(source="person.gender", help_text="The platform's integer: 0, 1, 2.")
    unionid = TextOrNull(source="person.unionid")
    channel = ChannelShape(allow_null=True, help_text="Of the first period, where a channel has its state.")
    first_added_at = serializers.DateTimeField(source="person.first_added_at")
    lost_at = serializers.DateTimeField(
        source="person.lost_at", allow_null=True, help_text="When customer or staff ended the last open period."
    )
    do_not_contact_at = serializers.DateTimeField(
        source="person.do_not_contact_at", allow_null=True, help_text="Wants no broadcasts since."
    )
    tags = TagShape(many=True, help_text="The union over open periods.")
    follows = FollowShape(many=True, help_text="Every period, latest first.")
    group_chats = serializers.ListField(child=serializers.CharField(), help_text="Ids of the chats they sit in now.")


class CustomerQuery(Query):
    userid = serializers.CharField(
        required=False, max_length=MOST_ID,
        help_text="Customers of this staff member: with a period, open or ended; with `lost=false` an open one.",
    )  # fmt: skip
    tag = serializers.CharField(required=False, max_length=MOST_ID, help_text="Tag id, in an open period.")
    channel = serializers.CharField(required=False, max_length=128, help_text="State of the first period.")
    group_chat = serializers.CharField(required=False, max_length=MOST_ID, help_text="Chat id: who sits there now.")
    added_after = MomentField(required=False, help_text="First added at this moment or later.")
    added_before = MomentField(required=False, help_text="First added before this moment.")
    lost = serializers.BooleanField(required=False, help_text="`true`: only lost ones, `false`: none of them.")
    do_not_contact = serializers.BooleanField(
        required=False, help_text="`true`: only those who want no broadcasts, `false`: none of them."
    )
    q = serializers.CharField(required=False, max_length=64, help_text="Part of the name, also in pinyin; or the id.")


@extend_schema(
    tags=["customers"], summary="List of customers", responses=CustomerShape(many=True), examples=[examples.CUSTOMER]
)
class Customers(ListView[Customer]):
    query_class = CustomerQuery
    serializer_class = CustomerShape

    def rows(self) -> CustomerQuerySet:
        return narrowed(Customer.objects.added().visible_to(self.user), self.asked, self.user)

    def prepare(self, page: list[Customer]) -> Sequence[CustomerRow]:
        veil = Veil(self.user)
        rows = customer_rows(page, self.user, veil)
        note_reveal(self.request, veil)
        return rows


@extend_schema(tags=["customers"], summary="One customer", responses=CustomerShape, examples=[examples.CUSTOMER])
class OneCustomer(ApiView):
    serializer_class = CustomerShape

    def get(self, request: Request, external_userid: str) -> Response:
        customer = found(Customer.objects.added().visible_to(self.user), external_userid=external_userid)
        veil = Veil(self.user)
        (row,) = customer_rows([customer], self.user, veil)
        note_reveal(request, veil)
        return Response(CustomerShape(row).data)


def narrowed(customers: CustomerQuerySet, asked: dict[str, Any], user: User) -> CustomerQuerySet:
    """The filters. They look only at periods and stays that the user sees: a filter is a question, too."""
    follows = Follow.objects.visible_to(user).filter(customer=OuterRef("pk"))
    if "userid" in asked:
        periods = follows.open() if asked.get("lost") is False else follows
        customers = customers.filter(Exists(periods.filter(staff__userid=asked["userid"])))
    if "tag" in asked:
        customers = customers.filter(Exists(follows.open().filter(tag_ids__contains=[asked["tag"]])))
    if "group_chat" in asked:
        stays = Stay.objects.visible_to(user).present().filter(chat__chat_id=asked["group_chat"])
        customers = customers.filter(Exists(stays.filter(customer=OuterRef("pk"))))
    if "lost" in asked:
        customers = customers.filter(lost_at__isnull=not asked["lost"])
    if "do_not_contact" in asked:
        customers = customers.filter(do_not_contact_at__isnull=not asked["do_not_contact"])
    plain = {"channel": "first_state", "added_after": "first_added_at__gte", "added_before": "first_added_at__lt"}
    customers = customers.filter(**{field: asked[name] for name, field in plain.items() if name in asked})
    return customers.named_like(asked["q"]) if "q" in asked else customers


def note_reveal(request: Request, veil: Veil) -> None:
    """A program reads page after page: what it saw in full is noted once an hour for each token."""
    token = request.auth
    if veil.lifted and isinstance(token, ApiToken) and _REVEALS.allow(token.hint):
        audit.record("customer.reveal", user=token.user, subject=str(token), request=request, through="API")


def customer_rows(page: Sequence[Customer], user: User, veil: Veil) -> list[CustomerRow]:
    """Follows, tags, channels and chats of all customers of a page, each in one query."""
    follows: dict[int, list[Follow]] = defaultdict(list)
    periods = Follow.objects.visible_to(user).filter(customer__in=page).select_related("staff")
    for follow in periods.order_by("-added_at", "-pk"):
        follows[follow.customer_id].append(follow)
    chats: dict[int, list[str]] = defaultdict(list)
    present = Stay.objects.visible_to(user).present().filter(customer__in=page).order_by("joined_at", "pk")
    for customer_id, chat_id in present.values_list("customer_id", "chat__chat_id"):
        chats[customer_id or 0].append(chat_id)
    tags = tags_by_id(tag_id for rows in follows.values() for follow in rows for tag_id in follow.tag_ids)
    channels = channels_by_state(customer.first_state for customer in page)
    return [
        _row(
            customer,
            [_follow(row, tags, veil) for row in follows[customer.pk]],
            channels.get(customer.first_state),
            chats[customer.pk],
        )
        for customer in page
    ]


def _follow(follow: Follow, tags: dict[str, TagRow], veil: Veil) -> FollowRow:
    known = [tags[tag_id] for tag_id in follow.tag_ids if tag_id in tags]
    return FollowRow(follow, known, veil(follow.remark), veil(follow.description))


def _row(customer: Customer, rows: list[FollowRow], channel: Channel | None, chats: list[str]) -> CustomerRow:
    union = {tag.id: tag for row in rows if row.period.ended_at is None for tag in row.tags}
    return CustomerRow(customer, channel, rows, [union[tag_id] for tag_id in sorted(union)], chats)


class CauseShape(serializers.Serializer[timeline.Cause]):
    kind = serializers.ChoiceField(choices=timeline.CAUSES)
    id = serializers.CharField()


class EntryShape(serializers.Serializer[timeline.Entry]):
    """One happening in a customer's life with us."""

    occurred_at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="`added`, `ended`, `joined`, `left`, `welcome`, …; more will come.")
    userid = TextOrNull(help_text="The staff member concerned.")
    chat_id = TextOrNull()
    channel = ChannelShape(allow_null=True)
    cause = CauseShape(allow_null=True, help_text="What of ours brought it about.")
    detail = serializers.DictField(help_text="What else is known; its names depend on the kind.")


class TimelinePages(Pages):
    """Pages over one person's entries, newest first. They are few and come from several ledgers: sorted in memory."""

    def access(self, rows: Any) -> Any:
        entries: list[timeline.Entry] = rows

        def fetch(key: tuple[Any, ...] | None, back: bool, limit: int) -> list[timeline.Entry]:
            if key is None:
                return entries[:limit]
            if back:
                return [entry for entry in entries if entry.key > key][::-1][:limit]
            return [entry for entry in entries if entry.key < key][:limit]

        return fetch, lambda entry: entry.key, timeline.read_key


@extend_schema(
    tags=["customers"], summary="What happened to a customer, newest first", responses=EntryShape(many=True),
    examples=[examples.ENTRY],
)  # fmt: skip
class Timeline(ApiView):
    serializer_class = EntryShape
    pagination_class = TimelinePages

    def get(self, request: Request, external_userid: str) -> Response:
        customer = found(Customer.objects.added().visible_to(self.user), external_userid=external_userid)
        page = self.paginate_queryset(timeline.of(customer, user=self.user))
        assert page is not None
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
