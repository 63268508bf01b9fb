"""Who plans the demo's broadcasts: a colleague who sees the whole company and never logs in."""

from scrm.base import roles
from scrm.base.models import User
from scrm.base.roles import Role

NAME = "yunying"


def operator() -> User:
    """The demo's operator, made at the first call; without a usable password."""
    user, made = User.objects.get_or_create(
        username=NAME, defaults={"last_name": "周", "first_name": "岚", "sees_all": True}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        roles.give(user, Role.MANAGER)
    return user
