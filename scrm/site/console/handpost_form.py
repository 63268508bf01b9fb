"""The form of a manual post. What is given is checked by `campaigns.handposts.check`; its errors come back to the fields."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import handposts
from campaigns.models import HandPost, HandPostTick
from campaigns.models.welcome import TEXT_BYTES
from groups.models import GroupChat
from scrm.base.console.who import user_of

MOST_CHOICES = 2_000
_TOLD = ("name", "text", "picture_url", "link_title", "link_url", "due_at", "deadline")  # as the verb takes them
FIELDSETS: Any = (
    (gettext_lazy("What to post"), {"fields": ("name", "text", "picture_url", ("link_title", "link_url"))}),
    (
        gettext_lazy("Where"),
        {
            "fields": ("chats", "owners", "chat_name", "chat_type"),
            "description": gettext_lazy(
                "Chats that you choose, and all that match every one of owners, name and type. Each owner gets a list."
            ),
        },
    ),
    (
        gettext_lazy("When to post"),
        {
            "fields": (("due_at", "deadline"),),
            "description": gettext_lazy(
                "Owners post by themselves in each chat and tick it on their task page. It costs no quota, and nobody can prove it."
            ),
        },
    ),
)


def _line(label: Any, *, kind: str = "text", help_text: Any = "", required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget({"type": kind})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget)


def _moment(label: Any, help_text: Any) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget({"type": "datetime-local"})
    return forms.DateTimeField(label=label, help_text=help_text, required=False, widget=widget)


class HandPostForm(forms.ModelForm):  # type: ignore[type-arg]
    """What, where, when. `request` is set by the page; `checked` is what the verb made of it."""

    request: HttpRequest
    checked: handposts.Checked

    name = _line(gettext_lazy("name"), help_text=gettext_lazy("For yourselves and the owners."), required=True)
    text = forms.CharField(
        label=gettext_lazy("text"), required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "data-most-bytes": str(TEXT_BYTES)}),
    )  # fmt: skip
    picture_url = _line(gettext_lazy("picture"), kind="url", help_text=gettext_lazy("Its address; owners save it."))
    link_title = _line(gettext_lazy("link: title"))
    link_url = _line(gettext_lazy("link: address"), kind="url")
    chats = forms.ModelMultipleChoiceField(GroupChat.objects.none(), label=gettext_lazy("group chats"), required=False)
    owners = forms.MultipleChoiceField(
        label=gettext_lazy("owners"), required=False, widget=UnfoldAdminSelect2MultipleWidget
    )
    chat_name = _line(gettext_lazy("name contains"))
    chat_type = forms.ChoiceField(label=gettext_lazy("type"), required=False, widget=UnfoldAdminSelectWidget)
    due_at = _moment(gettext_lazy("to be posted from"), gettext_lazy("Empty: at once."))
    deadline = _moment(gettext_lazy("to be posted by"), gettext_lazy("Empty: the end of that day."))

    class Meta:
        model = HandPost
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user, fields = user_of(self.request), self.fields
        living = GroupChat.objects.visible_to(user).living()
        owners = living.owners().at_work().order_by("name", "userid")[:MOST_CHOICES]
        chats: Any = fields["chats"]
        chats.queryset = living
        chats.widget = AutocompleteSelectMultiple(HandPostTick._meta.get_field("chat"), admin.site)
        chats.widget.choices = chats.choices
        fields["owners"].choices = [(row.userid, str(row)) for row in owners]  # type: ignore[attr-defined]
        fields["chat_type"].choices = [  # type: ignore[attr-defined]
            ("", _("any")), *((key, str(label)) for key, label in GroupChat.Type.choices if key),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        told = {name: given[name] for name in _TOLD}
        try:
            self.checked = handposts.check(user_of(self.request), chat_ids=self._chosen(given), **told)
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                self.add_error(field, messages)
            return given
        if handposts.is_second_click(self.checked):
            self.add_error(None, _("You have just made this post. Another one needs another name or text."))
        return given

    def _chosen(self, given: dict[str, Any]) -> list[str]:
        """The chats picked and those that match now; chats made later are not among them."""
        chosen = {chat.chat_id: None for chat in given.get("chats") or []}
        matching = {
            "owner__userid__in": given.get("owners"),
            "name__icontains": given.get("chat_name"),
            "type": given.get("chat_type"),
        }
        asked = {condition: value for condition, value in matching.items() if value}
        if asked:
            rows = GroupChat.objects.visible_to(user_of(self.request)).living().filter(**asked).order_by("pk")
            chosen |= dict.fromkeys(rows.values_list("chat_id", flat=True))
        return list(chosen)

    def _post_clean(self) -> None:
        """The row is what the verb made, not what Django would put together from the fields."""
        if not self.errors:
            self.instance = self.checked.post
