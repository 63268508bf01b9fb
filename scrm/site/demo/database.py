"""Whose database it is: the demo plays only in those that it made itself, and knows what it put there."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from scrm.site.demo.options import DemoError

MAKER = "wecom-scrm demo"


def recognise(url: str, *, ours: bool) -> dict[str, Any]:
    """What the demo noted on its database. `ours`: it is the embedded one.

    Makes the database when it does not exist, makes it anew when an earlier demo ended before the history was
    complete. Raises DemoError for a foreign one.
    """
    try:
        note = read_note(url)
    except psycopg2.OperationalError as error:
        if "does not exist" not in str(error):
            raise DemoError(f"DATABASE_URL: the database can't be reached: {str(error).strip()}") from error
        note = {"missing": True}
    if note.get("missing"):
        _on_server(url, "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
    elif note.get("maker") == MAKER and note.get("unfinished"):
        _on_server(url, "DROP DATABASE {} WITH (FORCE)", "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
    else:
        return _own(note, ours=ours)
    write_note(url, {})
    return {}


def _own(note: dict[str, Any], *, ours: bool) -> dict[str, Any]:
    if note.get("maker") != MAKER and not ours:
        raise DemoError(
            "DATABASE_URL: the demo did not make this database and does not touch it. "
            "Give the name of one that does not exist yet (the demo makes it), or leave DATABASE_URL out."
        )
    return note


def read_note(url: str) -> dict[str, Any]:
    """The note on the database itself; empty when it has none of ours."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
    finally:
        connection.close()
    try:
        note = json.loads(row[0]) if row and row[0] else {}
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def write_note(url: str, note: dict[str, Any]) -> None:
    """Keeps a note on the database, so that it travels with the data."""
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(name_of(url)), sql.Literal(json.dumps({"maker": MAKER, **note}))
    )
    _run(url, statement)


def forget_workers(url: str) -> None:
    """Removes the signs of life of an earlier run's workers: /readyz waits for those of this run."""
    _run(url, sql.Composed([sql.SQL("DELETE FROM base_heartbeat")]))


def name_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def _on_server(url: str, *statements: str) -> None:
    """Runs statements about the database of `url`, whose name fills their `{}`, from beside it."""
    server = urlunsplit(urlsplit(url)._replace(path="/postgres"))
    try:
        for statement in statements:
            _run(server, sql.SQL(statement).format(sql.Identifier(name_of(url))))
    except psycopg2.Error as error:
        raise DemoError(f"DATABASE_URL: the database can't be made: {str(error).strip()}") from error


def _run(url: str, statement: sql.Composed) -> None:
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()
