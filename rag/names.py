"""The names of a text: people, places, works, products, as far as spelling shows them.

Precision goes first: a word that only might be a name is none, for a name that is called missing
destroys a true claim. Capitals show names in English, Russian and Hungarian within a sentence;
in German only where two stand together or the word is not written like a noun. In Chinese,
Latin words, 《titles》 and foreign names with a "·" show themselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rag.characters import bare, flatten, lowered


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a text; `source[start:end] == text`.

    Attributes:
        words: what must be found for the name to be: words in lower case without accents, or
            for a run of Chinese characters the characters themselves.
        script: "latin", "cyrillic" or "han", that of its first letter.
        literal: an identifier with a digit in it ("GPT-3"), the same in all languages.
    """

    text: str
    start: int
    end: int
    words: tuple[str, ...]
    script: str
    literal: bool = False


def names(text: str, language: str = "") -> tuple[Name, ...]:
    """Return the names of text in order; they do not overlap.

    Args:
        language: ISO 639-1; decides what a capital letter means.
    """
    flat = flatten(text)
    found: list[Name] = []
    taken = bytearray(len(text))
    for start, end, literal in (
        *_literals(flat),
        *_titles(flat),
        *_han(flat),
        *_runs(flat, language),
    ):
        words = _required(flat[start:end], literal)
        if words and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Name(text[start:end], start, end, words, script(words[0]), literal))
    return tuple(sorted(found, key=lambda name: name.start))


def script(text: str) -> str:
    """Return the script of the first letter: "latin", "cyrillic", "han", or "" for another."""
    for char in text:
        for name, letters in _SCRIPTS.items():
            if letters.match(char):
                return name
    return ""


def squeezed(text: str) -> str:
    """Return an identifier as it is compared: "GPT-3", "gpt 3" and "GPT3" are "gpt3"."""
    return re.sub(r"[\W_]+", "", bare(lowered(flatten(text))))


def same_word(one: str, other: str) -> bool:
    """Tell whether two words, in lower case without accents, are forms of one name.

    Both begin alike, up to endings: "петра" and "петр", "budapesten" and "budapest", "american"
    and "america".
    """
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if abs(len(one) - len(other)) > 6:
        return False
    if script(one) == "cyrillic":
        needed = shorter - 2 if shorter > 5 else shorter - 1
    else:
        needed = shorter - 1 if shorter > 5 else shorter
    needed = max(3, needed)
    return one[:needed] == other[:needed]


KEY = 3
"""Two forms of one name share at least their first `KEY` letters."""

_SCRIPTS = {
    "latin": re.compile("[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile("[\u0400-\u052f]"),
    "han": re.compile("[\u3400-\u9fff\uf900-\ufaff]"),
}
_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞĪĮİŁŃŇŐŒŘŚŞŠŤŪŮŰŹŻŽА-ЯЁ"
_LETTER = r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]"
_CAPITALISED = (
    rf"(?<![^\W\u3040-\u30ff\u3400-\u9fff])[{_UPPER}]"
    rf"(?:{_LETTER}|(?<={_LETTER})['-](?={_LETTER}))*\d*"
)
# Words that join capitalised ones into one name.
_JOIN = r"(?:[ \u00a0](?:(?:of|de|la|le|du|von|van|der|den|di|da|del|bin|al|el|y)[ \u00a0])?)"
_RUN = re.compile(rf"{_CAPITALISED}(?:{_JOIN}{_CAPITALISED})*")
_WORD = re.compile(rf"{_LETTER}+\d*|\d+")


# --- identifiers -----------------------------------------------------------------------------

_MIXED = re.compile(
    rf"(?<![^\W\u3400-\u9fff])(?<!-)(?:[{_UPPER}]{_LETTER}{{0,11}}-?\d[\d.]*\d*(?:[a-z]{{1,2}}"
    rf"|-?[A-Z]{{1,3}})?(?![\w%])"
    rf"|\d[{_UPPER}]{{1,2}}(?![\w])|(?!\d{{1,3}}(?:\.\d{{3}})+(?!\d))\d+(?:\.\d+){{2,}}(?![\w]))"
)


def _literals(flat: str) -> Iterator[tuple[int, int, bool]]:
    for match in _MIXED.finditer(flat):
        end = match.start() + len(match[0].rstrip("."))
        if not re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", flat[match.start() : end]):
            yield match.start(), end, True


# --- titles ----------------------------------------------------------------------------------

_QUOTED = re.compile("《([^《》\n]{1,40})》|「([^「」\n]{2,30})」|『([^『』\n]{2,30})』")


def _titles(flat: str) -> Iterator[tuple[int, int, bool]]:
    for match in _QUOTED.finditer(flat):
        yield *match.span(match.lastindex or 0), False


_DOTTED = re.compile("[\u3400-\u9fff]{1,8}(?:[·•・][\u3400-\u9fff]{1,8})+")
# What a run of characters goes on with after a foreign name is not told from it: only the
# part before the last dot, which is whole at its end, counts.
_HAN_RUN = re.compile("[\u3400-\u9fff]+")


def _han(flat: str) -> Iterator[tuple[int, int, bool]]:
    for match in _DOTTED.finditer(flat):
        yield *match.span(), False


# --- capitals --------------------------------------------------------------------------------

_SENTENCE_START = re.compile(
    r"(?:^|[.!?。！？;；…:：\n|/>•*#–—]|\d\.)[ \u00a0\t\n\"'“”„«»‚()\[\]*_-]*$"
    r"|[\"“„«‚(\[][ \u00a0]?$"
)
_STOP = {
    "en": """a an the this that these those he she it they we i you his her its their our my
your in on at of for from by with to as and or but if when while where who what which why
how not no there here after before since until during under over between among about into
onto through against however although though because so thus then also both each every all
many most some several few any another other such only even just more less one two three
four five six seven eight nine ten first second third last next according despite unlike
like was were is are be been had has have would could should may might must can will do
does did january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday today yesterday tomorrow mr mrs
ms dr sir st i'm it's""",
    "ru": """в во на с со к ко о об от до из у за по при для над под и а но или что как когда
где кто он она оно они мы вы я ты это эта этот эти его ее их не ни все всех весь после
перед между также если хотя однако так тогда там здесь многие большинство некоторые
согласно из-за г м января февраля марта апреля мая июня июля августа сентября октября
ноября декабря вы вам вас ваш""",
    "hu": """a az egy ez azok ezek ő ők mi ti én te és vagy de ha hogy mert amikor ahol aki
ami amely nem is csak már még után előtt között alatt szerint során azonban bár míg sok
minden ezért így majd itt ott ön önök január február március április május június július
augusztus szeptember október november december""",
    "de": """der die das ein eine einer eines dem den des er sie es wir ihr ich du in im an
am auf aus bei mit nach seit von vom zu zum zur für durch um über unter vor hinter neben
zwischen und oder aber wenn als während wo wer was welche nicht kein keine auch nur noch
schon viele einige alle dieser diese dieses jeder jede jedes januar februar märz april mai
juni juli august september oktober november dezember ende anfang mitte montag dienstag
mittwoch donnerstag freitag samstag sonntag sein seine ihre ihr herr frau""",
}
# Part of many names, and left out or translated in as many: no name is missed for these.
_COMMON = """president chancellor minister prime king queen emperor pope saint bishop professor prof
doctor general captain colonel lord lady prince princess duke senator governor judge justice
director university college institute school church city state county river lake mount mountain
island company corporation inc ltd street road avenue north south east west northern southern
eastern western central new old great grand upper lower national international royal former late
early chapter section table figure article act team club group party government army bowl world war
super century league conference"""
_TITLES = frozenset(_COMMON.split())


@cache
def _stop(language: str) -> frozenset[str]:
    return frozenset(_STOP.get(language, "").split()) | frozenset(_STOP["en"].split())


def _runs(flat: str, language: str) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of capitalised words, less what their place explains."""
    if language == "zh":
        for match in re.finditer(rf"{_CAPITALISED}(?:[ ]{_CAPITALISED})*", flat):
            if match.end() - match.start() > 1:
                yield *match.span(), False
        return
    for match in _RUN.finditer(flat):
        if _shouted(flat, *match.span()):
            continue
        initial = _SENTENCE_START.search(flat[max(0, match.start() - 12) : match.start()])
        opens = initial is not None or match.start() == 0
        words = [w for w in re.finditer(_CAPITALISED, match[0]) if _counts(w[0], language)]
        if opens and words and words[0].start() == 0 and not _acronym(words[0][0]):
            # The first word of a sentence is capitalised whatever it is.
            words = words[1:]
        if language == "de":
            words = [
                w for w in words if _unlike_a_noun(w[0]) or (len(words) > 1 and w is words[-1])
            ]
            if re.search(r"[0-9%][.]?[ \u00a0]$", flat[max(0, match.start() - 3) : match.start()]):
                words = [w for w in words if _unlike_a_noun(w[0])]
        if words:
            start, end = words[0].start(), words[-1].end()
            yield match.start() + start, match.start() + end, False


def _counts(word: str, language: str) -> bool:
    if len(word) < 2 or lowered(word) in _stop(language):
        return False
    return not re.fullmatch("[IVXLCDM]+", word)


def _acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _unlike_a_noun(word: str) -> bool:
    if word.isupper():
        return True
    inside = re.sub("-.", "", word[1:])
    return inside.lower() != inside


def _shouted(flat: str, start: int, end: int) -> bool:
    """Tell whether a run is part of a line in capitals, where they mean nothing."""
    around: list[str] = re.findall(_LETTER + "{2,}", flat[max(0, start - 40) : end + 40])
    shouted = sum(word.isupper() for word in around)
    return bool(shouted > 3 and shouted > 0.7 * len(around))


def _required(text: str, literal: bool) -> tuple[str, ...]:
    plain = bare(lowered(text))
    if literal:
        return (squeezed(text),)
    words = [w for w in _WORD.findall(plain) if len(w) > 1 and w not in _TITLES]
    words = [w for w in words if w not in _stop("en") and not w.isdigit()]
    return tuple(words + _HAN_RUN.findall(plain))


__all__ = ["KEY", "Name", "names", "same_word", "script", "squeezed"]
