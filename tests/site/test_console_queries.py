"""Pages ask a fixed number of questions, however many rows there are.

The numbers stand in query_counts.json; `QUERY_COUNTS=write pytest tests/site/test_console_queries.py` brings them up to date.
"""

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics import fill
from campaigns.models import Broadcast
from contacts.models import Staff
from scrm.base.models import User
from tests.site import world

BASELINE = Path(__file__).with_name("query_counts.json")
MOST = 24
LONG = {"dashboard", "dashboard, staff", "dashboard, chats", "one base.User"}  # and the home page


def _list(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _detail(model: Any) -> str:
    """The page of the row that came first."""
    first = model.objects.order_by("pk").values_list("pk", flat=True).first()
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[first])


def _recipients() -> str:
    sent = Broadcast.objects.exclude(plan_date=None).order_by("pk").values_list("pk", flat=True).first()
    return reverse("admin:campaigns_broadcast_recipients", args=[sent])


ADDRESSES: dict[str, Callable[[], str]] = {
    **{model._meta.label: lambda model=model: _list(model) for model in admin.site._registry},  # type: ignore[misc]
    **{f"one {model._meta.label}": lambda model=model: _detail(model) for model in admin.site._registry},  # type: ignore[misc]
    "home": lambda: "/admin/",
    "today's tasks": lambda: reverse("console:tasks"),
    "recipients": _recipients,
    "dashboard": lambda: reverse("dashboards:overview"),
    "dashboard, staff": lambda: reverse("dashboards:overview") + "?table=staff",
    "dashboard, chats": lambda: reverse("dashboards:overview") + "?table=group_chat",
    "rows of a number": lambda: reverse("dashboards:rows", args=["adds"]),
    "people of a step": lambda: reverse("dashboards:people") + "?step=added",
}


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.usefixtures("noon")
def test_the_number_of_questions_is_pinned_and_does_not_grow_with_the_rows(
    wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    ContentType.objects.get_for_models(*apps.get_models())  # a process remembers them from its first pages on

    def counts_among(size: int) -> dict[str, int]:
        with transaction.atomic():
            world.build(wanglei, zhaomin, alice, moment, size=size)
            fill.fill_dirty()
            client.get("/admin/")  # the home page remembers what it found, for a moment
            counts = {label: queries_of(client, address()) for label, address in ADDRESSES.items()}
            transaction.set_rollback(True)
        return counts

    few, many = counts_among(1), counts_among(20)
    assert many == few
    if os.environ.get("QUERY_COUNTS") == "write":
        BASELINE.write_text(json.dumps(many, indent=2, sort_keys=True) + "\n")
    pinned: dict[str, int] = json.loads(BASELINE.read_text())
    assert many.pop("home") - pinned.pop("home") in range(5)  # it asks a little more on days with a yesterday
    assert many == pinned
    assert {label for label in pinned if pinned[label] >= MOST} <= LONG


WITH_BROADCASTS = (
    "home",
    "today's tasks",
    "recipients",
    "one contacts.Customer",
    "one contacts.Staff",
    "one groups.GroupChat",
)


def test_lists_of_tasks_do_not_read_whom_their_broadcasts_name(
    wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
) -> None:
    """An audience may name half a million; each row would bring it along."""
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    world.build(wanglei, zhaomin, alice, moment)
    for label in WITH_BROADCASTS:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(ADDRESSES[label]()).status_code == 200
        assert [sql for sql in asked.captured_queries if '"audience"' in sql["sql"]] == [], label
