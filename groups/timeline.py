"""What the membership ledger adds to a customer's timeline."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from contacts import timeline
from contacts.models import Customer
from contacts.timeline import Entry
from groups.models import Stay
from scrm.base.models import User


def stays(customer: Customer, user: User) -> Iterable[Entry]:
    """Chats that the customer joined and left."""
    for stay in Stay.objects.visible_to(user).filter(customer=customer).select_related("chat"):
        yield Entry(
            stay.joined_at, "joined", f"stay:{stay.pk}:joined", userid=stay.invited_by, chat_id=stay.chat.chat_id,
            state=stay.state,
            detail={
                "chat_name": stay.chat.name, "join_scene": stay.join_scene, "state": stay.state or None,
                "known_by": stay.joined_known_by,
            },
        )  # fmt: skip
        if stay.left_at:
            yield Entry(
                stay.left_at, "left", f"stay:{stay.pk}:left", chat_id=stay.chat.chat_id, state=stay.state,
                detail={"chat_name": stay.chat.name, "quit_scene": stay.quit_scene, "known_by": stay.left_known_by},
            )  # fmt: skip


def connect() -> None:
    timeline.register(stays, {"joined": _("Joined a group chat"), "left": _("Left a group chat")})
