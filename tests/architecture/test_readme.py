"""README.md is true to the code: settings, commands, metrics, callback kinds, addresses, lanes."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from analytics.metrics import METRICS
from scrm.base.work.lanes import QUEUES
from scrm.env import SETTINGS
from scrm.site.api.urls import urlpatterns
from scrm.wecom.callback.routes import known_kinds
from tests.processes import ROOT

README = (ROOT / "README.md").read_text("utf-8")
OURS = ("scrm.site", "scrm.base", "scrm.wecom", "contacts", "groups", "campaigns", "analytics")


def section(title: str) -> str:
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {title}"
    return found.group(1)


def table(title: str, columns: int) -> list[tuple[str, ...]]:
    """Rows of the section's tables with so many columns, code marks off."""
    rows = [
        tuple(cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        for line in section(title).splitlines()
        if line.startswith("| `")
    ]
    return [row for row in rows if len(row) == columns]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    described = {row[0]: row[1:] for row in table("Settings", 3)}

    assert described == {item.name: (item.default, item.meaning) for item in SETTINGS.values()}


def test_every_callback_kind_is_in_the_table_of_events() -> None:
    listed = {(row[0], None if row[1] == "all" else frozenset(row[1].split(", "))) for row in table("Callbacks", 3)}

    assert listed == set(known_kinds())


def test_every_command_is_described() -> None:
    ours = {name for name, app in get_commands().items() if app in OURS}

    assert {row[0] for row in table("Commands", 2)} == ours


def test_every_metric_is_listed() -> None:
    listed = re.search(r"^Metrics there are: (.*)\.$", README, re.MULTILINE)

    assert listed and re.findall(r"`(\w+)`", listed.group(1)) == list(METRICS)


def test_every_api_resource_is_named() -> None:
    resources = {str(item.pattern).partition("/")[0] for item in urlpatterns} - {"^(?:.*", "schema", "docs"}

    missing = {name for name in resources if f"`{name}/" not in section("REST API")}
    assert not missing


def test_every_queue_has_a_worker_in_the_readme_and_in_the_compose_file() -> None:
    for text in (section("Running it for real"), (ROOT / "docker-compose.yml").read_text("utf-8")):
        served = {queue for queues in re.findall(r"-Q ([\w,]+)", text) for queue in queues.split(",")}
        assert served == set(QUEUES)


@pytest.mark.parametrize("folder", re.findall(r"^\| `([\w/]+/)` \|", README, re.MULTILINE))
def test_every_folder_of_the_map_is_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_every_package_is_on_the_map() -> None:
    on_the_map = set(re.findall(r"`([\w/]+)/`", section("Map of folders")))

    packages = {
        path.parent.relative_to(ROOT) for path in [*ROOT.glob("*/__init__.py"), *ROOT.glob("scrm/*/__init__.py")]
    }
    assert {str(path) for path in packages - {Path("scrm")}} <= on_the_map


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README) or ["README.md"])
def test_links_lead_to_files(link: str) -> None:
    assert (ROOT / link).exists()
