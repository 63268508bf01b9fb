"""What goes wrong is told in words, never with the keys that were used."""

import logging
import traceback
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from contacts.models import Staff
from scrm.base.logs import Formatter
from scrm.base.models import ApiToken, AuditRecord, User
from scrm.site.h5 import links
from scrm.wecom.client import client
from scrm.wecom.errors import ConfigurationError, WecomError
from scrm.wecom.models import ApiCall
from tests.scrm.wecom.scripted import DROP, GARBAGE, Scripted

FAILURES: list[Any] = [500, 404, 302, DROP, GARBAGE, {"errcode": 40096}, {"errcode": 40014}, {"errcode": 60020}]


def test_no_failure_tells_a_secret(
    committed: None, wanglei: Staff, alice: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.METRICS_TOKEN = "metrics-token-of-the-test"
    platform = Scripted()
    platform.start()
    settings.WECOM_API_URL = platform.url
    told: list[str] = []
    secrets: set[str] = set()
    caplog.set_level(logging.DEBUG)
    try:
        for failure in FAILURES:
            for api in ("externalcontact/get", "gettoken"):
                settings.WECOM_SECRET = f"secret-{len(secrets)}-of-the-test"  # another one: no token is known
                secrets.add(settings.WECOM_SECRET)
                platform.script = {api: [failure]}
                with pytest.raises((WecomError, ConfigurationError)) as raised:
                    client().read("externalcontact/get", {"external_userid": "wmLin"})
                told += traceback.format_exception(raised.value)
        secrets |= {asked.query["access_token"] for asked in platform.asked if "access_token" in asked.query}
    finally:
        platform.stop()
    key, token = links.task_link(wanglei).partition("?k=")[2], ApiToken.issue(alice, "admin")
    browser = Client(headers={"host": "localhost"}, raise_request_exception=False)
    bearer = {"authorization": f"Bearer {token}"}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_staff RENAME TO contacts_away")
    try:
        for address in (f"/h5/tasks/?k={key}&named", "/api/v1/staff/", f"/metrics?k={key}", f"/nowhere/?code={key}"):
            answer = browser.get(address, headers=bearer)
            told += [answer.content.decode(), str(answer.headers)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE contacts_away RENAME TO contacts_staff")
    told += [browser.get(path).content.decode() for path in ("/metrics", "/readyz", "/healthz")]
    told += [Formatter().format(record) for record in caplog.records]
    told += [str(row) for model in (ApiCall, AuditRecord) for row in model.objects.values()]

    secrets |= {
        settings.SECRET_KEY, settings.WECOM_CALLBACK_TOKEN, settings.WECOM_CALLBACK_AES_KEY, settings.METRICS_TOKEN,
        key, token,
    }  # fmt: skip
    assert len(secrets) > 2 * len(FAILURES)
    assert [(secret, text) for secret in secrets for text in told if secret in text] == []
