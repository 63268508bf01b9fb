"""A cast for broadcasts: people with friends among the staff, drafts, and an operator who may send to all of them."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from campaigns.models import Broadcast
from campaigns.sending import compose
from contacts.caches import refresh_customers
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User


@pytest.fixture(autouse=True)
def _open_hours(settings: Any) -> None:
    """Tests run at any hour; those about quiet hours say which."""
    settings.QUIET_HOURS = "none"


@pytest.fixture
def befriend() -> Callable[..., Customer]:
    """Makes a customer with an open period for each staff member given, added a day apart in that order."""

    def make(external_userid: str, *staff: Staff, half: bool = False, days_ago: int = 90, **fields: Any) -> Customer:
        customer, _ = Customer.objects.get_or_create(external_userid=external_userid, defaults=fields)
        for index, member in enumerate(staff):
            added_at = clock.now() - dt.timedelta(days=days_ago - index)
            Follow.objects.create(staff=member, customer=customer, added_at=added_at, half=half)
        refresh_customers([customer.pk])
        customer.refresh_from_db()
        return customer

    return make


@pytest.fixture
def chat() -> Callable[..., GroupChat]:
    def make(chat_id: str, owner: Staff | None, **fields: Any) -> GroupChat:
        return GroupChat.objects.create(chat_id=chat_id, name=chat_id, owner=owner, **fields)

    return make


@pytest.fixture
def draft(alice: User) -> Callable[..., Broadcast]:
    """A saved draft; `to`: external user ids, `chats`: chat ids, `chosen`: a filter."""

    def make(
        to: Sequence[str] | None = None,
        *,
        chats: Sequence[str] | None = None,
        chosen: dict[str, Any] | None = None,
        user: User | None = None,
        text: str = "新品上架",
        **given: Any,
    ) -> Broadcast:
        audience: dict[str, Any]
        if to is not None:
            audience = {"external_userids": list(to)}
        elif chats is not None:
            audience = {"chat_ids": list(chats)}
        else:
            audience = {"filter": chosen or {}}
        broadcast = compose.draft(user or alice, name="上新", audience_=audience, text=text, **given)
        broadcast.save()
        return broadcast

    return make
