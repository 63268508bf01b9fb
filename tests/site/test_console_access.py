"""Who sees what in the console: one table over every registered page."""

import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from contacts.models import Customer, Staff
from groups.models import GroupChat
from scrm.base import roles
from scrm.base.console.pages import ConsolePage
from scrm.base.models import AuditRecord, User
from scrm.base.roles import Role
from tests.site import world

PAGES = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)
OPEN = {
    "campaigns.Broadcast", "campaigns.HandPost", "campaigns.Welcome", "campaigns.WelcomeRule", "contacts.Channel",
    "contacts.Customer", "contacts.Department", "contacts.Notice", "contacts.Staff", "contacts.Tag", "groups.GroupChat",
}  # fmt: skip
LABELS = [model._meta.label for model, _page in PAGES]


ROLES = [Role.STAFF, Role.OPERATOR, Role.MANAGER]  # administrators see everything

# Buttons and other addresses beside Django's own, with the roles that may use them; one that is not here fails the test.
ADMINISTRATORS: set[Role] = {Role.ADMINISTRATOR}
MANAGERS = {Role.MANAGER, Role.ADMINISTRATOR}
OPERATORS = {Role.OPERATOR, *MANAGERS}
EVERYBODY = set(Role)
DEEDS: dict[str, set[Role]] = {
    "base_apitoken_revoke": ADMINISTRATORS,
    "base_work_replay": ADMINISTRATORS,
    "wecom_callback_replay": ADMINISTRATORS,
    "contacts_syncrun_accept": ADMINISTRATORS,
    "contacts_syncrun_start": ADMINISTRATORS,
    "contacts_syncrun_progress": ADMINISTRATORS,
    "auth_user_password_change": ADMINISTRATORS,
    "base_work_replay-lane": ADMINISTRATORS,
    "campaigns_broadcast_approve": MANAGERS,
    "campaigns_broadcast_pause": MANAGERS,
    "campaigns_broadcast_resume": MANAGERS,
    "campaigns_broadcast_cancel": MANAGERS,
    "campaigns_broadcast_remind": MANAGERS,
    "campaigns_broadcast_copy": OPERATORS,
    "campaigns_broadcast_after_quiet": OPERATORS,
    "campaigns_broadcast_edit": OPERATORS,
    "campaigns_broadcast_chats": OPERATORS,
    "campaigns_broadcast_export": MANAGERS,
    "campaigns_broadcast_progress": EVERYBODY,
    "campaigns_broadcast_recipients": EVERYBODY,
    "campaigns_handpost_cancel": OPERATORS,
    "campaigns_handpost_remind": OPERATORS,
    "contacts_customer_do_not_contact": OPERATORS,
    "contacts_customer_export": MANAGERS,
    "contacts_customer_reveal": MANAGERS,
}
# Pages where a role may add and change; the others are looked at only.
WRITERS = {
    label: {Role.OPERATOR, Role.MANAGER}
    for label in ("contacts.Channel", "campaigns.Broadcast", "campaigns.HandPost", "campaigns.WelcomeRule")
}
FOREIGN = ("赵敏", "zhaomin")  # what of department 3 would show


@pytest.fixture(autouse=True)
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)


@pytest.fixture(params=ROLES)
def somebody(request: pytest.FixtureRequest, bob: User) -> User:
    """Bob of department 2, in each role."""
    roles.give(bob, request.param)
    return bob


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def list_address(page: ModelAdmin[Any]) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def address_of(page: ModelAdmin[Any], name: str, *rows: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{name}", args=[row.pk for row in rows])


def foreign_in(answer: Any) -> list[str]:
    """Words of the other department; what was asked for is no answer."""
    text = answer.content.decode()
    return [word for word in FOREIGN if word in text]


def may_write(model: Any, user: User) -> bool:
    return user.role in WRITERS.get(model._meta.label, set())


def detail_address(page: ModelAdmin[Any], row: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk])


def test_every_page_is_a_console_page_and_the_open_ones_are_these() -> None:
    assert all(isinstance(page, ConsolePage) for _model, page in PAGES)
    assert {label for label, (_model, page) in zip(LABELS, PAGES, strict=True) if page.open_to_staff} == OPEN  # type: ignore[attr-defined]


def test_an_open_page_without_scope_names_no_customer() -> None:
    unscoped = {model._meta.label for model, page in PAGES if page.open_to_staff and not page.scoped}  # type: ignore[attr-defined]
    assert unscoped == {"contacts.Tag"}


@pytest.mark.parametrize(("model", "page"), PAGES, ids=LABELS)
class TestEachPage:
    def test_sends_strangers_to_the_login(self, model: Any, page: Any) -> None:
        answer = Client(headers={"host": "localhost"}).get(list_address(page))
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")

    def test_sends_users_without_console_access_to_the_login(self, model: Any, page: Any) -> None:
        outsider = User.objects.create_user("outsider", password="x", sees_all=True)
        roles.give(outsider, Role.MANAGER)
        User.objects.filter(pk=outsider.pk).update(is_staff=False)
        answer = client_of(outsider).get(list_address(page))
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")

    def test_shows_administrators_every_row(self, model: Any, page: Any, alice: User) -> None:
        client = client_of(alice)
        answer = client.get(list_address(page))
        assert answer.status_code == 200
        expected = page.get_queryset(answer.wsgi_request).count()
        assert answer.context["cl"].result_count == expected > 0
        row = page.get_queryset(answer.wsgi_request).first()
        assert client.get(detail_address(page, row)).status_code == 200

    def test_opens_to_each_role_only_what_is_theirs(self, model: Any, page: Any, somebody: User) -> None:
        client = client_of(somebody)
        answer = client.get(list_address(page))
        if not page.open_to_staff:
            assert answer.status_code == 403
            assert client.get(detail_address(page, model._default_manager.first())).status_code == 403
            return
        assert answer.status_code == 200
        mine = set(model._default_manager.all() if not page.scoped else model.objects.visible_to(somebody))
        assert mine
        shown = {row.pk for row in answer.context["cl"].queryset}
        assert shown == {row.pk for row in mine if page.get_queryset(answer.wsgi_request).filter(pk=row.pk).exists()}
        assert foreign_in(answer) == []

    def test_answers_a_row_out_of_scope_like_one_that_does_not_exist(
        self, model: Any, page: Any, somebody: User
    ) -> None:
        if not page.open_to_staff or not page.scoped:
            return
        seen = set(model.objects.visible_to(somebody).values_list("pk", flat=True))
        foreign = model.objects.exclude(pk__in=seen).first()
        if foreign is None:
            return
        client = client_of(somebody)
        for address in (detail_address(page, foreign), address_of(page, "history", foreign)):
            answer = client.get(address)
            assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/"), address

    def test_shows_no_trace_of_others_on_the_pages_of_the_own_rows(self, model: Any, page: Any, somebody: User) -> None:
        if not page.open_to_staff:
            return
        client = client_of(somebody)
        for row in model.objects.visible_to(somebody) if page.scoped else model._default_manager.all():
            for address in (detail_address(page, row), address_of(page, "history", row)):
                assert foreign_in(client.get(address)) == [], address

    def test_searches_nobody_else(self, model: Any, page: Any, somebody: User) -> None:
        if not page.open_to_staff or not page.search_fields:
            return
        client = client_of(somebody)
        for term in ("赵敏", "zhaomin", "wmzhaomin0", "wrzhaomin"):
            found = client.get(list_address(page), {"q": term})
            assert found.context["cl"].result_count == 0, term

    def test_offers_nobody_else_while_one_types(self, model: Any, page: Any, somebody: User) -> None:
        for field in page.autocomplete_fields:
            asked = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field,
                "term": "",
            }
            answer = client_of(somebody).get("/admin/autocomplete/", asked)
            assert answer.status_code == (200 if may_write(model, somebody) or page.open_to_staff else 403)
            assert foreign_in(answer) == []

    def test_is_written_by_those_who_may(self, model: Any, page: Any, somebody: User) -> None:
        client = client_of(somebody)
        allowed = may_write(model, somebody)
        assert client.get(address_of(page, "add")).status_code == (200 if allowed else 403)
        row = (
            model.objects.visible_to(somebody).first()
            if page.open_to_staff and page.scoped
            else model._default_manager.first()
        )
        only_shown = bool(page.open_to_staff and page.detail_template)  # no form that could take anything
        assert client.post(detail_address(page, row), {}).status_code == (200 if allowed or only_shown else 403)

    def test_is_a_page_that_says_whom_to_ask_without_a_role(self, model: Any, page: Any, frank: User) -> None:
        client = client_of(frank)
        row = model._default_manager.first()
        for address in (
            list_address(page),
            address_of(page, "add"),
            detail_address(page, row),
            address_of(page, "history", row),
        ):
            answer = client.get(address)
            assert (answer.status_code, answer.templates[0].name) == (200, "console/roleless.html"), address

    def test_shows_nothing_of_customers_without_departments(self, model: Any, page: Any, charlie: User) -> None:
        answer = client_of(charlie).get(list_address(page))
        if not page.open_to_staff:
            assert answer.status_code == 403
        elif page.scoped and model._meta.label not in {"contacts.Channel", "campaigns.WelcomeRule"}:
            assert answer.context["cl"].result_count == 0
            assert "还没有数据权限" in answer.content.decode()

    def test_offers_no_filter_choice_out_of_scope(self, model: Any, page: Any, somebody: User) -> None:
        if not page.open_to_staff:
            return
        specs = client_of(somebody).get(list_address(page)).context["cl"].filter_specs
        offered = str([list(getattr(spec, "lookup_choices", [])) for spec in specs])
        assert "zhaomin" not in offered
        assert "赵敏" not in offered

    def test_can_not_be_deleted_from(self, model: Any, page: Any, alice: User) -> None:
        row = model._default_manager.first()
        address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_delete", args=[row.pk])
        assert client_of(alice).post(address, {"post": "yes"}).status_code == 403
        assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    "label",
    sorted(
        set(LABELS)
        - {
            "campaigns.Broadcast",
            "campaigns.HandPost",
            "contacts.Channel",
            "campaigns.WelcomeRule",
            "base.ApiToken",
            "base.User",
        }
    ),
)
def test_what_mirrors_the_platform_can_not_be_written(label: str, alice: User) -> None:
    model, page = next(item for item in PAGES if item[0]._meta.label == label)
    row = model._default_manager.first()
    assert row is not None
    client = client_of(alice)
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert client.get(reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_add")).status_code == 403
    client.post(detail_address(page, row), {"name": "changed", "state": "changed"})
    assert model._default_manager.filter(pk=row.pk).values().get() == before


def test_autocomplete_of_staff_stays_in_scope(bob: User) -> None:
    asked = {"app_label": "campaigns", "model_name": "welcomerule", "field_name": "staff", "term": ""}
    answer = client_of(bob).get("/admin/autocomplete/", asked)
    assert [item["text"] for item in answer.json()["results"]] == ["王磊"]


def test_a_filter_by_a_foreign_staff_member_finds_nothing(bob: User) -> None:
    answer = client_of(bob).get("/admin/contacts/customer/?staff=zhaomin")
    assert answer.context["cl"].result_count == 0


def test_a_shared_customer_shows_only_the_own_friendship(bob: User, zhaomin: Staff, moment: dt.datetime) -> None:
    shared = Customer.objects.get(external_userid="wmwanglei0")
    shared.follows.create(staff=zhaomin, added_at=moment, add_way=1, remark="赵敏的私下备注")
    text = client_of(bob).get(f"/admin/contacts/customer/{shared.pk}/change/").content.decode()
    assert "王磊的备注" in text
    assert "赵敏的私下备注" not in text
    assert "赵敏" not in text


def test_members_of_other_scopes_are_named_but_lead_nowhere(bob: User, wanglei: Staff, moment: dt.datetime) -> None:
    chat = GroupChat.objects.get(owner=wanglei)
    foreign = Customer.objects.get(external_userid="wmzhaomin0")
    chat.stays.create(member_id="wmzhaomin0", customer=foreign, joined_at=moment, joined_known_by="event")
    text = client_of(bob).get(f"/admin/groups/groupchat/{chat.pk}/change/").content.decode()
    assert f"/admin/contacts/customer/{foreign.pk}/" not in text
    assert f"/admin/contacts/customer/{Customer.objects.get(external_userid='wmwanglei0').pk}/" in text


def test_the_palette_finds_customers_of_the_own_scope_by_pinyin(alice: User, bob: User) -> None:
    found = client_of(bob).get("/admin/search/?s=kehu&extended=1").content.decode()
    assert "王磊的客户0" in found
    assert "赵敏的客户0" not in found
    assert "赵敏的客户0" in client_of(alice).get("/admin/search/?s=kehu&extended=1").content.decode()


def test_the_menu_names_only_pages_that_open(alice: User, bob: User) -> None:
    for user in (alice, bob):
        client = client_of(user)
        groups = client.get("/admin/").context["sidebar_navigation"]
        links = [item["link"] for group in groups for item in group["items"]]
        assert links[0] == "/admin/"
        assert [client.get(link).status_code for link in links] == [200] * len(links)
    assert "/admin/wecom/callback/" not in links


def test_every_address_of_the_console_is_in_the_table() -> None:
    own = {"add", "autocomplete", "change", "changelist", "delete", "history"}
    found = set()
    for model, page in PAGES:
        standard = {f"{model._meta.app_label}_{model._meta.model_name}_{name}" for name in own}
        found |= {pattern.name for pattern in page.get_urls() if pattern.name} - standard
    assert found == set(DEEDS)


@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize("role", Role)
def test_deeds_are_for_the_roles_of_the_table(name: str, role: Role, bob: User) -> None:
    roles.give(bob, role)
    models: dict[str, Any] = {"auth.user": User, **{model._meta.label_lower: model for model, _page in PAGES}}
    label = ".".join(name.split("_")[:2])
    rows = models[label]._default_manager
    scoped = label in {"contacts.customer", "campaigns.broadcast"}
    row = rows.visible_to(bob).latest("pk") if scoped else rows.earliest("pk")

    answer: Any = client_of(bob).post(deed_address(name, row))

    assert (answer.status_code == 403) is (role not in DEEDS[name]), answer.status_code
    if role is not Role.ADMINISTRATOR:
        text = answer.getvalue().decode()
        assert [word for word in FOREIGN if word in text] == []


def deed_address(name: str, row: Any) -> str:
    """The address of a button of `row`, or of the list where it takes none."""
    try:
        return reverse(f"admin:{name}", args=[row.pk])
    except NoReverseMatch:
        return reverse(f"admin:{name}")


@pytest.mark.parametrize(
    "address", ["contacts/", "groups/", "campaigns/", "password_change/", "contacts/customer/{}/history/"]
)
def test_the_frame_s_own_pages_open(address: str, bob: User) -> None:
    customer = Customer.objects.visible_to(bob).latest("pk")
    assert client_of(bob).get(f"/admin/{address.format(customer.pk)}").status_code == 200


def test_a_password_is_set_by_administrators_and_noted(alice: User, bob: User) -> None:
    address = f"/admin/base/user/{bob.pk}/password/"
    assert client_of(bob).get(address).status_code == 403
    data = {"password1": "a-Long-pass-phrase-9", "password2": "a-Long-pass-phrase-9", "usable_password": "true"}
    assert client_of(alice).post(address, data).status_code == 302
    bob.refresh_from_db()
    assert bob.check_password("a-Long-pass-phrase-9")
    assert AuditRecord.objects.filter(deed="user.change", subject="bob", username="alice").count() == 1


def test_history_of_a_foreign_customer_is_closed(bob: User) -> None:
    foreign = Customer.objects.get(external_userid="wmzhaomin0")
    assert client_of(bob).get(f"/admin/contacts/customer/{foreign.pk}/history/").status_code == 302
