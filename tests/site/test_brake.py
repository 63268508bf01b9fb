"""The red button: on every page, at once for everybody, noted, released by administrators alone."""

import pytest
from django.test import Client

from campaigns.models import Welcome
from scrm.base.models import AuditRecord, User
from scrm.wecom import brake
from scrm.wecom.models import Stop
from tests.corp import Corp


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


class TestPressed:
    def test_by_an_operator_it_stops_everything_and_is_noted(self, bob: User) -> None:
        answer = client_of(bob).post("/brake/press/", {"reason": "发错了", "next": "/admin/contacts/tag/"})

        assert answer.headers["Location"] == "/admin/contacts/tag/"
        assert brake.position() == "stopped"
        assert not brake.allows(["wmLin"])
        record = AuditRecord.objects.get()
        assert (record.deed, record.subject, record.user) == ("brake.press", "发错了", bob)

    def test_it_stands_above_an_allowlist(self, bob: User, settings: object) -> None:
        settings.SENDING, settings.SENDING_ALLOWLIST = "allowlist", frozenset({"wmLin"})  # type: ignore[attr-defined]
        assert brake.allows(["wmLin"])
        brake.press(user=bob)
        assert not brake.allows(["wmLin"])

    def test_twice_the_first_press_stands(self, alice: User, bob: User) -> None:
        first, second = brake.press(user=bob, reason="a"), brake.press(user=alice, reason="b")

        assert (second.pk, second.pressed_by) == (first.pk, bob)
        assert Stop.objects.count() == 1

    @pytest.mark.parametrize("address", ["/admin/", "/admin/contacts/tag/", "/dashboards/", "/connection/"])
    def test_every_page_shows_who_pressed_it(self, address: str, alice: User, bob: User) -> None:
        brake.press(user=bob, reason="发错了")
        text = client_of(alice).get(address).content.decode()
        assert 'class="c-brake stopped"' in text
        assert "发错了" in text and 'action="/brake/release/"' in text

    @pytest.mark.parametrize("address", ["/admin/", "/admin/contacts/tag/", "/dashboards/"])
    def test_every_page_has_the_button(self, address: str, bob: User) -> None:
        text = client_of(bob).get(address).content.decode()
        assert 'class="c-brake on"' in text
        assert 'action="/brake/press/"' in text and 'action="/brake/release/"' not in text

    def test_no_welcome_leaves_and_the_reason_is_kept(self, corp: Corp, bob: User) -> None:
        brake.press(user=bob)

        corp.happens("add", userid="wanglei")

        assert corp.welcomes() == []
        welcome = Welcome.objects.get()
        assert welcome.outcome == "stopped"


class TestReleased:
    def test_by_an_administrator_the_setting_decides_again(self, alice: User, bob: User) -> None:
        brake.press(user=bob)

        client_of(alice).post("/brake/release/")

        assert brake.position() == "on"
        stop = Stop.objects.get()
        assert stop.released_at is not None and stop.released_by == alice
        assert AuditRecord.objects.get().deed == "brake.release"

    def test_not_by_an_operator(self, bob: User) -> None:
        brake.press(user=bob)
        assert client_of(bob).post("/brake/release/").status_code == 403
        assert brake.position() == "stopped"
        assert not AuditRecord.objects.exists()

    def test_it_can_be_pressed_again(self, alice: User) -> None:
        for _ in range(2):
            brake.press(user=alice)
            assert brake.release(user=alice)
        assert not brake.release(user=alice)
        assert Stop.objects.count() == 2


class TestWhoMay:
    @pytest.mark.parametrize("address", ["/brake/press/", "/brake/release/"])
    def test_nobody_from_outside(self, address: str, db: None) -> None:
        outsider = User.objects.create_user("outsider", password="x")
        assert Client().post(address).headers["Location"].startswith("/admin/login/")
        assert client_of(outsider).post(address).status_code == 403
        assert client_of(outsider).get(address).status_code == 405
        assert not Stop.objects.exists()

    def test_leads_back_to_no_foreign_site(self, bob: User) -> None:
        answer = client_of(bob).post("/brake/press/", {"next": "https://evil.example.com/"})
        assert answer.headers["Location"] == "/admin/"
