"""Uploads: what is taken, how long an id lives, where it fits."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import requests

from scrm.standin.server import StandIn

from .conftest import Api
from .test_broadcasts import ADD, befriend
from .test_broadcasts_results import NOON, moment

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--not-the-end\r\n\r\n"


def upload(api: Api, data: bytes = PNG, kind: str = "image", part: str = "media", name: str = "周末.png") -> Any:
    params = {"access_token": api.token, "type": kind}
    files = {part: (name, data, "application/octet-stream")}
    return requests.post(api.standin.url + "media/upload", params=params, files=files, timeout=10).json()


def send(api: Api, person: str, media_id: str, kind: str = "image") -> int:
    attachments = [{"msgtype": kind, kind: {"media_id": media_id}}]
    answer = api.post(ADD, {"external_userid": [person], "sender": "wanglei", "attachments": attachments})
    return int(answer["errcode"])


def test_an_upload_gives_an_id_for_three_days(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    (person,) = befriend(standin, "wanglei")

    answer = upload(api)

    assert (answer["errcode"], answer["type"]) == (0, "image")
    assert answer["created_at"].isdigit() and 0 <= int(answer["created_at"]) - NOON < 10
    (row,) = standin.ledger.of("media")
    assert (row["media_id"], row["filename"], row["size"]) == (answer["media_id"], "周末.png", len(PNG))
    assert row["digest"] == hashlib.sha256(PNG).hexdigest()
    moment(standin, NOON + 3 * 86_400 - 60)
    assert send(api, person, answer["media_id"]) == 0
    moment(standin, NOON + 3 * 86_400 + 1)
    assert send(api, person, answer["media_id"]) == 40007


def test_an_id_fits_its_own_kind_only(standin: StandIn, api: Api) -> None:
    (person,) = befriend(standin, "wanglei")
    media_id = upload(api, kind="file")["media_id"]

    assert [send(api, person, media_id, kind) for kind in ("image", "video", "file")] == [40007, 40007, 0]
    standin.act("expire_media", media_id=media_id)
    assert send(api, person, media_id, "file") == 40007


@pytest.mark.parametrize(
    ("given", "errcode"),
    [
        ({"kind": "picture"}, 40004),
        ({"kind": ""}, 40004),
        ({"part": "file"}, 44001),
        ({"data": b"\xff\xd8\xff12"}, 40006),
        ({"data": b"GIF89a......"}, 40123),
        ({"data": PNG + b"0" * (10 * 1024 * 1024)}, 45001),
    ],
)
def test_uploads_are_refused(standin: StandIn, api: Api, given: dict[str, Any], errcode: int) -> None:
    assert upload(api, **given)["errcode"] == errcode
    assert standin.ledger.of("media") == []


def test_a_body_that_is_no_form_is_refused(api: Api) -> None:
    assert api.post("media/upload?type=image", {"media": "x"})["errcode"] == 44001
    assert api.get("media/upload", type="image")["errcode"] == 40058
