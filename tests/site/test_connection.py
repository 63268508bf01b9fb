"""The connection guide in the console: for administrators, one check a press, and what they do there is noted."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contacts.models import Channel
from scrm.base.models import AuditRecord, User
from scrm.site.doctor import checks
from scrm.site.doctor.run import in_order
from scrm.site.models import DomainProof, Finding
from tests.corp import Corp

PAGE = "/connection/"
DEEDS = ["checks/sending/", "proofs/", "proofs/1/drop/", "codes/"]


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def pressed(client: Client, name: str, **data: str) -> str:
    """The row that the page swaps in after the press of a check's button."""
    answer = client.post(f"{PAGE}checks/{name}/", data, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


class TestWhoMay:
    @pytest.mark.parametrize("address", ["", *DEEDS])
    def test_strangers_are_sent_to_the_login(self, address: str, db: None) -> None:
        answer = Client().post(PAGE + address) if address else Client().get(PAGE)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")

    @pytest.mark.parametrize("address", ["", *DEEDS])
    def test_operators_are_refused(self, address: str, bob: User) -> None:
        DomainProof.objects.create(pk=1, name="WW_verify_a.txt", content="a")
        client = Client()
        client.force_login(bob)
        assert (client.post(PAGE + address) if address else client.get(PAGE)).status_code == 403
        assert (Finding.objects.count(), DomainProof.objects.count(), AuditRecord.objects.count()) == (0, 1, 0)

    def test_deeds_are_posts(self, console: Client) -> None:
        for address in DEEDS:
            assert console.get(PAGE + address).status_code == 405

    def test_the_menu_shows_it_to_administrators_alone(self, console: Client, bob: User) -> None:
        operator = Client(headers={"host": "localhost"})
        operator.force_login(bob)
        assert f'href="{PAGE}"' in console.get("/admin/").content.decode()
        assert f'href="{PAGE}"' not in operator.get("/admin/").content.decode()


class TestThePage:
    def test_lists_every_check_before_any_was_tried(self, console: Client) -> None:
        text = console.get(PAGE).content.decode()
        for name in checks:
            assert f'id="check-{name}"' in text
            assert reverse("connection:try", args=[name]) in text
        assert "企微后台 &gt; 应用管理 &gt; 自建应用 &gt; 开发者接口 &gt; 企业可信IP" in text
        assert "/wecom/callback/" in text

    def test_costs_as_many_queries_after_all_were_tried(
        self, console: Client, alice: User, django_assert_max_num_queries: Any
    ) -> None:
        Finding.objects.bulk_create(
            Finding(name=name, state="ok", words=f"words of {name}", tried_by=alice) for name in checks
        )
        with django_assert_max_num_queries(10):
            text = console.get(PAGE).content.decode()
        assert "words of callback" in text

    def test_shows_the_brake_as_every_page_does(self, console: Client, settings: Any) -> None:
        settings.SENDING, settings.SENDING_ALLOWLIST = "allowlist", frozenset({"wmLin"})
        text = console.get(PAGE).content.decode()
        assert 'class="c-brake allowlist"' in text
        assert "<code>wmLin</code>" in text


class TestAPress:
    def test_tries_one_check_and_keeps_what_was_found(self, console: Client, settings: Any, alice: User) -> None:
        settings.SENDING = "off"

        row = pressed(console, "sending")

        finding = Finding.objects.get()
        assert (finding.name, finding.state, finding.tried_by) == ("sending", "warning", alice)
        assert finding.words in row and 'id="check-sending"' in row
        assert 'id="summary"' in row and "hx-trigger" not in row
        assert AuditRecord.objects.filter(deed="connection.check", subject="sending", user=alice).count() == 1

    def test_replaces_the_finding_of_before(self, console: Client, settings: Any) -> None:
        for settings.SENDING in ("off", "on"):
            pressed(console, "sending")
        assert list(Finding.objects.values_list("name", "state")) == [("sending", "ok")]

    def test_of_the_button_for_all_goes_on_to_the_next(self, console: Client) -> None:
        names = [check.name for check in in_order()]
        after = names[names.index("sending") + 1]
        row = pressed(console, "sending", all="1")
        assert f'hx-post="{PAGE}checks/{after}/" hx-target="#check-{after}"' in row
        assert 'hx-trigger="load"' in row

    def test_without_scripts_leads_back_to_the_page(self, console: Client) -> None:
        answer = console.post(f"{PAGE}checks/time_zone/")
        assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
        assert Finding.objects.get().name == "time_zone"

    def test_of_a_check_that_does_not_exist_finds_nothing(self, console: Client) -> None:
        assert console.post(f"{PAGE}checks/nothing/").status_code == 404


class TestProofs:
    def test_a_file_is_served_as_soon_as_it_is_uploaded(self, console: Client, alice: User) -> None:
        upload = SimpleUploadedFile("WW_verify_Qq1.txt", b"Qq1Content\n")
        assert console.post(f"{PAGE}proofs/", {"file": upload}).status_code == 302
        answer = Client().get("/WW_verify_Qq1.txt")
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"Qq1Content", "text/plain")
        assert AuditRecord.objects.filter(deed="domain_proof.keep", subject="WW_verify_Qq1.txt", user=alice).exists()

    def test_name_and_content_may_be_typed_in(self, console: Client) -> None:
        console.post(f"{PAGE}proofs/", {"name": " WW_verify_Qq2.txt ", "content": " Qq2Content "})
        assert Client().get("/WW_verify_Qq2.txt").content == b"Qq2Content"

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("index.html", "a"),
            ("WW_verify_../../x.txt", "a"),
            ("WW_verify_a.txt", ""),
            ("WW_verify_a.txt", "<script>alert(1)</script>"),
            ("WW_verify_a.txt", "a" * 201),
            ("", ""),
        ],
    )
    def test_what_is_no_proof_is_refused(self, console: Client, name: str, content: str) -> None:
        answer = console.post(f"{PAGE}proofs/", {"name": name, "content": content}, follow=True)
        assert len(list(answer.context["messages"])) == 1
        assert not DomainProof.objects.exists()
        assert not AuditRecord.objects.exists()

    def test_one_of_the_setting_is_served_until_a_kept_one_replaces_it(self, console: Client, settings: Any) -> None:
        settings.DOMAIN_PROOFS = ["WW_verify_s.txt=of-the-setting"]
        assert Client().get("/WW_verify_s.txt").content == b"of-the-setting"
        console.post(f"{PAGE}proofs/", {"name": "WW_verify_s.txt", "content": "kept"})
        assert Client().get("/WW_verify_s.txt").content == b"kept"

    def test_a_dropped_one_is_gone(self, console: Client) -> None:
        proof = DomainProof.objects.create(name="WW_verify_d.txt", content="d")
        console.post(f"{PAGE}proofs/{proof.pk}/drop/")
        assert Client().get("/WW_verify_d.txt").status_code == 404
        assert AuditRecord.objects.filter(deed="domain_proof.drop", subject="WW_verify_d.txt").count() == 1


class TestCodes:
    def test_readable_ones_become_channels_once(self, corp: Corp, alice: User) -> None:
        console = Client()
        console.force_login(alice)
        corp.act("create_way", users=["wanglei"], state="ours", app=1000002)
        corp.act("create_way", users=["wanglei"], state="theirs", app=1000077)
        corp.act("create_way", users=["wanglei"], state="", app=1000002)
        ledger = corp.standin.ledger.of()

        for _ in range(2):
            console.post(f"{PAGE}codes/")

        assert list(Channel.objects.values_list("state", "name")) == [("ours", "ours")]
        assert corp.standin.ledger.of() == ledger
        records = AuditRecord.objects.filter(deed="channel.adopt").order_by("pk")
        assert [record.detail for record in records] == [{"count": 1}, {"count": 0}]

    def test_a_refusal_is_said(self, corp: Corp, alice: User) -> None:
        console = Client()
        console.force_login(alice)
        api = "externalcontact/list_contact_way"
        corp.standin.faults.add({"api": api, "action": "errcode", "value": 48002, "count": 0})
        answer = console.post(f"{PAGE}codes/", follow=True)
        assert len(list(answer.context["messages"])) == 1
        assert not Channel.objects.exists()
        assert not AuditRecord.objects.exists()


def test_the_home_page_s_checklist_leads_to_the_guide(console: Client, settings: Any) -> None:
    settings.WECOM_SECRET = ""
    assert f'class="c-btn sm p" href="{PAGE}"' in console.get("/admin/").content.decode()
