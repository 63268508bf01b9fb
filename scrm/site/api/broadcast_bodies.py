"""What `broadcasts/` is posted. What the words mean is judged by `campaigns.sending.compose`, for the console alike."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from campaigns.models import Broadcast
from campaigns.models.welcome import MOST_ATTACHMENTS
from scrm.site.api.moments import MomentField
from scrm.site.api.shapes import MOST_ID
from scrm.site.api.views import Strict, refuse_unknown


class Ids(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=MOST_ID), required=False, **options)


class FilterBody(Strict):
    """Customers who meet all of it; within a list one is enough. An empty one is every customer."""

    userids = Ids(help_text="Friends of one of these staff members, who then are the only ones to send.")
    tags = Ids(help_text="Tag ids, in an open friendship.")
    channels = Ids(help_text="States of the first friendship.")
    added_after = MomentField(required=False, help_text="First added at this moment or later.")
    added_before = MomentField(required=False, help_text="First added before this moment.")

    def to_internal_value(self, data: Any) -> Any:
        """JSON-able: the audience is stored as it was given."""
        given = super().to_internal_value(data)
        return {key: value.isoformat() if isinstance(value, dt.datetime) else value for key, value in given.items()}


class AudienceBody(Strict):
    """Exactly one of these."""

    external_userids = Ids(help_text="Customers by name; for more than one task's 10,000 several are created.")
    chat_ids = Ids(help_text="Group chats by name: their owners send.")
    filter = FilterBody(required=False)
    segment = serializers.IntegerField(required=False, help_text="Of segments, once there are any.")


class Attachment(serializers.DictField):
    """An attachment as the platform takes it: `msgtype` and an object of that name."""

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        kind = given.get("msgtype")
        refuse_unknown([name for name in given if name not in ("msgtype", kind)], "unknown_field")
        fields = given.get(kind) if isinstance(kind, str) else None
        for text in fields.values() if isinstance(fields, dict) else ():
            if isinstance(text, str):  # others are refused with what the message says
                serializers.CharField(allow_blank=True, trim_whitespace=False).run_validation(text)
        return given


class ContentBody(Strict):
    text = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=False,
        help_text="At most 4,000 bytes; the same for everybody.",
    )  # fmt: skip
    attachments = serializers.ListField(
        child=Attachment(), required=False, default=list,
        help_text=f"At most {MOST_ATTACHMENTS} of the platform's objects: image, link, miniprogram, video, file.",
    )  # fmt: skip


class NewBroadcast(Strict):
    name = serializers.CharField(max_length=60, help_text="For colleagues; customers never see it.")
    audience = AudienceBody()
    content = ContentBody()
    create_at = MomentField(required=False, help_text="When the tasks are created; default now.")
    confirm_by = MomentField(
        required=False,
        help_text="What staff have not confirmed by then is cancelled; default the end of that company day.",
    )
    staff_choice = serializers.ChoiceField(
        required=False, default=Broadcast.StaffChoice.OWNER.value, choices=Broadcast.StaffChoice.values,
        help_text="Who sends where a customer has several friends: the longest one, the latest, the least loaded.",
    )  # fmt: skip
