"""The log as a story: who joined, who left."""

from django.utils.translation import gettext as _

from contacts.story import name_of
from groups.models import GroupChat
from groups.stays import Change
from scrm.base.logs import story

REMOVED = 1  # QuitScene


def tell(chat: GroupChat, change: Change) -> None:
    """One line for each stay that began or ended."""
    for stay in change.joined:
        if stay.counted and stay.customer:
            story.info(_("→ %(customer)s joined %(chat)s") % {"customer": name_of(stay.customer), "chat": chat})
    for stay in change.left:
        if stay.customer:
            sentence = (
                _("← %(customer)s was removed from %(chat)s")
                if stay.quit_scene == REMOVED
                else _("← %(customer)s left %(chat)s")
            )
            story.info(sentence % {"customer": name_of(stay.customer), "chat": chat})
