"""Search of Chinese names without extensions: bigrams of the name, its pinyin and its initials, found by a GIN index."""

from functools import lru_cache

WORDS_KEPT = 8_192  # most words of names are single characters, and of these people use a few thousand


def index(name: str) -> list[str]:
    """The grams stored with a name: single characters, pairs, pinyin syllables' pairs and initials."""
    from pypinyin.seg.simpleseg import seg  # its dictionary takes 55 MB: for processes that write names only

    text = _plain(name)
    syllables = [syllable for word in seg(text) for syllable in _syllables(word)]
    initials = "".join(syllable[0] for syllable in syllables)
    found = set(text) | _pairs(text) | _pairs("".join(syllables)) | _pairs(initials)
    return sorted(found)


@lru_cache(WORDS_KEPT)
def _syllables(word: str) -> tuple[str, ...]:
    """The pinyin of a word as the dictionary cuts them. What has no pinyin stands for itself, each character alone."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin([word], errors=list))  # type: ignore[arg-type]  # its types know of one string only


def grams(query: str) -> list[str]:
    """The grams that a name must hold to match `query`; empty for an empty query."""
    text = _plain(query)
    return sorted(_pairs(text)) if len(text) > 1 else list(text)


def _plain(text: str) -> str:
    return "".join(text.lower().split())[:64]


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
