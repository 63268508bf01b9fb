"""The message catalogue: what must be translated, whether it is, and bringing the files up to date.

`python -m scrm.site.messages` adds what is missing to `locale/zh_Hans/LC_MESSAGES/django.po` (untranslated, to be filled
in), drops what is no longer said, and compiles it. No gettext programs are needed.
"""

import ast
import datetime as dt
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PARTS = ("scrm", "contacts", "groups", "campaigns", "analytics", "templates")
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3), "_": None}
# name → how many of the first arguments are a context, and how many texts follow it
ARGUMENTS = {
    "_": (0, 1),
    **dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop"), (0, 1)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (1, 1)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (1, 2)),
}
_NO_DATE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
# Of Django's own, said better; a project's catalogue comes before those of Django.
IMPROVED: dict["Key", set[str]] = {
    ("", text): {"unfold", "django.contrib.admin"}
    for text in (" By %(filter_title)s ", "Log out", "%(app)s administration")
}
Id = str | tuple[str, ...]
Key = tuple[str, Id]  # context, text (and plural)


def ours() -> dict[Key, set[str]]:
    """Everything that our code and templates say, with the files that say it."""
    return _said_in((path for part in PARTS for path in _sources(ROOT / part)), ROOT)


def unfolds() -> dict[Key, set[str]]:
    """Everything that Unfold says and Django's own catalogues don't translate."""
    import unfold

    folder = Path(unfold.__file__).parent
    return {key: files for key, files in _said_in(_sources(folder), folder).items() if not _django_knows(key)}


def missing(catalogue: Catalog, wanted: Iterable[Key]) -> list[Key]:
    """Those without a (whole) translation."""
    return sorted((key for key in wanted if not _translated(_find(catalogue, key))), key=str)


def load() -> Catalog:
    """The catalogue as it stands in the repository."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def compiled() -> dict[Id, Id]:
    """What the compiled file says."""
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        return {_plain(message.id): _plain(message.string) for message in read_mo(file) if message.id}


def _plain(text: str | Sequence[str] | None) -> Id:
    return text or "" if text is None or isinstance(text, str) else tuple(text)


def update() -> list[Key]:
    """Rewrites and compiles the catalogue. Returns what is still untranslated."""
    wanted = {**IMPROVED, **unfolds(), **ours()}
    old = load() if CATALOGUE.exists() else Catalog(locale="zh_Hans")
    # No dates and names in the head: the files change only with what they say.
    new = Catalog(
        locale="zh_Hans", project="wecom-scrm", version="1", header_comment="# Chinese of the console.", fuzzy=False,
        creation_date=_NO_DATE, revision_date=_NO_DATE, last_translator="", language_team="", charset="utf-8",
    )  # fmt: skip
    for key in sorted(wanted, key=str):
        context, text = key
        found = _find(old, key)
        flags = ["python-format"] if "%(" in str(text) else []
        new.add(text, found.string if found else None, context=context or None, flags=flags)
    _write(new)
    return missing(new, wanted)


def _write(catalogue: Catalog) -> None:
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    with CATALOGUE.open("wb") as file:
        write_po(file, catalogue, width=120, omit_header=False, sort_output=False)
    with CATALOGUE.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def _find(catalogue: Catalog, key: Key) -> Message | None:
    context, text = key
    return catalogue.get(text if isinstance(text, str) else text[0], context or None)


def _translated(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return bool(strings) and all(strings)


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts and "locale" not in path.parts:
            yield path


def _said_in(paths: Iterable[Path], root: Path) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = {}
    for path in paths:
        for key in _said(path):
            found.setdefault(key, set()).add(str(path.relative_to(root)))
    return found


def _said(path: Path) -> Iterator[Key]:
    source = path.read_text(encoding="utf-8")
    yield from _said_in_python(source) if path.suffix == ".py" else _said_in_template(source)


def _said_in_template(source: str) -> Iterator[Key]:
    from django.utils.translation.template import templatize

    # What Django's own makemessages does: a template as Python text; without the indents, which mean nothing there.
    text = "\n".join(line.strip() for line in templatize(source).splitlines())
    for _line, found, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
        if found and (found if isinstance(found, str) else found[0]):
            yield context or "", found


def _said_in_python(source: str) -> Iterator[Key]:
    """By the syntax tree, which also looks into f-strings; and what the settings mean, for the page of settings."""
    if "gettext" not in source and "meaning=" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        yield from (("", text) for text in _meanings(node))
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        places = ARGUMENTS.get(name)
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if places is None or len(texts) < sum(places) or not texts[0]:
            continue
        context, said = (texts[0], texts[1:]) if places[0] else ("", texts)
        yield context, said[0] if places[1] == 1 else (said[0], said[1])


def _meanings(call: ast.Call) -> Iterator[str]:
    """`env.text("NAME", meaning="…")`: shown through gettext by scrm.site.console.settings."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "env":
        for keyword in call.keywords:
            if keyword.arg == "meaning" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)


def _django_knows(key: Key) -> bool:
    """Whether a catalogue of Django itself translates it."""
    from django.conf import settings
    from django.utils.translation import override, trans_real

    context, text = key
    first = text if isinstance(text, str) else text[0]
    with override("zh-hans"):
        catalogue = _django_catalogue(tuple(app for app in settings.INSTALLED_APPS if app.startswith("django.")))
    name = f"{context}{trans_real.CONTEXT_SEPARATOR}{first}" if context else first
    return bool(catalogue.get(name))


_django: dict[str, str] = {}


def _django_catalogue(apps: tuple[str, ...]) -> dict[str, str]:
    if not _django:
        import importlib

        folders = [Path(str(importlib.import_module("django.conf").__file__)).parent]
        folders += [Path(str(importlib.import_module(app).__file__)).parent for app in apps]
        for folder in folders:
            path = folder / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"
            if path.exists():
                with path.open("rb") as file:
                    for message in read_mo(file):
                        _remember(message)
    return _django


def _remember(message: Message) -> None:
    text = message.id if isinstance(message.id, str) else (message.id[0] if message.id else "")
    string = message.string if isinstance(message.string, str) else (message.string[0] if message.string else "")
    if text and string:
        _django[f"{message.context}\x04{text}" if message.context else text] = string


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    django.setup()
    left = update()
    sys.stdout.write("".join(f"untranslated: {text!r}\n" for _context, text in left) + f"{len(left)} untranslated\n")
