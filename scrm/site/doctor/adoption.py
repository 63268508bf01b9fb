"""What the corp brings along: tags and codes that were there before us (platform.md 22)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import ways
from scrm.site.doctor import places
from scrm.site.doctor.registry import Result, check, fine, warning
from scrm.wecom.api import tags

NAMED = 5


@check("existing_tags", part="adoption", title=gettext_lazy("Existing tags"), asks_platform=True)
def existing_tags() -> Result:
    """All can be read and put on customers; who made them WeCom does not say."""
    groups = tags.fetch_all() or []
    count = sum(len(group.tags) for group in groups)
    if not count:
        return fine(_("The corp has no tags yet."))
    words = _(
        "%(tags)d tags in %(groups)d groups are there; the sync takes them over and they can be put on customers. Tags that"
        " the console or another app has made can only be renamed or deleted there; WeCom does not say which those are."
    )
    return fine(words % {"tags": count, "groups": len(groups)})


@check(
    "existing_codes",
    part="adoption",
    title=gettext_lazy("Existing codes"),
    place=places.CALLABLE_APPS,
    asks_platform=True,
)
def existing_codes() -> Result:
    """Own ones can be read; a former supplier's go on working, which is seen by the customers who bring their state."""
    found = ways.survey()
    words = _("%(own)d codes of this app can be read.") % {"own": found.own}
    if not found.foreign:
        return fine(words)
    words += _(
        " Customers also came by %(n)d states whose codes can't be read (%(states)s …): made by a former supplier or in the"
        " console. They keep working and count here; to change one, print a new code of this app."
    ) % {"n": len(found.foreign), "states": "、".join(found.foreign[:NAMED])}
    return warning(words)
