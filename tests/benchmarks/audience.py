"""Customers with a friend among the staff, by the hundred thousand: ours by SQL, the stand-in's by its hidden pages."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from campaigns.models import Broadcast
from campaigns.sending import compose
from contacts.models import Customer, Follow, Staff
from scrm.base.models import User
from tests import processes
from tests.benchmarks.welcome import Control
from tests.rows import insert

A_POST = 20_000  # adds in one request to the stand-in


def befriend(size: int, staff: int, *, shared: int = 25) -> None:
    """`size` customers spread evenly over the staff; every `shared`-th has a second friend there."""
    insert(Staff, staff, userid="'staff' || n", name="'员工' || n", serves_customers="true")
    insert(
        Customer, size, external_userid="'wm' || n", open_follows="1", first_added_at="now() - interval '90 days'",
        name="'客户' || n",
    )  # fmt: skip
    member, person = "(SELECT min(id) FROM contacts_staff)", "(SELECT min(id) FROM contacts_customer) + n - 1"
    added = "now() - interval '90 days' + n % 80000 * interval '1 second'"
    insert(Follow, size, staff_id=f"{member} + n % {staff}", customer_id=person, added_at=added)
    second = f"{member} + (n + 1) % {staff}"
    insert(
        Follow, size, f"n % {shared} = 0", staff_id=second, customer_id=person, added_at=f"{added} + interval '1 day'"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def befriend_there(control: Control, size: int, staff: int) -> None:
    """The same first friends in the stand-in."""
    for number in range(1, staff + 1):
        control.post("actions", {"action": "create_user", "callback": False, "userid": f"staff{number}", "name": "x"})
    for start in range(1, size + 1, A_POST):
        control.post(
            "actions",
            [
                {
                    "action": "add", "callback": False, "welcome": False, "userid": f"staff{n % staff + 1}",
                    "external_userid": f"wm{n}",
                }
                for n in range(start, min(start + A_POST, size + 1))
            ],
        )  # fmt: skip


def draft(user: User, text: str = "新品上架") -> Broadcast:
    """A broadcast to everybody."""
    broadcast = compose.draft(user, name="上新", audience_={"filter": {}}, text=text)
    broadcast.save()
    return broadcast


@contextmanager
def platform(*options: str) -> Iterator[Control]:
    """A stand-in without history, lag and traffic in a process of its own."""
    port = processes.free_port()
    command = [sys.executable, "-m", "scrm.standin", "--port", str(port), "--scenario", "empty", "--no-traffic"]
    with processes.process([*command, "--quiet", *options]):
        processes.wait_for(f"http://127.0.0.1:{port}/_standin/calls")
        yield Control(port)
