"""Lists ask a fixed number of questions, however many rows they show.

The numbers stand in query_counts.json; `QUERY_COUNTS=write pytest tests/site/test_console_queries.py` brings them up to date.
"""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Staff
from scrm.base.models import User
from tests.site import world

BASELINE = Path(__file__).with_name("query_counts.json")
ADDRESSES = {
    **{
        model._meta.label: reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        for model, page in admin.site._registry.items()
    },
    "home": "/admin/",
}


def queries_of(client: Client, address: str) -> int:
    client.get(address)  # content types and the like are remembered
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("label", sorted(ADDRESSES))
def test_the_number_of_questions_is_pinned_and_does_not_grow_with_the_rows(
    label: str, wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    world.build(wanglei, zhaomin, alice, moment, size=12)
    count = queries_of(client, ADDRESSES[label])
    pinned: dict[str, Any] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if os.environ.get("QUERY_COUNTS") == "write":
        BASELINE.write_text(json.dumps({**pinned, label: count}, indent=2, sort_keys=True) + "\n")
        return
    most = pinned[label] + (4 if label == "home" else 0)  # it asks a little more on days with a yesterday
    assert count <= most, f"{label}: {count} queries, pinned at {pinned[label]}"
    assert pinned[label] < 24 or label == "home"


def test_every_list_is_pinned() -> None:
    assert set(json.loads(BASELINE.read_text())) == set(ADDRESSES)
