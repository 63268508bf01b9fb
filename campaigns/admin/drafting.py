"""The form of a draft. What is given becomes a broadcast in `campaigns.sending.compose.draft`; its errors come back to
the fields."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.admin import pictures
from campaigns.models import Broadcast
from campaigns.models.welcome import TEXT_BYTES
from campaigns.sending import compose
from contacts.models import Channel, Staff, Tag
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console.who import user_of
from scrm.base.numbers import whole

MOST_PICKED = 200  # chats shown one by one; more are kept as a whole
MOST_CHOICES = 2_000

FILTER, IDS, CHATS, MATCHING, KEPT = "filter", "ids", "chats", "matching", "kept"
AIMS = {
    FILTER: gettext_lazy("customers by filter"),
    IDS: gettext_lazy("customers by id (pasted)"),
    CHATS: gettext_lazy("group chats that I choose"),
    MATCHING: gettext_lazy("all group chats that match"),
}
# Which fields belong to which kind of audience; the page hides the others.
FIELDS_OF = {
    FILTER: ("staff", "tags", "channels", "added_from", "added_to", "staff_choice"),
    IDS: ("ids", "staff_choice"),
    CHATS: ("chats",),
    MATCHING: ("owners", "chat_name", "chat_type"),
    KEPT: (),
}
_CONTENT = ("text", "link_title", "link_url", "link_desc", "link_picture", "picture", "picture_url", "no_picture")
FIELDSETS: Any = (
    (
        gettext_lazy("To whom"),
        {"fields": (
            "name", "aim", "staff", "tags", "channels", "added_from", "added_to", "ids", "chats", "owners", "chat_name",
            "chat_type", "kept_chats", "staff_choice",
        )},
    ),
    (gettext_lazy("What is said"), {"fields": _CONTENT}),
    (
        gettext_lazy("When"),
        {
            "fields": ("create_at", "confirm_by"),
            "description": gettext_lazy(
                "Tasks reach the staff at the time given; customers get the message when their staff member confirms."
            ),
        },
    ),
)  # fmt: skip


class ChatPicker(UnfoldAdminSelect2MultipleWidget):  # type: ignore[misc]  # Unfold has no types
    """Group chats by name or owner, searched while typing; only the chosen ones stand in the page."""

    def __init__(self) -> None:
        super().__init__({
            "data-ajax--url": reverse_lazy("admin:campaigns_broadcast_chats"), "data-ajax--delay": 250,
            "data-ajax--type": "GET",
        })  # fmt: skip

    def optgroups(self, name: str, value: Iterable[Any], attrs: Any = None) -> Any:
        every: Any = self.choices
        chosen = [number for number in (whole(str(item)) for item in value) if number is not None]
        rows = every.queryset.filter(pk__in=chosen).select_related("owner")
        self.choices: Any = [(row.pk, chat_label(row)) for row in rows]
        groups = super().optgroups(name, value, attrs)
        self.choices = every
        return groups


def chat_label(chat: GroupChat) -> str:
    """福利群 3 · 王磊 (187)"""
    return f"{chat} · {chat.owner or _('no owner')} ({chat.people})"


def _line(
    label: Any, help_text: Any = "", *, required: bool = False, width: int = 0, kind: str = "text"
) -> forms.CharField:
    limits = {"max_length": width} if width else {}
    widget = UnfoldAdminTextInputWidget({"type": kind})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget, **limits)  # type: ignore[arg-type]


def _many(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, help_text=help_text, required=False, widget=UnfoldAdminSelect2MultipleWidget
    )


def _moment(label: Any, help_text: Any) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget({"type": "datetime-local"})
    widget.format = "%Y-%m-%dT%H:%M"
    return _Moment(label=label, help_text=help_text, required=False, widget=widget)


class _Moment(forms.DateTimeField):
    """A minute in company time, as browsers write it."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return f"{value.astimezone(clock.zone()):%Y-%m-%dT%H:%M}"
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data) if initial or data else False


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=UnfoldAdminTextInputWidget({"type": "date"}))


class DraftForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft: whom, what, when. `request` is set by the page."""

    request: HttpRequest

    name = _line(gettext_lazy("name"), gettext_lazy("For yourselves; customers don't see it."), required=True, width=60)
    aim = forms.ChoiceField(label=gettext_lazy("to"), choices=list(AIMS.items()), widget=UnfoldAdminSelectWidget)
    staff = _many(
        gettext_lazy("staff"),
        gettext_lazy("Friends of one of them; they are also the ones who send. Empty: everybody."),
    )
    tags = _many(gettext_lazy("tags"), gettext_lazy("With one of these tags."))
    channels = _many(gettext_lazy("channels"), gettext_lazy("Who first came through one of these."))
    added_from = _day(gettext_lazy("first added from"))
    added_to = _day(gettext_lazy("first added to"))
    ids = forms.CharField(
        label="external_userid", required=False, widget=UnfoldAdminTextareaWidget({"rows": 6}),
        help_text=gettext_lazy("One a line, or separated by spaces or commas."),
    )  # fmt: skip
    chats = forms.ModelMultipleChoiceField(
        GroupChat.objects.none(), label=gettext_lazy("group chats"), required=False, widget=ChatPicker,
        help_text=gettext_lazy("Search by the name of the chat or its owner."),
    )  # fmt: skip
    owners = _many(gettext_lazy("owners"), gettext_lazy("Empty: everybody."))
    chat_name = _line(gettext_lazy("name contains"))
    chat_type = forms.ChoiceField(label=gettext_lazy("type"), required=False, widget=UnfoldAdminSelectWidget)
    kept_chats = forms.CharField(required=False, widget=forms.HiddenInput)  # primary keys, too many to pick
    staff_choice = forms.ChoiceField(
        label=gettext_lazy("sent by"), choices=Broadcast.StaffChoice.choices, widget=UnfoldAdminSelectWidget, required=False,
        help_text=gettext_lazy("Where a customer has several staff members. One of them is asked."),
    )  # fmt: skip
    text = forms.CharField(
        label=gettext_lazy("words"), required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "data-most-bytes": str(TEXT_BYTES)}),
        help_text=gettext_lazy("The same for everybody: WeCom fills in no names in broadcasts."),
    )  # fmt: skip
    link_title = _line(gettext_lazy("link: title"))
    link_url = _line(gettext_lazy("link: address"), kind="url")
    link_desc = _line(gettext_lazy("link: description"))
    link_picture = _line(gettext_lazy("link: address of its picture"), kind="url")
    picture = forms.FileField(
        label=gettext_lazy("picture to send"), required=False, widget=UnfoldAdminFileFieldWidget({"accept": "image/png,image/jpeg"}),
        help_text=gettext_lazy("JPG or PNG, at most 2 MB. WeCom keeps it for good."),
    )  # fmt: skip
    picture_url = forms.CharField(required=False, widget=forms.HiddenInput)
    no_picture = forms.BooleanField(label=gettext_lazy("without the picture"), required=False)
    create_at = _moment(gettext_lazy("tasks are created at"), gettext_lazy("Empty: as soon as it is approved."))
    confirm_by = _moment(
        gettext_lazy("to be confirmed by"),
        gettext_lazy("Empty: the end of that day. Later confirmations are not possible: the task is taken back."),
    )

    class Meta:
        model = Broadcast
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = user_of(self.request)
        staff = Staff.objects.visible_to(user).able_to_send().order_by("name", "userid")[:MOST_CHOICES]
        choices = [(row.userid, str(row)) for row in staff]
        chats = GroupChat.objects.visible_to(user).living()
        tags = Tag.objects.filter(deleted_at__isnull=True).select_related("group").order_by("group__order", "order")
        given: dict[str, list[tuple[str, str]]] = {
            "staff": choices,
            "owners": [(row.userid, str(row)) for row in chats.owners().order_by("name", "userid")[:MOST_CHOICES]],
            "tags": [(row.tag_id, f"{row.group} / {row}") for row in tags[:MOST_CHOICES]],
            "channels": [(row.state, str(row)) for row in Channel.objects.visible_to(user)],
            "chat_type": [("", _("any"))] + [(key, str(label)) for key, label in GroupChat.Type.choices if key],
        }
        for name, options in given.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]
        self.fields["chats"].queryset = chats  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial.update(_given_of(self.instance))
        if not (self.data.get("picture_url") or self.initial.get("picture_url")):
            self.fields["no_picture"].widget = forms.HiddenInput()
        kept = self.data.get("kept_chats") or self.initial.get("kept_chats") or ""
        if kept:
            count = len(kept.split(","))
            words = ngettext("the %(n)d chat chosen before", "the %(n)d chats chosen before", count) % {"n": count}
            self.fields["aim"].choices = [(KEPT, words), *AIMS.items()]  # type: ignore[attr-defined]

    # --- what was given, as `compose.draft` takes it -----------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if fault := pictures.fault_of(self.request):
            self.add_error("picture", fault)
        if self.instance.pk and not _lock(self.instance):
            raise ValidationError(_("Somebody approved or cancelled this draft meanwhile: copy it."))
        audience = self._audience(given)
        try:
            self.drafted = compose.draft(
                user_of(self.request), name=given.get("name", ""), audience_=audience, text=given.get("text", ""),
                attachments=self._attachments(given), create_at=given.get("create_at"), confirm_by=given.get("confirm_by"),
                staff_choice=given.get("staff_choice") or Broadcast.StaffChoice.OWNER,
            )  # fmt: skip
        except ValidationError as error:
            self._spread(error, given)
        return given

    def _audience(self, given: dict[str, Any]) -> dict[str, Any]:
        aim = given.get("aim", FILTER)
        if aim == IDS:
            return {"external_userids": given.get("ids", "").replace(",", " ").replace("，", " ").split()}
        if aim == CHATS:
            return {"chat_ids": [chat.chat_id for chat in given.get("chats") or []]}
        if aim == MATCHING:
            return {"chat_ids": self._matching(given)}
        if aim == KEPT:
            keys = [key for key in map(whole, given.get("kept_chats", "").split(",")) if key is not None]
            chats = GroupChat.objects.visible_to(user_of(self.request)).filter(pk__in=keys)
            return {"chat_ids": list(chats.order_by("pk").values_list("chat_id", flat=True))}
        return {"filter": _filter_of(given)}

    def _matching(self, given: dict[str, Any]) -> list[str]:
        """The living chats that match now; chats made later are not among them."""
        chats = GroupChat.objects.visible_to(user_of(self.request)).living()
        if given.get("owners"):
            chats = chats.filter(owner__userid__in=given["owners"])
        if given.get("chat_name"):
            chats = chats.filter(name__icontains=given["chat_name"])
        if given.get("chat_type"):
            chats = chats.filter(type=given["chat_type"])
        return list(chats.order_by("pk").values_list("chat_id", flat=True))

    def _attachments(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """The picture, the link, and what this form can't show but the draft has."""
        found: list[dict[str, Any]] = []
        if given.get("picture_url") and not given.get("no_picture"):
            found.append({"msgtype": "image", "image": {"pic_url": given["picture_url"]}})
        link = {
            "title": given.get("link_title"), "url": given.get("link_url"), "desc": given.get("link_desc"),
            "picurl": given.get("link_picture"),
        }  # fmt: skip
        if any(link.values()):
            found.append({"msgtype": "link", "link": {name: value for name, value in link.items() if value}})
        return found + (_others(self.instance) if self.instance.pk else [])

    def _spread(self, error: ValidationError, given: dict[str, Any]) -> None:
        """Errors of the composer to the fields they are about."""
        aim = given.get("aim", FILTER)
        of_audience = {IDS: "ids", CHATS: "chats", MATCHING: "owners"}.get(aim, "aim")
        of_link = "link_title" if not given.get("link_title") else "link_url"
        fields = {"audience": of_audience, "attachments": of_link}
        for key, messages in error.message_dict.items():
            name = fields.get(key, key)
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, messages)

    def _post_clean(self) -> None:
        """The row is what the composer made, not what Django would put together from the fields."""
        if self.errors:
            return
        drafted: Broadcast = self.drafted
        if self.instance.pk is None:
            self.instance = drafted
            return
        for name in (
            "name",
            "to",
            "audience",
            "staff_choice",
            "text",
            "attachments",
            "digest",
            "create_at",
            "confirm_by",
        ):
            setattr(self.instance, name, getattr(drafted, name))
        self.instance.changed_at = clock.real_now()


def _lock(broadcast: Broadcast) -> bool:
    """Whether it is still a draft; nobody can approve it until the form's transaction ends."""
    held = Broadcast.objects.select_for_update(of=("self",)).filter(pk=broadcast.pk, state=Broadcast.State.DRAFT)
    return held.first() is not None


def _filter_of(given: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "userids": given.get("staff"), "tags": given.get("tags"), "channels": given.get("channels"),
    }  # fmt: skip
    if given.get("added_from"):
        chosen["added_after"] = clock.day_start(given["added_from"]).isoformat()
    if given.get("added_to"):
        chosen["added_before"] = clock.day_start(given["added_to"] + dt.timedelta(days=1)).isoformat()
    return {key: value for key, value in chosen.items() if value}


def _given_of(broadcast: Broadcast) -> dict[str, Any]:
    """A draft as the fields of the form. Times that have passed are left empty: now."""
    now = clock.now()
    given: dict[str, Any] = {
        "create_at": broadcast.create_at if broadcast.create_at > now else None,
        "confirm_by": broadcast.confirm_by if broadcast.confirm_by > now else None,
        "text": broadcast.text,
        "staff_choice": broadcast.staff_choice,
    }
    key, value = next(iter(broadcast.audience.items()))
    if key == "external_userids":
        given |= {"aim": IDS, "ids": "\n".join(value)}
    elif key == "chat_ids":
        given |= chats_given(GroupChat.objects.filter(chat_id__in=value).order_by("pk").values_list("pk", flat=True))
    else:
        given |= {"aim": FILTER, "staff": value.get("userids", []), "tags": value.get("tags", [])}
        given |= {"channels": value.get("channels", []), "added_from": _day_of(value.get("added_after"))}
        end = _day_of(value.get("added_before"))
        given["added_to"] = end - dt.timedelta(days=1) if end else None
    for row in broadcast.attachments:
        fields = row.get(row.get("msgtype", ""), {})
        if row.get("msgtype") == "link":
            given |= {"link_title": fields.get("title"), "link_url": fields.get("url")}
            given |= {"link_desc": fields.get("desc"), "link_picture": fields.get("picurl")}
        elif fields.get("pic_url"):
            given["picture_url"] = fields["pic_url"]
    return given


def chats_given(keys: Iterable[int]) -> dict[str, Any]:
    """Initial values for these chats: one by one, or as a whole where they are many."""
    chosen = list(keys)
    if len(chosen) > MOST_PICKED:
        return {"aim": KEPT, "kept_chats": ",".join(map(str, chosen))}
    return {"aim": CHATS, "chats": chosen}


def _others(broadcast: Broadcast) -> list[dict[str, Any]]:
    """Attachments beyond one picture and one link, which came through the API."""
    first_link = next((row for row in broadcast.attachments if row.get("msgtype") == "link"), None)
    first_picture = next((row for row in broadcast.attachments if row.get("image", {}).get("pic_url")), None)
    return [row for row in broadcast.attachments if row is not first_link and row is not first_picture]


def _day_of(text: str | None) -> dt.date | None:
    return clock.day_of(dt.datetime.fromisoformat(text)) if text else None
