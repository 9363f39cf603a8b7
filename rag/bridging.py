"""Questions in two steps: what they ask about is only described, and has to be found first. Pure.

"Who directed the film that won X?" asks which film won X, and then who directed it.
"""

import re
from dataclasses import dataclass

from rag.wording import WORD, names, weight

LONGEST = 1000

_RELATIVE = re.compile(r"\b(?:that|which|who)\b|, (?:d(?:er|ie|as)|котор|a)|的.*的", re.IGNORECASE)


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


def describes(question: str) -> bool:
    """Tell whether a question can have a description that `bridge` takes out; microseconds."""
    return len(question) <= LONGEST and _RELATIVE.search(question) is not None


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
    pattern = _BRIDGES.get(language) if describes(question) else None
    text = " ".join(question.split())
    match = pattern.fullmatch(text.rstrip("?？ ")) if pattern else None
    if not match or weight(match["rest"]) < 2:
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
