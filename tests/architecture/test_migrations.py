"""Migrations are forward-safe: the version before runs on the new schema, as the README's chapter on upgrades promises."""

from collections.abc import Iterator, Sequence

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

from tests.architecture.test_readme import OURS

# The last migration of each app in 0.1.0; before it there was no version that could run beside.
FIRST_RELEASE = {
    "base": "0001_first_tables",
    "wecom": "0002_api_calls",
    "contacts": "0003_staff_keep_their_former_userids",
    "groups": "0001_first_tables",
    "campaigns": "0002_default_welcome_rule",
    "analytics": "0003_fact_source",
}
# `app.migration` that drops what no code has read for a whole release.
LONG_UNUSED: set[str] = set()
LABELS = {config.label for config in apps.get_app_configs() if config.name in OURS}
DROPS = (
    migrations.RemoveField,
    migrations.DeleteModel,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.AlterModelTable,
)

Key = tuple[str, str]


def later_migrations(loader: MigrationLoader) -> list[Key]:
    """Ours since the first release."""
    keys = [key for key in loader.disk_migrations if key[0] in LABELS]
    return sorted(key for key in keys if key[1][:4] > FIRST_RELEASE.get(key[0], "")[:4])


def on_the_database(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from on_the_database(operation.database_operations)
        else:
            yield operation


def faults(loader: MigrationLoader, key: Key, new: set[Key]) -> Iterator[str]:
    """What the version before could not live with. `new`: (app, model) that no released version writes."""
    before = loader.project_state(key, at_end=False)
    for operation in on_the_database(loader.disk_migrations[key].operations):
        model = (key[0], str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower())
        where = f"{key[0]}.{key[1]}: {operation.describe()}"
        if isinstance(operation, migrations.CreateModel):
            new.add(model)
        elif model in new:
            continue
        elif isinstance(operation, DROPS):
            yield f"{where}: the version before still uses it"
        elif isinstance(operation, migrations.AddField) and not _may_be_left_out(operation.field):
            yield f"{where}: neither null nor db_default, so the version before could add no row"
        elif isinstance(operation, migrations.AlterField):
            was = before.models[model].fields.get(operation.name)
            if was and was.null and not operation.field.null:
                yield f"{where}: the version before may still write null"
        elif isinstance(operation, migrations.AddIndex) and not isinstance(operation, AddIndexConcurrently):
            yield f"{where}: locks out writers while it is built; AddIndexConcurrently does not"


def _may_be_left_out(field: models.Field) -> bool:  # type: ignore[type-arg]
    return field.many_to_many or field.null or field.db_default is not NOT_PROVIDED


def test_the_first_release_is_known_by_its_migrations() -> None:
    known = MigrationLoader(None).disk_migrations

    assert [key for key in FIRST_RELEASE.items() if key not in known] == []


def test_the_version_before_runs_on_the_new_schema() -> None:
    loader, new = MigrationLoader(None), set[Key]()

    found = [
        fault
        for key in later_migrations(loader)
        if f"{key[0]}.{key[1]}" not in LONG_UNUSED
        for fault in faults(loader, key, new)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (migrations.RemoveField("customer", "name"), "still uses it"),
        (migrations.RenameField("customer", "name", "title"), "still uses it"),
        (migrations.DeleteModel("customer"), "still uses it"),
        (migrations.AddField("customer", "mood", models.TextField(default="")), "could add no row"),
        (migrations.AlterField("customer", "lost_at", models.DateTimeField()), "may still write null"),
        (migrations.AddIndex("customer", models.Index(fields=["gender"], name="by_gender")), "locks out writers"),
        (migrations.AddField("customer", "mood", models.TextField(db_default="")), ""),
        (migrations.AddField("customer", "mood", models.TextField(null=True)), ""),
        (AddIndexConcurrently("customer", models.Index(fields=["gender"], name="by_gender")), ""),
    ],
)
def test_what_the_version_before_could_not_live_with_is_found(operation: Operation, reason: str) -> None:
    loader = MigrationLoader(None)
    key = ("contacts", FIRST_RELEASE["contacts"])
    loader.disk_migrations[key].__dict__["operations"] = [operation]

    found = list(faults(loader, key, set()))

    assert len(found) == bool(reason)
    assert all(reason in fault for fault in found)
