"""Does an answer say what the gold answer says? SQuAD's measures, for any language.

Normalising follows SQuAD's script (Rajpurkar et al. 2016) and MLQA's (Lewis et al. 2020), which
knows articles of other languages and counts Chinese by characters, with these changes: dashes,
slashes and Chinese marks part words instead of joining them, and numbers keep their value ("5.5"
is not "55", "1,600" is "1600").
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

ARTICLES = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the",
        "de": "ein eine einen einem eines einer der die das den dem des",
        "hu": "a az egy",
    }.items()
}
"""Words that do not count, by language (MLQA's lists; Hungarian is ours)."""

_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}([,.'’ ])\d{3}(?:\1\d{3})*(?![.,]?\d)|\d{1,3}(?:,\d{3})+")
_DECIMAL = re.compile(r"(?<=\d)[,.](?=\d)")
_POINT = "\ue000"  # private use: what no text holds stands for the decimal point
_CHARACTER = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
_TOKEN = re.compile(rf"{_CHARACTER}|(?:(?!{_CHARACTER})[\w{_POINT}])+")
_JOINER = re.compile(r"[-‐-―−/]")
# Chinese and full-width marks part words, for no space follows them; a full-width comma or point
# between digits is of the number.
_WIDE_MARK = re.compile(r"(?<=\d)[，．](?=\d)|([\u3001-\u303f\uff01-\uff0f\uff1a-\uff20])")
# What may follow a contained answer: longer words are inflected ("Budapest" in "Budapesten").
_INFLECTED = 4
_MOST_SUFFIX = 4


def tokens(text: str, language: str = "en") -> list[str]:
    """Return the words of text without case, punctuation and articles; Han by characters.

    Where articles are all there is, they stay.
    """
    plain = _WIDE_MARK.sub(lambda mark: " " if mark[1] else mark[0], text)
    plain = unicodedata.normalize("NFKC", plain).casefold()
    plain = _GROUPED.sub(lambda number: re.sub(r"\D", "", number[0]), plain)
    plain = _DECIMAL.sub(_POINT, plain)
    plain = _JOINER.sub(" ", plain)
    plain = "".join(c for c in plain if c == _POINT or unicodedata.category(c)[0] not in "PS")
    found = _TOKEN.findall(plain)
    kept = [token for token in found if token not in ARTICLES.get(language, frozenset())]
    return [token.replace(_POINT, ".") for token in kept or found]


def exact_match(answer: str, gold: Sequence[str], language: str = "en") -> bool:
    """Tell whether the answer equals one of the gold answers, normalised."""
    _need_gold(gold)
    said = tokens(answer, language)
    return any(said == tokens(one, language) for one in gold)


def token_f1(answer: str, gold: Sequence[str], language: str = "en") -> float:
    """Return the F1 of shared tokens, with the gold answer that fits best."""
    _need_gold(gold)
    said = Counter(tokens(answer, language))
    return max(_f1(said, Counter(tokens(one, language))) for one in gold)


def contains_gold(answer: str, gold: Sequence[str], language: str = "en") -> bool:
    """Tell whether the answer holds one of the gold answers as a run of whole tokens.

    The run's last word may carry an ending of up to four letters when it has four or more
    itself, so that inflected languages are not at a disadvantage; a number never does.
    """
    _need_gold(gold)
    said = tokens(answer, language)
    return any(_holds(said, tokens(one, language)) for one in gold)


def _need_gold(gold: Sequence[str]) -> None:
    """Raise ValueError unless there is a gold answer and none is blank."""
    if not gold or not all(one.strip() for one in gold):
        raise ValueError(f"gold must hold at least one answer, none blank: {list(gold)!r}")


def _f1(said: Counter[str], wanted: Counter[str]) -> float:
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total()) if shared else 0.0


def _holds(said: list[str], wanted: list[str]) -> bool:
    if not wanted:
        return False
    *most, last = wanted
    for start in range(len(said) - len(most)):
        end = start + len(most)
        if said[start:end] == most and _same_word(said[end], last):
            return True
    return False


def _same_word(said: str, wanted: str) -> bool:
    if said == wanted:
        return True
    inflects = len(wanted) >= _INFLECTED and wanted.isalpha()
    return inflects and said.startswith(wanted) and len(said) - len(wanted) <= _MOST_SUFFIX
