"""Questions that only make sense after another one, found and completed by rule. Pure functions.

Precision comes first: a question that stands alone is left as it is, even where a pronoun in it
might look back. docs/decisions/0020-conversation.md has what the rules do on real questions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.analysis import language as language_of
from rag.analysis import terms
from rag.cues import CUES
from rag.wording import LANGUAGES, WORD, article, content_words, has_han, names

# A complete question has this many words of content, or a name, whatever it begins with.
COMPLETE = 3
# Words that are carried over.
CARRIED = 8
LONGEST_FRAGMENT = 4


class Kind(StrEnum):
    """How a question hangs on the one before it."""

    STANDALONE = "standalone"
    FRAGMENT = "fragment"  # "And in Hungarian?", "What about GPT-2?"
    PRONOUN = "pronoun"  # "How many layers does it have?"
    BARE = "bare"  # "Why?", "How many of them?", "Tell me more."


# What such a clause names is what a pronoun after it stands for.
_CONDITION = re.compile(
    r"(?:if|when|wenn|falls|если|когда|ha|amikor)\b[^,]*,|(?:如果|当).*[,，]", re.I
)
_DEFINITION = re.compile(
    r"(?P<ask>(?:what (?:is|are)|was (?:ist|sind)|что такое|mi az(?= az? )|什么是) ?)"
    r"(?P<what>(?:(?! of | von | in ).)+)",
    re.IGNORECASE,
)
_TRAILING = " ?？.。!！…"
_OPENINGS = {
    "and": "en",
    "und": "de",
    "és": "hu",
    "what": "en",
    "was": "de",
    "wie": "de",
    "mi": "hu",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what it was answered; the answer may be empty."""

    question: str
    answer: str = ""


def spoken(question: str, before: Sequence[Turn] = ()) -> str:
    """Return the language of a question that may be too short to tell: then that of the talk."""
    words = WORD.findall(question)
    if words and len(words) <= LONGEST_FRAGMENT and words[0].casefold() in _OPENINGS:
        return _OPENINGS[words[0].casefold()]
    found = language_of(question)
    if found in ("zh", "ru") or not before:
        return found
    if found in LANGUAGES and len(words) > LONGEST_FRAGMENT:
        return found
    earlier = language_of(before[-1].question)
    return earlier if earlier in ("en", "de", "hu") or not words else found


def kind_of(question: str, language: str) -> Kind:
    """Tell whether a question hangs on the one before, and how; other languages stand alone."""
    if language not in CUES:
        return Kind.STANDALONE
    text = _plain(question)
    cues, patterns = CUES[language], _patterns(language)
    opened = patterns["connective"].match(text)
    rest = text[opened.end() :].strip(" ,，") if opened else text
    says_nothing = _asks(rest) and not content_words(rest, language)
    if patterns["bare"].fullmatch(rest) or says_nothing:
        return Kind.BARE
    if _fragment(question, language):
        return Kind.FRAGMENT
    looks_back = any(re.search(pattern, rest, re.IGNORECASE) for pattern in cues.pronoun)
    if looks_back and not _CONDITION.match(text):
        return Kind.PRONOUN
    if opened and not names(rest, language) and len(content_words(rest, language)) < COMPLETE:
        return Kind.BARE
    return Kind.STANDALONE


def resolve(question: str, language: str, before: Turn) -> str:
    """Return a question completed from the turn before it; itself when it stands alone.

    A name takes the place of a pronoun, or a fragment that of what it answers to, where exactly
    one can be meant and words do not inflect; else words of the turn before are added.
    """
    kind = kind_of(question, language)
    if kind is Kind.STANDALONE:
        return question
    if kind is Kind.FRAGMENT and (fragment := _fragment(question, language)):
        return _moved(fragment, language, before.question)
    if kind is Kind.PRONOUN and (replaced := _replaced(question, language, before)):
        return replaced
    return _extended(_without_connective(question, language), language, before)


def standalone(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns with each question completed from those before it."""
    resolved: list[Turn] = []
    for turn in history:
        question = turn.question
        if resolved:
            question = resolve(question, spoken(question, resolved), resolved[-1])
        resolved.append(Turn(question, turn.answer))
    return resolved


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    cues = CUES[language]
    return {
        name: re.compile(getattr(cues, name), re.IGNORECASE)
        for name in ("connective", "about", "clause", "preposition", "bare", "subject", "person")
    }


def _plain(question: str) -> str:
    return " ".join(question.strip(_TRAILING).split())


def _asks(text: str) -> bool:
    return bool(WORD.search(text))


def _without_connective(question: str, language: str) -> str:
    opened = _patterns(language)["connective"].match(question)
    rest = question[opened.end() :].lstrip(" ,，") if opened else question
    # Of "还有呢?" nothing would be left.
    return rest[:1].upper() + rest[1:] if len(_plain(rest)) > 1 else question


def _fragment(question: str, language: str) -> str:
    """Return what a question without a clause names: "And in Hungarian?" gives "in Hungarian"."""
    text, patterns = _plain(question), _patterns(language)
    if about := patterns["about"].match(text):
        rest = text[about.end() :].strip(" ,，").removesuffix("呢")
        if language == "hu":
            rest = re.sub(
                r"(?<=\w)[aeo]?(?:val|vel|[bcdfghklmnprstvz]al|[bcdfghklmnprstvz]el)$", "", rest
            )
        return "" if language == "zh" and patterns["clause"].search(rest) else rest
    opened = patterns["connective"].match(text)
    rest = text[opened.end() :].strip(" ,，") if opened else text
    short = len(WORD.findall(rest)) <= LONGEST_FRAGMENT and len(rest) <= 60
    if patterns["clause"].search(rest) or not short or not rest:
        return ""
    return rest if opened or patterns["preposition"].match(rest) else ""


def _moved(fragment: str, language: str, before: str) -> str:
    """Return the question before, now about the fragment."""
    stem = _plain(before)
    ending = "？" if has_han(stem) else "?"
    first = WORD.match(fragment)
    theirs = names(before, language)
    if first and _patterns(language)["preposition"].match(fragment):
        fragment = fragment[:1].lower() + fragment[1:]
        # "in Hungarian" takes the place of "in English".
        place = rf"\b{re.escape(first.group().lower())} (?:{_either(theirs)})" if theirs else "(?!)"
        return (_put(fragment, place, stem) or f"{stem} {fragment}") + ending
    bare = (
        re.sub(r"^\w+ ", "", fragment) if first and article(first.group(), language) else fragment
    )
    named = language in ("zh", "ru") or bool(names(f"x {fragment}", language))
    if named and len(theirs) == 1 and (moved := _put(bare, re.escape(theirs[0]), stem)):
        return moved + ending
    defined = _DEFINITION.fullmatch(stem)
    # Without its article a Hungarian fragment may be anything ("És magyarul?").
    thing = language != "hu" or bare != fragment
    if defined and thing and len(WORD.findall(defined["what"])) <= LONGEST_FRAGMENT:
        return f"{defined['ask']}{fragment}{ending}"
    if language in ("en", "de") and first and bare != fragment:
        # "the decoder" takes the place of "the encoder".
        place = rf"(?i:\b{first.group()}) \w+(?!['’\w-])"
        if moved := _put(fragment, place, stem):
            return moved + ending
    return _with(stem, [fragment], ending)


def _put(new: str, place: str, text: str) -> str:
    """Return the text with the one match of a pattern replaced; empty where there is not one."""
    return re.sub(place, lambda _: new, text) if len(re.findall(place, text)) == 1 else ""


def _either(found: Sequence[str]) -> str:
    return "|".join(map(re.escape, found))


def _replaced(question: str, language: str, before: Turn) -> str:
    """Return the question with a name for its one pronoun; empty where that is not safe."""
    subject = CUES[language].subject
    pattern = _patterns(language)["subject"]
    question = _without_connective(question, language)
    if not subject or len(matches := list(pattern.finditer(question))) != 1:
        return ""
    person = _patterns(language)["person"].search(question) is not None
    meant = _spoken_of(before.question, language)
    if person and re.match(r"\W*(?:who|wer|谁|.{0,12}谁)", before.question, re.IGNORECASE):
        meant = names(before.answer, language)
    if len(meant) != 1:
        return ""
    match, name = matches[0], meant[0]
    if match.group().lower() in ("its", "their", "his"):
        name += "’s"
    return question[: match.start()] + name + question[match.end() :]


def defines(question: str) -> bool:
    """Tell whether a question asks what something is, and nothing else ("What is BPE?")."""
    return _DEFINITION.fullmatch(_plain(question)) is not None


def _spoken_of(question: str, language: str) -> list[str]:
    """Return the names but those after "in": that is where or in what language something is."""
    return [name for name in names(question, language) if f"in {name}" not in question]


def _extended(question: str, language: str, before: Turn) -> str:
    """Return the question with the words of the turn before it that it lacks, in brackets.

    A question that says something itself gets the names only, where there are any: the rest of
    the turn before ("how many parameters") would lead away from it.
    """
    asked_in = spoken(before.question)
    tongue = asked_in if asked_in in LANGUAGES else language
    theirs, answered = _spoken_of(before.question, tongue), names(before.answer, tongue)
    words = content_words(before.question, tongue)
    if theirs and content_words(question, language):
        words = theirs
    elif not words:
        words = answered
    if _patterns(language)["person"].search(question):
        words = answered[:1] + words
    return with_words(question, words)


def with_words(question: str, words: Sequence[str]) -> str:
    """Return a question with those of the words in brackets that it lacks, `CARRIED` at most."""
    given = set(terms(question))
    lacking = [word for word in dict.fromkeys(words) if not given.issuperset(terms(word))]
    ending = "？" if has_han(question) else "?"
    return _with(question.rstrip(_TRAILING), lacking[:CARRIED], ending)


def _with(stem: str, words: Sequence[str], ending: str) -> str:
    return f"{stem} ({' '.join(words)}){ending}" if words else stem + ending
