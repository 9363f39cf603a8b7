"""Questions taken apart: several in one, comparisons, and those that need a first answer. Pure.

Precision comes first. A question that is taken apart wrongly loses its answer, one that is left
whole keeps its chance, and nearly all questions are simple: they cost a search for a few marks.
docs/decisions/0021-harder-questions.md has what the rules do to real questions.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.followup import COMPLETE, Kind, defines, kind_of, with_words
from rag.wording import INTERROGATIVES, WORD, content_words, interrogative, names, weight

LONGEST = 1000
MOST_PARTS = 5
# Shorter, what seems a question is the end of another ("… and why?").
LEAST_WORDS = 3
LEAST_CHARACTERS_ZH = 4
# Longer, what is compared is more than a thing with a name.
LONGEST_ENTITY = 6


class Shape(StrEnum):
    """What a question is made of."""

    SIMPLE = "simple"
    PARTS = "parts"
    COMPARISON = "comparison"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is taken apart.

    Attributes:
        parts: what to ask, each standing alone; the question itself when it is simple.
        entities: what is compared, in order; empty otherwise.
    """

    shape: Shape
    parts: tuple[str, ...]
    entities: tuple[str, ...] = ()


def decompose(question: str, language: str) -> tuple[str, ...]:
    """Return the questions that a question consists of; one, itself, when it is simple."""
    return plan(question, language).parts


def complex_at_all(question: str) -> bool:
    """Tell whether a question can be other than simple, in any language; takes microseconds."""
    return len(question) <= LONGEST and _MARKS.search(question) is not None


def plan(question: str, language: str) -> Plan:
    """Return how a question is to be taken apart."""
    simple = Plan(Shape.SIMPLE, (question,))
    if not complex_at_all(question) or language not in _COMPARISONS:
        return simple
    text = " ".join(question.split())
    if compared := _compared(text, language):
        return compared
    for pieces in (_numbered(question), _sentences(text), _clauses(text, language)):
        if 1 < len(pieces) <= MOST_PARTS and _each_asks(pieces, language):
            return Plan(Shape.PARTS, _standing_alone(pieces, language))
    return simple


# What a question must have somewhere to be anything but simple.
_MARKS = re.compile(
    r"[?？].*[?？]|[;；]|\d[.)]\s.*\d[.)]\s|\(1\)|①"
    r"|\b(?:and|und|és|vs|versus|from|compare|vergleich\w*|unterscheide\w*|между|között|zwischen|сравни\w*|чем|от|и|а)\b"
    r"|多?和|与|跟|相比|区别|比较|，|,",
    re.IGNORECASE | re.DOTALL,
)

# -- several questions ---------------------------------------------------------------------------

_NUMBER = re.compile(r"(?:^|(?<=[\s:：,，;；?？]))(?:\(?(\d)[.)、]|[(（](\d)[)）]|([①②③④⑤]))\s*")
_ALTERNATIVE = re.compile(r"(?:or|oder|или|vagy|还是|或者?)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^?？]+[?？]+")


def _numbered(question: str) -> list[str]:
    """Return what follows "1.", "2." … or "(1)", "(2)" …, without what stands before."""
    marks = [mark for mark in _NUMBER.finditer(question)]
    counted = [int(m[1] or m[2] or "①②③④⑤".index(m[3]) + 1) for m in marks]
    if len(marks) < 2 or counted != list(range(1, len(counted) + 1)):
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(question)]
    pieces = [
        question[m.end() : end].strip(" ,，;；\n") for m, end in zip(marks, ends, strict=True)
    ]
    # Numbers that count things ("in 1. and 2. place") are not followed by questions.
    asks = [piece and (piece.endswith(("?", "？")) or "\n" in question) for piece in pieces]
    return [" ".join(piece.split()) for piece in pieces] if all(asks) else []


def _sentences(text: str) -> list[str]:
    """Return the questions that each end in a question mark; what is no question goes along."""
    pieces = [piece.strip() for piece in _SENTENCE.findall(text)]
    if len(pieces) < 2 or text[-1] not in "?？" or any(map(_ALTERNATIVE.match, pieces[1:])):
        return []
    return pieces if all(weight(piece) > 1 for piece in pieces) else []


_ADVERBS = {
    "en": r"what|when|where|why|how|who|which|in what|in which",
    "de": r"was|wer|wann|wo|woher|warum|weshalb|wieso|wie|welche[rsnm]?|in welche[rsnm]",
    "ru": r"что|кто|когда|где|откуда|почему|зачем|как|сколько|как(?:ой|ая|ое|ие|ого|ую|их|им)|чем"
    r"|в как(?:ом|ой|их)",
    "hu": r"mi|mit|ki|kik|kit|mikor|hol|honnan|miért|hogyan|mennyi|hány|melyik|milyen",
}
_AND = {"en": "and|but", "de": "und|aber", "ru": "и|а", "hu": "és"}
# English puts the verb before the subject in a question, and not in a clause about one.
_INVERTED = re.compile(
    r"^(?:(?:what|when|where|why|how|in (?:what|which))\b(?: [\w-]+){0,3}? "
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b"
    r"|(?:who|which|what|how (?:many|much)) (?!(?:in|on|at|of|to|and|or)\b)\w+)",
    re.IGNORECASE,
)
_SUBORDINATE = {
    "en": r"\b(?:that|whether|if|because|between|both|(?<!^)(?:which|who|when|where|while|how))\b",
    "de": ",",
    "ru": ",",
    "hu": ",",
}
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_ASKING_ZH = re.compile("什么|谁|哪|如何|怎么|怎样|为何|多少|几|何时|多[大长久高远]|是否|吗")


def _clauses(text: str, language: str) -> list[str]:
    """Return the questions of one sentence: "What is X and how does Y work?"."""
    if language == "zh":
        pieces = re.split(
            r"[，,；;](?:以及|并且|而且|还有|和|那么|另外)?|(?:以及|并且)", text.strip("?？")
        )
        good = all(_ASKING_ZH.search(p) and len(p) >= LEAST_CHARACTERS_ZH for p in pieces)
        return [f"{piece.strip()}？" for piece in pieces] if good else []
    pieces = [piece for piece in _SEMICOLON.split(text.rstrip("?？ ")) if piece]
    if len(pieces) == 1:
        # "A and B" inside a clause that depends on another is no second question.
        pieces = _joining(language).split(pieces[0])
        if re.search(_SUBORDINATE[language], pieces[0][1:], re.IGNORECASE):
            return []
    if len(pieces) < 2 or not _opens(pieces[0], language):
        return []
    for piece in pieces:
        inverted = language != "en" or _INVERTED.match(piece)
        if len(WORD.findall(piece)) < LEAST_WORDS or not inverted or not _opens(piece, language):
            return []
    return [f"{piece[:1].upper()}{piece[1:].strip()}?" for piece in pieces]


@cache
def _joining(language: str) -> re.Pattern[str]:
    """Match what stands between two questions of one sentence."""
    return re.compile(rf",? (?:{_AND[language]}) (?=(?:{_ADVERBS[language]})\b)", re.IGNORECASE)


def _opens(piece: str, language: str) -> bool:
    """Tell whether a clause opens as a question does, after at most a preposition."""
    words = WORD.findall(piece)[:2]
    if words and interrogative(words[0], language):
        return True
    return len(words) > 1 and len(words[0]) < 4 and interrogative(words[1], language)


def _each_asks(pieces: list[str], language: str) -> bool:
    """Tell whether each piece has something to be answered about, alone or after the first."""
    if language == "zh":
        return all(len(WORD.findall(piece)) and _ASKING_ZH.search(piece) for piece in pieces)
    return bool(content_words(pieces[0], language)) and language in INTERROGATIVES


def _standing_alone(pieces: list[str], language: str) -> tuple[str, ...]:
    """Return the pieces, those that need words of the first completed with them.

    A pronoun is not replaced: what it stands for need not be the first piece's one name.
    """
    first = pieces[0]
    about = content_words(first, language)
    alone = [first]
    for piece in pieces[1:]:
        if kind_of(piece, language) is not Kind.STANDALONE:
            alone.append(with_words(piece, about))
        elif names(piece, language) or (
            # "What is BPE and how does low-rank adaptation work?": two subjects.
            defines(first) and len(content_words(piece, language)) >= COMPLETE
        ):
            alone.append(piece)
        else:
            alone.append(with_words(piece, names(first, language) or about[:2]))
    return tuple(alone)


# -- comparisons ---------------------------------------------------------------------------------

_COMPARISONS = {
    "en": (
        r"(?:what(?:['’]s| is| are| was| were)?|explain|describe) (?:the )?(?:main |key |basic )?"
        r"(?:difference|distinction)s? between (?P<a>.+?) and (?P<b>.+)",
        r"how (?:do|does|did|is|are|was|were) (?P<a>.+?) (?:differ|different) from (?P<b>.+)",
        r"how (?:do|does|did|are|were) (?P<a>.+?) and (?P<b>.+?) (?:differ|different|compare)(?:"
        r" from each other)?",
        r"(?:please )?compare (?P<a>.+?) (?:and|with|to|against) (?P<b>.+)",
        r"(?P<a>[^,?]+?) (?:vs\.?|versus) (?P<b>[^,?]+)",
    ),
    "de": (
        r"(?:was|worin) (?:ist|sind|liegt|besteht|war)\b.{0,30}? (?:der"
        r" )?(?:haupt)?unterschiede? zwischen"
        r" (?P<a>.+?) und (?P<b>.+)",
        r"(?:wie|worin|wodurch) unterscheide[nt] sich (?P<a>.+?) (?:von|und) (?P<b>.+)",
        r"vergleiche?(?:n sie)? (?P<a>.+?) (?:mit|und) (?P<b>.+)",
        r"(?P<a>[^,?]+?) (?:vs\.?|versus|gegen) (?P<b>[^,?]+)",
    ),
    "ru": (
        r"(?:чем|как) (?P<a>.+?) (?:отлича[её]тся|отличаются|отличался|отличалась) от (?P<b>.+)",
        r"чем (?:отлича[её]тся|отличаются|отличался|отличалась) (?P<a>.+?) от (?P<b>.+)",
        r"(?:в ч[её]м|какова|какая|каковы)\b.{0,24}?(?:разница|отличи[ея]|различи[ея]) между"
        r" (?P<a>.+?) и (?P<b>.+)",
        r"сравни(?:те)? (?P<a>.+?) (?:и|с|со) (?P<b>.+)",
        r"(?P<a>[^,?]+?) (?:vs\.?|против) (?P<b>[^,?]+)",
    ),
    "hu": (
        r"mi(?:ben)? (?:a|az)? ?(?:fő )?(?:különbség|eltérés) (?P<a>.+?) és (?P<b>.+?) között",
        r"(?:miben|hogyan|mennyiben) különbözik (?P<a>.+?) (?P<b>(?:a|az) \S+(?:t[óő]l))",
        r"hasonlíts(?:d|a)? össze (?P<a>.+?) és (?P<b>.+)",
        r"(?P<a>[^,?]+?) (?:vs\.?|kontra) (?P<b>[^,?]+)",
    ),
    "zh": (
        r"(?P<a>[^，,]+?)(?:和|与|跟|同)(?P<b>[^，,]+?)(?:之间)?(?:的|有(?:什么|何|哪些)?)?(?:主要)?"
        r"(?:区别|差别|差异|不同)(?:是什么|在哪里?|有哪些|是|在于什么)?",
        r"(?:请)?(?:比较|对比)(?:一下)?(?P<a>[^，,]+?)(?:和|与|跟)(?P<b>[^，,]+)",
        r"(?P<a>[^，,]+?) ?(?:vs\.?|VS) ?(?P<b>[^，,]+)",
    ),
}
_WHAT_IS = {
    "en": "What is {}?",
    "de": "Was ist {}?",
    "ru": "Что такое {}?",
    "hu": "Mi az {}?",
    "zh": "{}是什么？",
}
# What narrows a comparison stands after the second thing and belongs to neither.
_ASPECT = re.compile(
    r" (?:in terms of|regarding|with respect to|when it comes to|hinsichtlich) .+", re.I
)
_JOINED = re.compile(r"\b(?:and|und|és|и)\b|、|以及|[和与，,;]", re.IGNORECASE)


def _compared(text: str, language: str) -> Plan | None:
    """Return the plan of a comparison of two things; None for anything else."""
    stem = text.rstrip("?？.。! ")
    for pattern in _compiled(language):
        if not (match := pattern.fullmatch(stem)):
            continue
        things = [_ASPECT.sub("", match[name]).strip() for name in ("a", "b")]
        if all(map(_entity, things)) and things[0].casefold() != things[1].casefold():
            asked = tuple(_WHAT_IS[language].format(thing) for thing in things)
            return Plan(Shape.COMPARISON, asked, tuple(things))
    return None


@cache
def _compiled(language: str) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in _COMPARISONS[language]]


def _entity(text: str) -> bool:
    """Tell whether a text can name one thing: short, no list, and no mere number."""
    letters = any(map(str.isalpha, text))
    return 0 < weight(text) <= LONGEST_ENTITY and letters and not _JOINED.search(text)
