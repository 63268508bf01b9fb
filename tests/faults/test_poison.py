"""Work that raises, eats all memory or kills its process: set aside after three tries, and its neighbours are done."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scrm.base.models import Work
from scrm.embedded.children import Child, Children
from tests import processes
from tests.faults.installation import seen

pytestmark = [pytest.mark.timeout(240), pytest.mark.faults]

LANE = "test:poison"
NEIGHBOURS = [f"thing-{number}" for number in range(5)]


@contextmanager
def supervised(folder: Path, *arguments: str) -> Iterator[Children]:
    """The pumps, started again whenever they die, as the demo and a deployment do it."""
    command = [sys.executable, "-m", "tests.faults.poisoned", *arguments]
    family = Children(dict(os.environ), processes.ROOT, str(folder))
    family.start(Child("poisoned", command, folder / "poisoned.log"))
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            family.look(lambda child: None)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield family
    finally:
        over.set()
        watching.join()
        family.stop()


def write(*names: str) -> None:
    Work.objects.bulk_create(
        Work(source_kind="test", source_id=number, lane=LANE, entity=f"work:{name}")
        for number, name in enumerate(names)
    )


def ends() -> dict[str, tuple[str, int]]:
    """State and attempts by name."""
    rows = Work.objects.filter(lane=LANE).values_list("entity", "state", "attempts")
    return {entity.removeprefix("work:"): (state, attempts) for entity, state, attempts in rows}


def settled() -> bool:
    return not Work.objects.filter(lane=LANE, state__in=["waiting", "leased"]).exists()


def test_what_kills_its_worker_is_set_aside_alone(committed: None, tmp_path: Path) -> None:
    write("abort-1", *NEIGHBOURS)
    with supervised(tmp_path):
        seen(settled, 90)
        poison = ends().pop("abort-1")

        assert poison == ("quarantined", 3)
        assert {ends()[name][0] for name in NEIGHBOURS} == {"done"}
        assert max(ends()[name][1] for name in NEIGHBOURS) <= 2


def test_the_harness_catches_suspects_that_are_tried_together(committed: None, tmp_path: Path) -> None:
    write("abort-1", *NEIGHBOURS)
    with supervised(tmp_path, "together"):
        seen(settled, 90)

        assert "quarantined" in {ends()[name][0] for name in NEIGHBOURS}


def test_what_raises_or_eats_memory_holds_nobody_up(committed: None, tmp_path: Path) -> None:
    write("raise-1", "eat-1", *NEIGHBOURS)
    with supervised(tmp_path) as family:
        seen(settled, 60)

        assert (ends()["raise-1"], ends()["eat-1"]) == (("quarantined", 3), ("quarantined", 3))
        assert {ends()[name] for name in NEIGHBOURS} == {("done", 0)}
        assert Work.objects.get(entity="work:eat-1").error.startswith("MemoryError")
        assert family.members[0].deaths == 0
