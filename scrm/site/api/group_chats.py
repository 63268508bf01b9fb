"""`group-chats/` and their members."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Customer
from groups.models import GroupChat, Stay
from groups.querysets import GroupChatQuerySet, StayQuerySet
from scrm.site.api import examples
from scrm.site.api.pagination import Pages
from scrm.site.api.shapes import MOST_ID, TagShape, TextOrNull
from scrm.site.api.views import ApiView, ListView, Query, found


class KnownBy(TextOrNull):
    """How a leave is known. What was loaded as history was told by events then."""

    def to_representation(self, value: Any) -> Any:
        return super().to_representation("event" if value == "history" else value)


class GroupChatShape(serializers.Serializer[GroupChat]):
    chat_id = serializers.CharField()
    name = serializers.CharField()
    owner = serializers.SerializerMethodField(help_text="Userid of the staff member who owns it.")
    type = TextOrNull(help_text="`acquisition`, `benefits`, `flash`, `service`; null where nobody has set it.")
    member_count = serializers.IntegerField(source="people", help_text="Everybody who sits there, staff included.")
    created_at = serializers.DateTimeField(allow_null=True)
    dismissed_at = serializers.DateTimeField(allow_null=True)
    notice = serializers.CharField()
    tags = serializers.SerializerMethodField(help_text="Tags of the chat.")

    def get_owner(self, chat: GroupChat) -> str | None:
        return chat.owner.userid if chat.owner else None

    @extend_schema_field(TagShape(many=True))
    def get_tags(self, chat: GroupChat) -> list[Any]:
        return []  # WeCom has no tags of chats, and this program none yet


class GroupChatQuery(Query):
    owner = serializers.CharField(required=False, max_length=MOST_ID, help_text="Userid of the owner.")
    type = serializers.ChoiceField(
        required=False, choices=[value for value in GroupChat.Type.values if value], help_text="Type of the chat."
    )
    dismissed = serializers.BooleanField(
        required=False, help_text="`true`: only dismissed ones, `false`: none of them."
    )
    q = serializers.CharField(required=False, max_length=64, help_text="Part of the name; or the chat id.")


@extend_schema(
    tags=["group-chats"],
    summary="List of group chats",
    responses=GroupChatShape(many=True),
    examples=[examples.GROUP_CHAT],
)
class GroupChats(ListView[GroupChat]):
    query_class = GroupChatQuery
    serializer_class = GroupChatShape

    def rows(self) -> GroupChatQuerySet:
        chats = GroupChat.objects.visible_to(self.user).select_related("owner")
        plain = {"owner": "owner__userid", "type": "type"}
        chats = chats.filter(**{field: self.asked[name] for name, field in plain.items() if name in self.asked})
        if "dismissed" in self.asked:
            chats = chats.filter(dismissed_at__isnull=not self.asked["dismissed"])
        if "q" in self.asked:
            chats = chats.filter(Q(name__icontains=self.asked["q"]) | Q(chat_id=self.asked["q"]))
        return chats


@extend_schema(tags=["group-chats"], summary="One group chat", responses=GroupChatShape, examples=[examples.GROUP_CHAT])
class OneGroupChat(ApiView):
    serializer_class = GroupChatShape

    def get(self, request: Request, chat_id: str) -> Response:
        chat = found(GroupChat.objects.visible_to(self.user).select_related("owner"), chat_id=chat_id)
        return Response(GroupChatShape(chat).data)


@dataclass(frozen=True)
class MemberRow:
    """A stay with what its person is now."""

    stay: Stay
    kind: str
    role: str


class MemberShape(serializers.Serializer[MemberRow]):
    """One stay; who left and came back has several."""

    member_id = serializers.CharField(source="stay.member_id", help_text="`external_userid` or `userid`.")
    kind = serializers.ChoiceField(
        choices=["staff", "customer", "stranger"], help_text="As of now; a stranger was never a friend of any staff."
    )
    joined_at = serializers.DateTimeField(source="stay.joined_at")
    left_at = serializers.DateTimeField(source="stay.left_at", allow_null=True, help_text="Null while present.")
    left_known_by = KnownBy(
        source="stay.left_known_by", help_text="`event`, `diff` (found by comparing), `sync`, `dismissed`."
    )
    join_scene = serializers.IntegerField(
        source="stay.join_scene", allow_null=True, help_text="The platform's integer."
    )
    quit_scene = serializers.IntegerField(source="stay.quit_scene", allow_null=True, help_text="0 left, 1 removed.")
    invited_by = TextOrNull(source="stay.invited_by", help_text="Told only for invitations by staff.")
    state = TextOrNull(source="stay.state", help_text="Of the join code.")
    role = serializers.ChoiceField(choices=["owner", "admin", "member"], help_text="As of now.")


class MemberQuery(Query):
    present = serializers.BooleanField(
        required=False, help_text="`true`: who sits there now, `false`: stays that ended."
    )


class LatestStays(Pages):
    ordering = ("-joined_at", "-pk")


@extend_schema(
    tags=["group-chats"],
    summary="Stays in a chat, latest first",
    responses=MemberShape(many=True),
    examples=[examples.MEMBER],
)
class Members(ListView[Stay]):
    query_class = MemberQuery
    serializer_class = MemberShape
    pagination_class = LatestStays

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        chats = GroupChat.objects.visible_to(self.user).select_related("owner")
        self.chat = found(chats, chat_id=kwargs["chat_id"])
        return super().get(request, *args, **kwargs)

    def rows(self) -> StayQuerySet:
        stays = Stay.objects.filter(chat=self.chat)
        return stays.filter(left_at__isnull=self.asked["present"]) if "present" in self.asked else stays

    def prepare(self, page: list[Stay]) -> Sequence[MemberRow]:
        persons = {stay.customer_id for stay in page if stay.customer_id}
        friends = set(Customer.objects.added().filter(pk__in=persons).values_list("pk", flat=True))
        return [MemberRow(stay, _kind(stay, friends), _role(stay.member_id, self.chat)) for stay in page]


def _kind(stay: Stay, friends: set[int]) -> str:
    if stay.customer_id is None:
        return "staff"
    return "customer" if stay.customer_id in friends else "stranger"


def _role(member_id: str, chat: GroupChat) -> str:
    if chat.owner and chat.owner.userid == member_id:
        return "owner"
    return "admin" if member_id in chat.admin_userids else "member"
