"""Cursor pages."""

import base64
import datetime as dt
import json

import pytest

from contacts.models import Customer, Staff
from tests.api.conftest import Api, World, befriend, customer, receive

pytestmark = pytest.mark.django_db


def _many(wanglei: Staff, at: dt.datetime, first: int, last: int) -> None:
    for number in range(first, last):
        befriend(wanglei, customer(f"wm{number:03}", f"客{number}", at), at)


def test_a_walk_meets_every_row_once_while_others_come_in(api: Api, wanglei: Staff, moment: dt.datetime) -> None:
    _many(wanglei, moment, 0, 23)

    met, address, pages = [], "customers/?page_size=5", 0
    while address:
        page = api.get(address)
        met += [row["external_userid"] for row in page["results"]]
        address, pages = page["next"], pages + 1
        if pages < 4:
            _many(wanglei, moment, 100 * pages, 100 * pages + 2)

    assert len(met) == len(set(met)) == 29
    assert met[:23] == [f"wm{number:03}" for number in range(23)]


def test_a_walk_over_happenings_is_not_disturbed_by_newer_ones(api: Api, moment: dt.datetime) -> None:
    old = [receive(moment, "wm1", digest=b"old%d" % number).pk for number in range(6)]

    first = api.get("callbacks/?page_size=4")
    receive(moment, "wm2", digest=b"new")
    second = api.get(first["next"])

    assert [row["id"] for row in first["results"] + second["results"]] == old[::-1]
    assert second["next"] is None


def test_previous_leads_back_to_the_same_rows(api: Api, wanglei: Staff, moment: dt.datetime) -> None:
    _many(wanglei, moment, 0, 7)

    first = api.get("customers/?page_size=3")
    second = api.get(first["next"])
    third = api.get(second["next"])

    assert third["next"] is None
    assert api.get(third["previous"])["results"] == second["results"]
    again = api.get(second["previous"])
    assert (again["results"], again["previous"]) == (first["results"], None)
    assert api.get(again["next"])["results"] == second["results"]


def test_links_are_absolute_on_the_requested_host_and_keep_the_filters(
    api: Api, wanglei: Staff, moment: dt.datetime
) -> None:
    _many(wanglei, moment, 0, 2)

    page = api.client.get(
        "/api/v1/customers/?page_size=1&userid=wanglei", headers={**api.headers, "Host": "localhost:8010"}
    ).json()

    assert page["next"].startswith("http://localhost:8010/api/v1/customers/?")
    assert "userid=wanglei" in page["next"]
    assert "page_size=1" in page["next"]


def test_a_page_has_100_rows_and_at_most_1000(api: Api, moment: dt.datetime) -> None:
    Customer.objects.bulk_create(
        [Customer(external_userid=f"wm{number}", first_added_at=moment) for number in range(1002)]
    )

    assert len(api.get("customers/")["results"]) == 100
    assert len(api.get("customers/?page_size=1000")["results"]) == 1000
    assert len(api.get("customers/?page_size=5000")["results"]) == 1000


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "💥", "AAAA", _cursor([]), _cursor([0]), _cursor([2, 1]), _cursor([0, "x"]), _cursor([0, None]),
     _cursor([0, 1, 2]), _cursor([0, 10**30]), _cursor({"a": 1}), _cursor([0, True]), _cursor([0, [1]])],
)  # fmt: skip
@pytest.mark.parametrize("path", ["customers/", "customers/wmXiaolin/timeline/", "group-chats/wrFuli/members/"])
def test_refuses_a_made_up_cursor(api: Api, world: World, path: str, cursor: str) -> None:
    if cursor == _cursor([0]) and path == "customers/":
        cursor = _cursor([0, -1.5])
    answer = api.get(path, {"cursor": cursor}, status=400)

    assert [error["attr"] for error in answer["errors"]] == ["cursor"]


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "٣", "99999999999"])
def test_refuses_a_page_size_that_is_no_number_of_rows(api: Api, size: str) -> None:
    answer = api.get("customers/", {"page_size": size}, status=400)

    assert [error["attr"] for error in answer["errors"]] == ["page_size"]
