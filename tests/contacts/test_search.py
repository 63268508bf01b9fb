"""The grams of a name: found by its characters, its pinyin and its initials."""

import random

import pytest
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from contacts import search


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("王小明", "小明"),
        ("王小明", "xiaom"),
        ("王小明", "wxm"),
        ("Anna 李", "nali"),
        ("重庆小面", "chongq"),
        ("😀林", "😀林"),
    ],
)
def test_a_name_is_found(name: str, query: str) -> None:
    assert set(search.grams(query)) <= set(search.index(name))


def test_words_looked_up_one_by_one_read_as_the_whole_name() -> None:
    """Some characters read otherwise in a word, so words must be cut as the dictionary cuts them."""
    chance, phrases = random.Random(4), sorted(PHRASES_DICT)
    for words in (chance.choices(phrases, k=chance.randint(1, 3)) for _ in range(500)):
        name = chance.choice(("", "A", "😀", "王")).join(words)[:64]
        syllables = lazy_pinyin(name.lower(), errors=list)  # type: ignore[arg-type]
        together, initials = "".join(syllables), "".join(syllable[0] for syllable in syllables)
        pairs = {text[i : i + 2] for text in (name.lower(), together, initials) for i in range(len(text) - 1)}
        assert search.index(name) == sorted({*name.lower(), *pairs})
