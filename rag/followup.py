"""Questions that only make sense after another one, found and completed by rule. Pure functions.

Precision comes first: a question that stands alone is left as it is, even where a pronoun in it
might look back. docs/decisions/0011-conversation.md has what the rules do on real questions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.analysis import language as language_of
from rag.analysis import terms
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


@dataclass(frozen=True, slots=True)
class Cues:
    """What gives a follow-up away in one language; patterns, case ignored.

    Attributes:
        connective: an opening that goes on from what was said.
        about: an opening that names only what the question is now about.
        clause: a word without which a text is no sentence; with it, it is no fragment.
        preposition: one that may open a fragment.
        bare: whole requests without a subject.
        pronoun: a pronoun that has nothing in its own question to stand for.
        subject: what of a pronoun can be replaced by a name, as it is; empty where words inflect.
        person: pronouns that stand for people.
    """

    connective: str
    about: str
    clause: str
    preposition: str
    bare: str
    pronoun: tuple[str, ...]
    subject: str
    person: str


_AUX_EN = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
_WH_EN = (
    r"(?:(?:in|on|at|for|from|to|by|of|with|since|until) )?(?:what|which|who|whom|when"
    r"|where|why|how)"
)
_WH_DE = (
    r"(?:(?:in|an|auf|für|aus|von|zu|mit|seit|bis) )?"
    r"(?:was|wer|wen|wem|wann|wo|woher|wohin|warum|wieso|wie|welche[rsnm]?)"
)
_WH_RU = (
    r"(?:(?:в|на|из|от|с|до|о|у|к|по|за) )?"
    r"(?:что|кто|кого|кому|кем|чем|чего|когда|где|куда|откуда|почему|зачем|как|как(?:ой|ая|ое|ие"
    r"|ого"
    r"|ую|их|им|ом)|каков[аы]?|сколько|ч(?:ей|ья|ьё|ье|ьи))"
)
_TIME_RU = r"(?! (?:год|месяц|век|день|дн|недел|время))"

CUES = {
    "en": Cues(
        connective=r"(?:and|but|also|so|then|or)\b,?",
        about=r"(?:(?:and|but|so) )?(?:what|how) about\b",
        clause=rf"\b(?:{_AUX_EN}|am|be|what|which|who|when|where|why|how|tell|explain|describe"
        rf"|list)\b",
        preposition=r"(?:in|for|with|on|at|by|from|without|after|before|since|until|under"
        r"|during)\b",
        bare=r"(?:please )?(?:tell me more|say more|more details?|go on|continue|elaborate|explain"
        r"(?: (?:more|further|again))?|(?:can|could) you (?:explain|elaborate|say more|tell me"
        r" more)"
        r"(?: (?:more|further))?|what else|who else|where else|anything else|how come|how so"
        r"|(?:an )?examples?|for example|for instance|which ones?|since when|really"
        r"|(?:what|which) (?:about|of) (?:it|them)|are you sure)(?: please)?",
        pronoun=(
            rf"^(?:{_WH_EN} (?:\S+ ){{0,3}})?{_AUX_EN}(?:n't)? (?:also )?(?:he|she|they)\b",
            rf"^(?:{_WH_EN} (?:\S+ ){{0,3}})?{_AUX_EN}(?:n't)? (?:also )?it\b"
            r"(?! (?:\S+ ){0,4}(?:to|that|when|if|for)\b)",
            rf"^(?:{_WH_EN} )?(?:{_AUX_EN} )?(?:its|their|his|her)\b",
            r"^(?:in|on|at) (?:what|which) \w+ (?:did|was|were|is|does) (?:its|their|his|her)\b",
            rf"^{_WH_EN} (?:is|was|are|were) the \w+ of (?:it|its|them|their|his|him|her)\b",
            rf"^(?:who|what)(?: else| first)? (?!{_AUX_EN}\b|does)\w+ (?:it|them|him|her)\b",
            rf"\b{_AUX_EN} (?:you|we|i|one|people) \w+ (?:it|them)\b",
            r"^how (?:many|much)(?: more)? of (?:them|it|those|these|that)\b",
            r"\b(?:the latter|the former(?= (?:is|was|are|were|do|does|did|has|have)\b|\W*$))",
            r"\b(?:this|these)\b(?! (?:year|month|week|century|day|morning|evening)\b)",
            rf"^(?:{_WH_EN} )?{_AUX_EN} (?:that|those)\b(?! \w+ (?:\w+ )*(?:that|which|who)\b)",
            r"^[^,]*(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\b(?:there|then|about that|of"
            r" that)\W*$",
        ),
        subject=r"\b(it|he|she|they|them|him|its|their|his)\b(?!['’])",
        person=r"\b(?:he|she|him|his|her)\b",
    ),
    "de": Cues(
        connective=r"(?:und|aber|also|dann|oder|auch)\b,?",
        about=r"(?:(?:und|aber) )?(?:was ist mit|wie (?:sieht|steht) es mit|wie ist es mit|was"
        r" gilt für)\b",
        clause=r"\b(?:ist|sind|war|waren|hat|haben|hatte|hatten|wird|werden|wurde|wurden|kann"
        r"|können"
        r"|konnte|soll|muss|was|wer|wen|wem|wann|wo|warum|wieso|weshalb|wie|welche[rsnm]?|gibt)\b",
        preposition=r"(?:in|im|für|mit|auf|bei|aus|von|ohne|nach|vor|seit|bis|unter|während|am)\b",
        bare=r"(?:bitte )?(?:mehr dazu|erzähl(?:e|en sie)? mehr(?: dazu)?|genauer|weiter|was noch"
        r"|wer noch|wo noch|sonst noch (?:was|etwas)|zum beispiel|ein beispiel|wieso das|warum das"
        r"|wie das|welche|seit wann|erklär(?:e|en sie)?(?: das)?(?: genauer)?)(?: bitte)?",
        pronoun=(
            rf"^(?:{_WH_DE} (?:\S+ ){{0,3}})?(?:ist|sind|war|waren|hat|haben|hatte|hatten|wird"
            rf"|werden"
            r"|wurde|wurden|kann|konnte|muss|soll|lebte|starb|dauert|dauerte|kostet|kostete|besitzt"
            r"|bedeutet|funktioniert|heißt|liegt|wiegt|entstand|arbeitete|braucht|enthält)"
            r" (?-i:er|sie|es|ihn|ihm)\b(?! (?:\S+ ){0,6}(?:zu|dass|bis|wenn|ob)\b)(?![^,]*,)",
            rf"^{_WH_DE} (?:ist|sind|war|waren|heißt|heißen|lautet) (?-i:seine[rsnm]?|sein"
            rf"|ihre?[rsnm]?)\b",
            r"^(?:wer|was)(?: noch)? \w+ (?-i:ihn|sie|es|ihm|ihnen)\b(?![^,]*,)(?! sich\b)",
            rf"^{_WH_DE} (?:viele )?(?:\w+ )?(?:davon|dafür|damit|darin|dazu|daran|darüber"
            rf"|dagegen)\b(?!,)",
            r"^(?:wie viele|welche) von (?:ihnen|denen|diesen)\b",
            r"(?<!\bin )(?<!\ban )(?<!,)(?<!, )\b(?:diese[rsnm]?)\b(?! (?:jahr|monat|woche"
            r"|jahrhundert|tag))",
            rf"^(?:{_WH_DE} )?(?:ist|war|bedeutet|funktioniert|heißt|geschieht|passiert|geht)"
            rf" (?:das|dies)"
            r"(?:\W*$| (?:wichtig|so|genau|möglich|richtig|falsch|eigentlich))",
            r"^[^,]*\bdort\b[^,]*$",
        ),
        subject=r"(?-i:\b(er|sie|es|ihn)\b)",
        person=r"(?-i:\b(?:er|sie|ihn|ihm|sein|seine|ihr|ihre)\b)",
    ),
    "hu": Cues(
        connective=r"(?:és|na és|hát|vagy|akkor|aztán|de)\b,?",
        about=r"(?:(?:és|na és|de) )?(?:mi a helyzet|mi van|mi újság)(?= )",
        clause=r"\b(?:van|vannak|volt|voltak|lesz|lehet|kell|mi|mit|ki|kik|kit|mikor|hol|hova"
        r"|honnan"
        r"|miért|hogyan|melyik|mennyi|hány|milyen|mekkora|tart|jelent|működik)\b",
        preposition=r"(?!)",
        bare=r"(?:kérem )?(?:mondj(?:on)? (?:még )?többet|bővebben|részletesebben|folytasd|mi"
        r" más|mi még"
        r"|ki más|hol máshol|például|egy példát|mióta|melyik|melyek|hogyhogy|miért is"
        r"|magyarázd el)(?: kérem)?",
        pronoun=(
            r"^(?:\S+ ){0,3}(?:ő|ők|őt|őket|neki|nekik|róla|róluk|vele|velük|benne|bennük|belőle"
            r"|belőlük|tőle|tőlük|hozzá|nála|rajta|rajtuk|közülük)\b(?!,)",
            r"^(?:\S+ ){0,3}(?:azt|annak|abban|abból|ahhoz|azok|azokat|azoknak|ezt|ennek|ebben"
            r"|ebből"
            r"|ehhez|ezek|ezeket|ezeknek)\b(?! an?z?\b)(?![^?]*,)",
            r"^(?:(?:mi|mit|mikor|hol|miért|hogyan|ki|milyen|mennyi|mekkora) )(?:\w+ )?ez\b(?!"
            r" (?:a|az)\b)",
            r"\bez(?:t|ek|en|zel)? (?:a|az) (?!évben|hónapban|héten|században)",
            # "Hány rétege van?": a possessive ending, and nobody who possesses.
            r"^(?:hány|mennyi|milyen|mekkora) \w+(?:[jtnlrgkzsdm][ae]|[ae]i) (?:van|volt|lesz)\W*$",
            # "Mennyi memóriát igényel?": an object, and no subject.
            r"^(?:hány|mennyi|milyen|mekkora) \w+t \w+\W*$",
            r"^[^,]*\bott\W*$",
        ),
        subject="",
        person=r"\b(?:ő|őt|neki|róla|vele)\b",
    ),
    "ru": Cues(
        connective=r"(?:а|и|но|ну|или|тогда|также)\b,?",
        about=r"(?:(?:а|и|но|ну) )?(?:(?:как|что) насч[её]т|а как с)\b",
        clause=rf"\b(?:{_WH_RU}|есть|был|была|было|были|будет|расскажи|объясни)\b",
        preposition=r"(?:в|во|на|для|с|со|у|без|после|до|из|от|при|по|про|о|об)\b",
        bare=r"(?:пожалуйста )?(?:подробнее|расскажи(?:те)?(?: (?:мне )?(?:подробнее|больше|ещё"
        r"|еще))?"
        r"|продолжай(?:те)?|что ещё|что еще|кто ещё|кто еще|где ещё|где еще|например"
        r"|приведи(?:те)? пример"
        r"|пример|с каких пор|какие|какой|какая|поясни(?:те)?|объясни(?:те)?(?: подробнее)?)(?:"
        r" пожалуйста)?",
        pronoun=(
            rf"^(?:{_WH_RU} )(?:\S+ ){{0,3}}(?:у |в |о |об |на |с |к |от |из |для |про |по |за )?"
            r"(?:он|она|оно|они|его|её|ее|ему|ей|им|их|ими|него|неё|нее|ней|нём|нем|ним|них"
            r"|ними)\b(?!,)",
            r"^(?:у|в|о|на|с|к|от|из|для|про|по) (?:него|неё|нее|ней|нём|нем|ним|них|ними)\b",
            rf"^(?:{_WH_RU} )(?:\S+ )?(?:это|этого|этому|этим|этом)\b(?! (?:за|то)\b)(?!,)"
            + _TIME_RU,
            r"\b(?<!\bв )(?:этот|эта|эту|эти|этой|этих|этими|этого|этому|этим|этом)\b"
            r"(?! (?:год|месяц|век|день|дн|недел|врем))(?!,)",
            r"^[^,]*\b(?:там|тогда)\W*$",
        ),
        subject="",
        person=r"\b(?:он|она|его|её|ее|ему|ей)\b",
    ),
    "zh": Cues(
        connective=r"(?:那么|而且|还有|另外|此外|那(?=[,，]|在|对|为|怎|什|谁|哪|如|多|有|是|它|他|她|这))[,，]?",
        about=r"(?:那么|那)?(?:至于|关于)?(?=[^，。]{1,12}呢[?？]*$)",
        clause="什么|谁|哪|如何|怎|为何|多少|几|何时|是|有|吗|多[大长久高远]",
        preposition="(?:在|用|对|从|对于|关于)",
        bare="(?:请)?(?:继续|详细说说|详细一点|说详细点|再说说|还有呢|还有什么|还有吗|举个?例子?|比如|例如|然后呢"
        "|为什么呢|怎么说|解释一下|展开说说)",
        pronoun=(
            "^(?:请问|那么|那|而|为什么|为何|谁|什么|什么时候|何时|哪里|哪个|哪些|哪一年|怎么|如何|怎样|多少|有多少"
            "|是谁|有哪些|是什么|在|是|有|对|用|和|与)*(?:.{0,3}(?<![和与及]))?"
            "(?:它们|他们|她们|它|(?<!其)他|她|前者|后者)(?!国|乡|人|杀)",
            "^(?:请问|那么|那|为什么|为何|谁|怎么|如何|怎样|在|对|用)*"
            "(?:这(?!样的)|那(?:个|些|种|里|时|位|部|座)|该(?=[^不])|此(?!外|后|前)|其(?![他它中余次实]))",
            "^(?:有)?(?:多少|哪些|哪个|几个)(?:是|属于|来自)?(?:其中)",
            "^其中",
            "^为什么.{1,2}$",
        ),
        subject="(它们|他们|她们|它|他|她)",
        person="他|她",
    ),
}
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
    elif len(words) < 2:
        words += answered
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
