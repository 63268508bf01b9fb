"""Two administrators who take the role from each other in the same moment: one of them stays."""

from threading import Barrier, Thread

from django.db import connection
from django.test import Client

from scrm.base import roles
from scrm.base.console.editions import edition
from scrm.base.models import User


def test_two_who_demote_each_other_at_once_leave_one(committed: None) -> None:
    pair = [User.objects.create_superuser(name) for name in ("anna", "ben")]
    start = Barrier(2)
    statuses: list[int] = []

    def demote(by: User, whom: User) -> None:
        client = Client(headers={"host": "localhost"})
        client.force_login(by)
        start.wait(10)
        data = {"username": whom.username, "role": "operator", "is_active": "on", "seen": edition(whom)}
        statuses.append(client.post(f"/admin/base/user/{whom.pk}/change/", data).status_code)
        connection.close()

    threads = [Thread(target=demote, args=(pair[number], pair[1 - number])) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(statuses) == 2 and statuses.count(302) == 1  # the other is refused, or is no administrator any more
    assert roles.administrators().count() == 1
