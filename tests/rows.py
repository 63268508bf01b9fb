"""Many rows at once, made by the database."""

from typing import Any

from django.db import connection, models


def insert(model: type[models.Model], size: int, where: str = "true", **columns: str) -> None:
    """One row per number; columns that are not named get their model's default."""
    rest: dict[str, Any] = {
        str(field.column): field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.column not in columns and not field.primary_key and not field.null and not field.has_db_default()
    }
    names = ", ".join(map(connection.ops.quote_name, [*columns, *rest]))
    values = ", ".join([*columns.values(), *(f"%({name})s" for name in rest)]).replace(" % ", " %% ")
    text = f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM generate_series(1, {size}) n WHERE {where.replace('%', '%%')}"
    with connection.cursor() as cursor:
        cursor.execute(text, rest)
