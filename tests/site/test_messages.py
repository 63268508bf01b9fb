"""The Chinese catalogue is complete, also for Unfold's own strings, and what is compiled is what is written."""

import re

import pytest
from django.utils import translation

from scrm.site import messages

HOLES = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%%")


def test_everything_that_we_say_is_translated() -> None:
    assert messages.missing(messages.load(), messages.ours()) == []


def test_everything_that_unfold_says_and_django_does_not_know_is_translated() -> None:
    wanted = messages.unfolds()
    assert len(wanted) > 100
    assert messages.missing(messages.load(), wanted) == []


def test_a_missing_translation_is_noticed() -> None:
    catalogue = messages.load()
    before = messages.missing(catalogue, messages.ours())
    catalogue.delete("Workbench")
    after = messages.missing(catalogue, messages.ours())
    assert [key for key in after if key not in before] == [("", "Workbench")]


def test_what_is_said_inside_f_strings_is_found() -> None:
    assert list(messages._said_in_python("from x import gettext as _\nf'{_(\"Version\")} 1'")) == [("", "Version")]


def test_nothing_is_kept_that_nobody_says() -> None:
    wanted = {
        text if isinstance(text, str) else text[0]
        for _context, text in (*messages.ours(), *messages.unfolds(), *messages.IMPROVED)
    }
    kept = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in messages.load() if entry.id}
    assert kept - wanted == set()


def test_the_compiled_file_is_up_to_date() -> None:
    written = {entry.id: entry.string for entry in messages.load() if entry.id}
    assert messages.compiled() == written


def test_translations_keep_the_holes_to_fill() -> None:
    for entry in messages.load():
        ids = entry.id if isinstance(entry.id, tuple) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        for string in strings:
            assert set(HOLES.findall(str(string))) == set(HOLES.findall(str(ids[-1]))), entry.id


def test_translations_speak_chinese() -> None:
    latin = {
        str(entry.id) for entry in messages.load() if entry.id and not re.search(r"[\u4e00-\u9fff]", str(entry.string))
    }
    assert latin <= {
        "%(greeting)s, %(name)s",
        "%(a)s of %(b)s",
        " By %(filter_title)s ",
        "%(app)s administration",
        "Redis",
        ": ",  # full-width signs in Chinese
        "; ",
    }, latin


@pytest.mark.parametrize(
    ("text", "chinese"), [("Workbench", "工作台"), ("Select value", "请选择"), ("Log out", "退出登录")]
)
def test_the_console_uses_them(text: str, chinese: str) -> None:
    with translation.override("zh-hans"):
        assert translation.gettext(text) == chinese


def test_translations_use_chinese_punctuation() -> None:
    half = re.compile(r"[\u4e00-\u9fff][,:;?!](?!\w)|[,:;?!][\u4e00-\u9fff]")
    assert [entry.string for entry in messages.load() if entry.id and half.search(str(entry.string))] == []
