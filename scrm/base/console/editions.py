"""Two tabs with one form: who saves second is told so, and loses nothing of what was typed.

A page carries the edition of the row that it shows, and what it asks for is done to that edition only.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.html import format_html
from django.utils.translation import gettext as _

from scrm.base.console import formats

SEEN = "seen"  # the field in which a page carries its edition


def edition(row: Any) -> str:
    """What a row is called in the state in which it stands now: by its last change. "" for a row that keeps none."""
    changed_at = getattr(row, "changed_at", None)
    return changed_at.isoformat() if changed_at else ""


def has_editions(model: type[Model]) -> bool:
    """Whether rows of the model know when they were changed."""
    return any(field.name == "changed_at" for field in model._meta.fields)


class _Seen(forms.CharField):
    """Not a part of what is changed, and so of no record of changes."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class EditionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of a row that others may have changed since the page was opened."""

    seen = _Seen(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            del self.fields[SEEN]
        else:
            self.initial[SEEN] = edition(self.instance)

    def clean(self) -> dict[str, Any]:
        """Runs in the transaction that saves: of two at once the second waits here for the first.

        The row is locked last: a form that locks more rows, such as all administrators, does so in its own order, or two
        that each hold the row which the other wants would end in a deadlock.
        """
        cleaned = super().clean() or self.cleaned_data
        rows = type(self.instance)._base_manager.select_for_update(no_key=True).filter(pk=self.instance.pk)
        held = rows.first() if self.instance.pk is not None else None
        seen = cleaned.get(SEEN, "")
        if held is not None and edition(held) != seen:
            self._carry(edition(held))
            code = "changed_meanwhile" if seen else "edition_missing"
            self.add_error(None, ValidationError(_said(held) if seen else _unsaid(), code=code))
        return cleaned

    def _carry(self, now: str) -> None:
        """The page that is shown again has seen the edition of which it tells: whoever saves it means it."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix(SEEN)] = now  # type: ignore[index]


def _said(held: Any) -> str:
    return _with_link(
        _(
            "Not saved: this was changed in another tab or by somebody else at %(at)s, after you had opened the page. "
            "What you typed stands below, as you left it. Saving again puts it in the place of what was saved then."
        )
        % {"at": formats.moment(held.changed_at)}
    )


def _unsaid() -> str:
    """Who sends no edition, such as a script, can't tell what their change takes back."""
    return _with_link(
        _(
            "Not saved: the form came without the edition of the page that it belongs to, so that nobody knows what it "
            "would replace. What was sent stands below. Saving it puts it in the place of what is saved now."
        )
    )


def _with_link(words: str) -> str:
    link = '{} <a class="underline" href="" target="_blank" rel="noopener">{}</a>'
    return format_html(link, words, _("See what was saved"))
