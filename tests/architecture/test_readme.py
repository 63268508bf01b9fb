"""README.md is true to the code: settings, commands and their options, menu, addresses, metrics, callback kinds, files."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve
from django.utils import translation

from analytics.metrics import METRICS
from scrm.base.roles import Role
from scrm.base.work.lanes import QUEUES
from scrm.env import SETTINGS
from scrm.site import navigation
from scrm.site.api.urls import urlpatterns
from scrm.wecom.callback import echo
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


def options_of(command: str) -> set[str]:
    loaded = load_command_class(get_commands()[command], command)
    return set(loaded.create_parser("manage.py", command)._option_string_actions)


@pytest.mark.parametrize(
    ("command", "said"),
    [(row[0], row[1]) for row in table("Commands", 2)]
    + [("demo", options) for options in re.findall(r'DEMO_ARGS="([^"]+)"', README)]
    + re.findall(r"manage\.py (\w+)([^`\n]*)", README),
)
def test_options_of_commands_exist(command: str, said: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", said.partition("#")[0]))

    assert named <= options_of(command)


def test_every_make_target_exists_and_every_check_has_its_line() -> None:
    targets = set(re.findall(r"^([a-z]+)(?: [a-z]+)*:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets
    assert {row[0].removeprefix("make ") for row in table("Tests and benchmarks", 2)} <= targets


def test_every_bench_is_described() -> None:
    named = set(re.findall(r"`(\w+)` –", section("Tests and benchmarks")))

    others = {"__main__", "audience", "company", "load", "one", "usage", "__init__"}
    assert named == {path.stem for path in (ROOT / "tests/benchmarks").glob("*.py")} - others


def test_the_menu_is_that_of_the_console() -> None:
    with translation.override("zh-hans"):
        menu = {str(group): {str(entry[0]) for entry in entries} for group, entries in navigation._MENU}
    rows = re.findall(r"^\| ([^`|]+) \| ([^`|].*) \|$", section("First screen"), re.MULTILINE)[1:]

    assert [name.partition(" ›")[0] for name, _ in rows if name != "---"] == list(menu)
    ours = [pair for pair in re.findall(r"(\w+) [›>] (\w+)", README) if pair[0] in menu]
    assert ours and [pair for pair in ours if pair[1] not in menu[pair[0]]] == []


def test_every_metric_is_listed() -> None:
    listed = re.search(r"^Metrics there are: (.*)\.$", README, re.MULTILINE)

    assert listed and re.findall(r"`(\w+)`", listed.group(1)) == list(METRICS)


def test_every_api_resource_is_named() -> None:
    resources = {str(item.pattern).partition("/")[0] for item in urlpatterns} - {"^(?:.*", "schema", "docs"}

    missing = {name for name in resources if f"`{name}/" not in section("REST API")}
    assert not missing


def test_every_deed_and_part_of_a_resource_is_named_and_exists() -> None:
    text = section("REST API")
    parts = {match[1] for item in urlpatterns if (match := re.search(r">/([\w-]+)/$", str(item.pattern)))}

    assert {part for part in parts if not re.search(rf"[`/]{part}/`", text)} == set()
    for address in re.findall(r"`([\w-]+/[\w{}/-]*)`", text):
        resolve("/api/v1/" + re.sub(r"{\w+}", "1", address)) if address.partition("/")[0] not in parts else None


@pytest.mark.parametrize("address", sorted(set(re.findall(r"(?:`|127\.0\.0\.1:8000)(/[a-z][\w/.-]*)", README))))
def test_addresses_lead_somewhere(address: str) -> None:
    if address == echo.PATH or address.startswith(("/run/", "/var/", "/app/")):
        return  # answered before Django; of the machine
    try:
        found = resolve(address)
    except Resolver404:
        pytest.fail(f"README.md names {address}, which leads nowhere")
    assert found.url_name != "nowhere"


def test_every_role_is_described() -> None:
    with translation.override("zh-hans"):
        roles = [(str(role.label), role.value) for role in reversed(Role)]

    assert re.findall(r"^\| (\w+) `(\w+)` \|", section("Users and roles"), re.MULTILINE) == roles


def test_words_of_the_glossary_are_models() -> None:
    models = {model.__name__ for model in apps.get_models()} | {"Metric"}
    words = re.findall(r"^\| [^|]+ \| ([^|]+) \|", section("Glossary"), re.MULTILINE)

    assert {name for word in words for name in re.findall(r"`([A-Z][a-z]\w+)`", word)} <= models


FILES = re.findall(r"`((?:scrm|contacts|groups|campaigns|analytics|tests|static|docs|scripts)/[\w./-]+)[`:]", README)


@pytest.mark.parametrize("file", sorted(set(FILES)))
def test_files_it_names_are_there(file: str) -> None:
    assert (ROOT / file).exists()


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
