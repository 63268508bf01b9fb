"""Fixtures for all tests: real services, the stand-in over HTTP, a fixed cast.

The cast: 王磊 (wanglei, department 2 销售) and 赵敏 (zhaomin, department 3 客服) serve customers; alice administers,
bob operates for department 2, charlie operates without a
department, frank has no role; 小林 is a customer, 福利群 a chat.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from contacts.models import Department, Staff
from scrm.base import clock, roles
from scrm.base.models import User
from scrm.base.roles import Role
from scrm.base.work import run as work_run
from tests import passing

KEPT = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


def pytest_configure(config: pytest.Config) -> None:
    """Slow password hashes are Django's business, not ours: a cheap one saves a second for each user of the cast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The same examples in every run: new ones are sought by hand (`--hypothesis-profile default`), not by who changes a word.
    examples.register_profile(
        "suite",
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],  # of a busy machine
    )
    examples.load_profile(config.getoption("--hypothesis-profile") or "suite")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured (`record_property`), such as the seconds after which a fault is over."""
    measured = [
        f"{report.nodeid.rpartition('::')[2]}: {name} {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
    ]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The databases are cloned from a migrated template before Django starts (tests.services)."""


@pytest.fixture
def committed(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which commits are real, so that workers, threads and processes see them. Emptied afterwards."""
    with django_db_blocker.unblock():
        begin_anew()
        yield
        _empty()


def _empty() -> None:
    from campaigns.models import WelcomeRule

    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in KEPT]
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
    WelcomeRule.objects.create(name="默认欢迎语", text="您好，我是{staff}。", returning_text="欢迎回来！我是{staff}。")
    connection.close()


def begin_anew() -> None:
    """As a process that has just begun, at an empty Redis."""
    from scrm.base import limits, redis
    from scrm.wecom import client

    Redis.from_url(settings.REDIS_URL).flushdb()  # however long it takes
    redis.forget_failures()
    limits.forget()
    client.forget()


@pytest.fixture
def work() -> Callable[..., int]:
    """Does all work that is due now, in this thread. Returns the number of jobs."""
    return work_run.run_due


@pytest.fixture
def departments(request: pytest.FixtureRequest) -> list[Department]:
    _needs_database(request)
    rows = [
        Department(id=1, name="总部", parent_id=0, path=[1]),
        Department(id=2, name="销售", parent_id=1, path=[1, 2]),
        Department(id=3, name="客服", parent_id=1, path=[1, 3]),
    ]
    return Department.objects.bulk_create(rows)


@pytest.fixture
def wanglei(departments: list[Department]) -> Staff:
    return Staff.objects.create(
        userid="wanglei", name="王磊", department_ids=[2], main_department=2, serves_customers=True
    )


@pytest.fixture
def zhaomin(departments: list[Department]) -> Staff:
    return Staff.objects.create(
        userid="zhaomin", name="赵敏", department_ids=[3], main_department=3, serves_customers=True
    )


@pytest.fixture
def alice(request: pytest.FixtureRequest) -> User:
    """Administers."""
    _needs_database(request)
    return User.objects.create_superuser("alice", password="alice")


@pytest.fixture
def bob(departments: list[Department]) -> User:
    """Operates for department 2."""
    return operator("bob", department_ids=[2])


@pytest.fixture
def charlie(request: pytest.FixtureRequest) -> User:
    """Logs in, sees nothing."""
    _needs_database(request)
    return operator("charlie")


@pytest.fixture
def frank(request: pytest.FixtureRequest) -> User:
    """Logs in, has no role; the scope alone opens nothing."""
    _needs_database(request)
    return User.objects.create_user("frank", password="frank", is_staff=True, sees_all=True)


def operator(username: str, **more: Any) -> User:
    """A user with the role of an operator, whose password is the name."""
    user = User.objects.create_user(username, password=username, is_staff=True, **more)
    roles.give(user, Role.OPERATOR)
    return user


def _needs_database(request: pytest.FixtureRequest) -> None:
    if "committed" not in request.fixturenames:
        request.getfixturevalue("db")


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> passing.Passing:
    """`passes(30)`: so many seconds of protocol time at the stand-in, at once."""
    return passing.begin(monkeypatch)


@pytest.fixture
def noon(settings: Any) -> None:
    """Midday of the company: today has hours on both sides. To be asked for before `moment`."""
    midday = clock.day_start(clock.today()) + dt.timedelta(hours=12)
    settings.CLOCK_OFFSET += (midday - clock.now()).total_seconds()


@pytest.fixture
def moment() -> dt.datetime:
    """Half an hour ago, whole seconds: when things happened."""
    return (clock.now() - dt.timedelta(minutes=30)).replace(microsecond=0)


@pytest.fixture
def standin(committed: None, settings: Any) -> Iterator[Any]:
    """The stand-in WeCom over real HTTP, empty, with our settings pointing at it."""
    from scrm.standin.server import StandIn

    server = StandIn(
        scenario="empty",
        corp_id=settings.WECOM_CORP_ID,
        secret=settings.WECOM_SECRET,
        callback_token=settings.WECOM_CALLBACK_TOKEN,
        aes_key=settings.WECOM_CALLBACK_AES_KEY,
    )
    server.start()
    settings.WECOM_API_URL = server.url
    settings.WECOM_OAUTH_URL = settings.WECOM_LOGIN_URL = server.site_url
    yield server
    server.stop()


@pytest.fixture
def corp(standin: Any) -> Any:
    """The stand-in with two staff members of ours, 王磊 and 赵敏, and a way to carry its events to us."""
    from tests.corp import Corp

    driver = Corp(standin)
    for department, name in ((2, "销售"), (3, "客服")):
        driver.act("create_party", name=name, party_id=department, parentid=1)
    driver.act("create_user", userid="wanglei", name="王磊", departments=[2])
    driver.act("create_user", userid="zhaomin", name="赵敏", departments=[3])
    driver.deliver([])
    return driver
