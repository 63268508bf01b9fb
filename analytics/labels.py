"""Names of the parts into which numbers are split."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from analytics.metrics import By
from analytics.scope import Asker
from contacts.models import Channel, Staff
from groups.models import GroupChat


def names(by: By, keys: Iterable[str], asker: Asker) -> dict[str, tuple[str, str]]:
    """For at least these keys as the database counts them: (key of the outside face, name that people know). What an
    asker has asked for is not looked up again."""
    known = asker.names.setdefault(by, {})
    if new := [key for key in keys if key not in known]:
        known |= _looked_up(by, new)
    return known


def _looked_up(by: By, chosen: Sequence[str]) -> dict[str, tuple[str, str]]:
    if by == "channel":
        titles = dict(Channel.objects.filter(state__in=chosen).values_list("state", "name"))
        return {key: (key, titles.get(key) or key or _("Without channel")) for key in chosen}
    if by == "staff":
        people = Staff.objects.filter(pk__in=[int(key) for key in chosen]).values_list("pk", "userid", "name")
        found = {str(pk): (userid, name or userid) for pk, userid, name in people}
        return {key: found.get(key, ("", _("Nobody"))) for key in chosen}
    if by == "group_chat":
        chats = GroupChat.objects.filter(pk__in=[int(key) for key in chosen]).values_list("pk", "chat_id", "name")
        nowhere = {"0": ("", _("Without group chat"))} if "0" in chosen else {}
        return {str(pk): (chat_id, name or _("Unnamed chat")) for pk, chat_id, name in chats} | nowhere
    return {key: (key, key) for key in chosen}
