"""Questions taken apart: several in one, comparisons, and those that need a first answer. Pure.

Precision comes first. A question that is taken apart wrongly loses its answer, one that is left
whole keeps its chance, and nearly all questions are simple: they cost a search for a few marks.
docs/decisions/0012-harder-questions.md has what the rules do to real questions.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.followup import Kind, kind_of, with_words
from rag.wording import INTERROGATIVES, WORD, content_words, interrogative, names

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


@dataclass(frozen=True, slots=True)
class Bridge:
    """A question about something that it only describes: "Who directed the film that won X?"

    Attributes:
        inner: asks what the description fits ("Which film won X?").
        before, after: the question is `before`, the name found, `after`.
    """

    inner: str
    before: str
    after: str

    def outer(self, name: str) -> str:
        """Return the question with the name in the description's place."""
        return f"{self.before}{name}{self.after}"


def decompose(question: str, language: str) -> tuple[str, ...]:
    """Return the questions that a question consists of; one, itself, when it is simple."""
    return plan(question, language).parts


def complex_at_all(question: str) -> bool:
    """Tell whether a question can be other than simple, in any language; takes microseconds."""
    return _MARKS.search(question) is not None


def describes(question: str) -> bool:
    """Tell whether a question can have a description that `bridge` takes out; microseconds."""
    return _RELATIVE.search(question) is not None


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


_RELATIVE = re.compile(r"\b(?:that|which|who)\b|, (?:d(?:er|ie|as)|котор|a)|的.*的", re.IGNORECASE)
# What a question must have somewhere to be anything but simple.
_MARKS = re.compile(
    r"[?？].*[?？]|[;；]|\d[.)]\s.*\d[.)]\s|\(1\)|①"
    r"|\b(?:and|und|és|vs|versus|from|между|között|zwischen|сравни\w*|чем|от|и|а)\b"
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
    asks = [piece.endswith(("?", "？")) or "\n" in question for piece in pieces]
    return [" ".join(piece.split()) for piece in pieces] if all(asks) else []


def _sentences(text: str) -> list[str]:
    """Return the questions that each end in a question mark; what is no question goes along."""
    pieces = [piece.strip() for piece in _SENTENCE.findall(text)]
    if len(pieces) < 2 or text[-1] not in "?？" or any(map(_ALTERNATIVE.match, pieces[1:])):
        return []
    return pieces if all(_weight(piece) > 1 for piece in pieces) else []


def _weight(text: str) -> int:
    """Return the number of words; Chinese characters count by pairs."""
    return sum(max(1, len(w) // 2) if w > "\u2fff" else 1 for w in WORD.findall(text))


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
    r"|(?:who|which|what|how (?:many|much)) \w+)",
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
        pieces = _joining(language).split(pieces[0])
        if re.search(_SUBORDINATE[language], pieces[0][1:], re.IGNORECASE):
            return []
    first = WORD.match(pieces[0])
    if not first or not _opens(pieces[0], language) or len(pieces) < 2:
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
        elif names(piece, language):
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
    weight = _weight(text)
    letters = any(map(str.isalpha, text))
    return 0 < weight <= LONGEST_ENTITY and letters and not _JOINED.search(text)


# -- two steps -----------------------------------------------------------------------------------

_BRIDGES = {
    "en": re.compile(
        r"(?P<before>(?:who|what|which|when|where|how)\b.*?\b(?P<link>[\w-]+) )"
        r"the (?P<noun>[\w-]{3,}(?: [\w-]+)?) (?:that|which|who) (?P<rest>.+)",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"(?P<before>(?:wer|was|wann|wo|wie|welche[rsnm]?)\b[^,]*?\b(?P<link>[\w-]+) )"
        r"(?P<noun>d(?:er|ie|as|en|em|es) [\w-]{3,}), (?P<rest>d(?:er|ie|as) .+)",
        re.IGNORECASE,
    ),
    "ru": re.compile(
        r"(?P<before>(?:кто|что|когда|где|как\w*|сколько)\b[^,]*?\b(?P<link>[\w-]+) )"
        r"(?P<noun>[^\W\d]{3,}), (?P<rest>котор(?:ый|ая|ое|ые) .+)",
        re.IGNORECASE,
    ),
    "hu": re.compile(
        r"(?P<before>(?:ki|mi|mikor|hol|hány|mennyi|melyik)\b[^,]*?\b(?P<link>[\w-]+) )(?:az(?:t"
        r"|nak)? )?"
        r"(?P<noun>an? [\w-]{3,}|az [\w-]{3,}), (?P<rest>a(?:mely|melyik|mi|ki) .+)",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?P<rest>(?:获得|赢得|发明|发现|创建|创立|提出|开发|设计|写|建造|举办)了?.{2,20}?)的"
        r"(?:那个|那部|那位|那家)?(?P<noun>电影|公司|国家|城市|人|科学家|作家|模型|大学|书|团队)的(?P<after>.+)"
    ),
}
# Without a case to set, the description can be asked for; else it is searched as it stands.
_INNER = {"en": "Which {noun} {rest}?", "zh": "哪个{noun}{rest}？"}
_DESCRIBED = "{noun}, {rest}?"
# "What is the name of the law that …", "Кто был первым …, который": what is asked for is what the
# clause describes, and there is no second step.
_IDENTITY = re.compile(
    r"^(?:what|who|which|where|when) (?:is|are|was|were) $"
    r"|\b(?:(?:sur)?names?|terms?|words?|called|types?|kinds?|some|titles?|ways? to \w+"
    r"|hei(?:ßt|ßen|ß)|hieß|nennt|lautet|(?:nach)?namen?|begriff|(?<=was )ist|(?<=wer )(?:ist|war)"
    r"|назыв\w+|фамили\w+|имя|термин\w*|выражени\w+|является|явля\w+|был[аио]?|будет|каков\w*"
    r"|hívják|nevezik|neve|név)\b",
    re.IGNORECASE,
)
_CLAUSE_BEFORE = re.compile(r"\b(?:when|where|while|that|if)\b", re.IGNORECASE)
_LINKS = frozenset(
    {
        "is",
        "are",
        "was",
        "were",
        "than",
        "as",
        "like",
        "by",
        "a",
        "az",
        "ist",
        "sind",
        "war",
        "waren",
    }
)


def bridge(question: str, language: str) -> Bridge | None:
    """Return the two steps of a question about something only described; None for any other."""
    pattern = _BRIDGES.get(language)
    text = " ".join(question.split())
    match = pattern.fullmatch(text.rstrip("?？ ")) if pattern else None
    if not match or _weight(match["rest"]) < 2:
        return None
    inner = _INNER.get(language, _DESCRIBED).format(noun=match["noun"], rest=match["rest"])
    if language == "zh":
        return Bridge(inner, "", f"的{match['after']}？")
    before = match["before"]
    if _IDENTITY.search(before) or _CLAUSE_BEFORE.search(before, 1):
        return None
    return None if match["link"].casefold() in _LINKS else Bridge(inner, before, "?")


def bridging_name(bridged: Bridge, evidence: str, question: str, language: str) -> str:
    """Return the one name in the evidence that the question lacks; empty if there is not one.

    Args:
        evidence: the best quote for `bridged.inner`.
    """
    asked = {word.casefold() for word in WORD.findall(f"{question} {bridged.inner}")}
    new = [
        name
        for name in names(evidence, language)
        if not asked & {word.casefold() for word in WORD.findall(name)}
    ]
    return new[0] if len(new) == 1 else ""
