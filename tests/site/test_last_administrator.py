"""Two administrators who take the role from each other in the same moment: one of them stays."""

from threading import Barrier, Thread

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from scrm.base import roles
from scrm.base.console.editions import edition
from scrm.base.models import User


def change(by: User, whom: User) -> int:
    """Saves `whom` as an operator; the status of the answer."""
    client = Client(headers={"host": "localhost"})
    client.force_login(by)
    data = {"username": whom.username, "role": "operator", "is_active": "on", "seen": edition(whom)}
    return client.post(f"/admin/base/user/{whom.pk}/change/", data).status_code


def test_all_administrators_are_locked_before_the_one_who_is_changed(committed: None) -> None:
    """In one order: two who each held the other's row would wait for each other for ever."""
    anna, ben = (User.objects.create_superuser(name) for name in ("anna", "ben"))

    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert change(anna, ben) == 302

    locks = [row["sql"] for row in asked if "UPDATE" in row["sql"] and row["sql"].startswith("SELECT")]
    assert ["is_superuser" in sql.partition("WHERE")[2] for sql in locks] == [True, False]


def test_two_who_demote_each_other_at_once_leave_one(committed: None) -> None:
    pair = [User.objects.create_superuser(name) for name in ("anna", "ben")]
    start = Barrier(2)
    statuses: list[int] = []

    def demote(by: User, whom: User) -> None:
        start.wait(10)
        statuses.append(change(by, whom))
        connection.close()

    threads = [Thread(target=demote, args=(pair[number], pair[1 - number])) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(statuses) == 2 and statuses.count(302) == 1  # the other is refused, or is no administrator any more
    assert roles.administrators().count() == 1
