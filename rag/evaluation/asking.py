"""Definitions and headings made into questions, by rule, in five languages."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh", "ru", "hu", "de")


@dataclass(frozen=True, slots=True)
class Forms:
    """The words of a language: see asking.toml."""

    heading: str
    gap: str
    people: tuple[str, ...]
    places: tuple[str, ...]
    names: tuple[str, ...]
    things: tuple[str, ...]
    first: frozenset[str]
    commands: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its short answer, "" where a passage answers it.

    Attributes:
        term: the words in it that name what is asked for; "" where a whole sentence is asked.
        natural: somebody might ask like that; else a person has to reword it.
    """

    question: str
    answer: str = ""
    term: str = ""
    natural: bool = True


@cache
def forms(language: str) -> Forms:
    """Return the words of one of LANGUAGES."""
    text = files("rag.evaluation").joinpath("asking.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)[language]
    return Forms(
        heading=table["heading"],
        gap=table["gap"],
        people=tuple(table["people"]),
        places=tuple(table["places"]),
        names=tuple(table["names"]),
        things=tuple(table["things"]),
        first=frozenset(table["first"].split()),
        commands=frozenset(table["commands"].split()),
    )


# With these a sentence points at another, without which nobody knows what is asked.
POINTS_BACK = {
    "en": r"\b(?:it|its|this|that|these|those|they|their|he|she|his|her|such|here)\b",
    "de": r"\b(?:dies\w*|er|sie|es|ihr\w*|sein\w*|hier|dabei|davon|solche\w*)\b",
    "ru": r"\b(?:это|этот|эта|эти|этого|этой|этих|он|она|оно|они|его|её|их|здесь|такой|такие)\b",
    "hu": r"\b(?:ez|ezek|ennek|ezt|erre|ebben|ebből|itt|azok|ők|ilyen)\b",
    "zh": "[这那它该其此他她]",
}
# What a sentence that is no definition begins with: it points at what stands before it.
_POINTING = {
    "en": "it this that these those there they he she we you i here what one another other both "
    "such each all which who if when but so now then most some many the_same the_next the_first "
    "the_reason the_result the_idea the_goal the_problem the_difference the_rest the_other "
    "the_following the_second the_last the_only the_main the_simplest the_easiest the_default "
    "the_important the_most the_best the_least",
    "de": "es das dies dieser diese dieses sie er wir hier was eine_andere der_grund das_problem "
    "das_ergebnis der_unterschied die_idee das_ziel man",
    "ru": "это этот эта эти он она они оно мы вы здесь там тут такой такая такие всё все другой "
    "результат причина идея цель главное суть вот одна один первый второй важный исключение пример "
    "приведённый главный основной последний единственный следующий первое второе ещё также",
    "hu": "ez ezek azok ők mi ti itt ott az_ok az_ötlet a_cél az_eredmény a_lényeg a_következő",
    "zh": "",
}
_CHINESE_NO_TERM = re.compile(
    "[这那它他她我你们但可就都也还只不若如果因所其此之的了在每有和与或正便则既仅已]"
)
_DEFINITIONS: Mapping[str, str] = {
    "en": r"(?P<article>An?|The)? ?(?P<term>(?:[\w.+’'-]+ ){0,3}[\w.+’'-]+)"
    r"(?: ?\([^)]{1,30}\))? (?P<verb>is|are) (?:an? |the (?!same|only|next|first|most))\w",
    "de": r"(?P<article>Eine?|Der|Die|Das)? ?(?P<term>(?:[\w.+-]+ ){0,2}[A-ZÄÖÜ][\w.+-]*)"
    r"(?: ?\([^)]{1,30}\))? (?P<verb>ist|sind) (?:eine?|der|die|das) \w",
    "ru": r"(?P<article>)(?P<term>[A-ZА-ЯЁ][\w.+-]*(?: [\w.+«»-]+){0,3})"
    r"(?: ?\([^)]{1,40}\))? (?P<verb>[—–]) (?:это )?[а-яё]{3}",
    "hu": r"(?P<article>Az?|Egy)? ?(?P<term>(?:[\w.+-]+ ){0,3}[\w.+-]+)"
    r"(?: ?\([^)]{1,40}\))? (?P<verb>egy|olyan|az a|nem más, mint) \w",
    "zh": r"(?P<article>)(?P<term>[\u4e00-\u9fffA-Za-z0-9 -]{2,12}?)(?:（[^）]{1,30}）)?"
    r"(?P<verb>是一[种个类款项套组段]|是指|指的是|是由|是(?!否|不是|因为|为了|如何|怎))",
}


def definitions(sentence: str, language: str, text: str) -> Iterator[Asked]:
    """Yield at most one question for what a sentence defines.

    Args:
        sentence: white space plain.
        text: all of the document, which tells how a word is written inside a sentence.
    """
    match = re.match(_DEFINITIONS[language], sentence)
    if match is None:
        return
    article, term, verb = match["article"] or "", match["term"].strip(), match["verb"]
    begin = f"{article} {term}".strip().casefold().split()
    pointing = {one.replace("_", " ") for one in _POINTING[language].split()}
    if begin[0] in pointing or " ".join(begin[:2]) in pointing:
        return
    if language == "zh":
        if _CHINESE_NO_TERM.search(term) is None:
            yield Asked(f"什么是{term}？", term=term)
        return
    if not article:
        term = inside(term, text, language)
    if not _is_term(term, language) or (language == "hu" and not (article or _is_code(term))):
        return
    if language == "ru":
        yield Asked(f"Что такое {term}?", term=term)
    elif language == "hu":
        yield Asked(f"Mi az {_hungarian_article(term)} {term}?", term=term)
    else:
        asks = "What" if language == "en" else "Was"
        named = f"{article.lower()} {term}".strip()
        yield Asked(f"{asks} {verb} {named}?", term=term)


_NO_TERM = {
    "en": r"\b(?:is|are|was|were|of which|that|which|to|and|or|but|in|on|for|with|by|as|if|it"
    r"|this|you|we|can|will|not|above|below|then)\b",
    "de": r"\b(?:ist|sind|war|und|oder|aber|in|im|auf|für|mit|als|wenn|nicht|sich|ohne|von|bei|zu"
    r"|nach|vor|durch|aus|um|an|am|zur|zum|alle|dennoch|jedoch|also|dann|damit|auch|noch|oben)\b",
    "ru": r"\b(?:а|и|или|но|что|как|не|в|на|с|по|для|это|же|к|от|из|о|если|нет|да|когда|чтобы"
    r"|выше|ниже|так|уже|затем|очень|снова|тоже)\b",
    "hu": r"\b(?:is|és|vagy|de|hogy|nem|mint|csak|már|még|volt|van|ez|azonban|tehát|itt|így|ma)\b",
}


# Endings of Hungarian cases that no word in the first case is likely to have.
_HUNGARIAN_CASE = re.compile(r"(?:b[ae]n|n[ae]k|v[ae]l|[rtb][óő]l|n[áé]l|h[oeö]z|ként)$")


def _is_term(term: str, language: str) -> bool:
    """Tell whether words can name a thing: none of them joins, denies or is a verb we know."""
    if language == "hu" and _HUNGARIAN_CASE.search(term):
        return False
    return (
        not re.search(_NO_TERM[language], term, re.IGNORECASE)
        and re.search(r"\w{3}", term) is not None
    )


def inside(words: str, text: str, language: str) -> str:
    """Return what begins a sentence as it is written inside one.

    A capital falls where the text has the word without it; a Russian one, unless the text has the
    word with it inside a sentence.
    """
    first = words.split()[0]
    lower = first[0].lower() + first[1:]
    falls = re.search(rf"(?<!\w){re.escape(lower)}", text) is not None
    if language == "ru" and re.fullmatch("[А-ЯЁ][а-яё-]+", first):
        falls = falls or re.search(rf"[а-яё,] {re.escape(first)}", text) is None
    return lower + words[len(first) :] if falls else words


def _is_code(term: str) -> bool:
    """Tell whether a word has capitals or digits behind its first letter."""
    return re.search(r"[A-Z\d]", term[1:]) is not None


def _hungarian_article(word: str) -> str:
    return "az" if word[0].lower() in "aáeéiíoóöőuúüű" else "a"


# Headings that begin with one of these are questions but for the mark.
_ASKS = {
    "ru": r"(?:Как|Почему|Зачем|Что|Чем|Где|Когда|Кто|Сколько|Как(?:ой|ая|ое|ие)) ",
    "hu": r"(?:Hogyan|Miért|Mire|Mikor|Mi|Mit|Mennyi|Hány|Hol|Ki|Melyik|Milyen) ",
    "zh": r".*(?:什么|为何|如何|怎么|怎样|多少|哪|谁|吗$)",
    "en": r"(?:What|Who|Which|Where|When|Why|How) (?:is|are|was|were|can|could|do|does|did|should"
    r"|will|would|may|might|has|have|makes?|happens?|goes|comes|to do) ",
    "de": r"(?:Was|Wer|Wo|Wann|Warum|Wie) (?:ist|sind|war|waren|kann|können|wird|werden|soll|hat"
    r"|haben|macht|geht|funktioniert) ",
}
_GERMAN_INFINITIVE = re.compile(r"(?!zusammen|oben|unten|außen|innen)[a-zäöüß]{3,}(?:en|ern|eln)")
_NOUN_BEFORE = {
    "en": r"(?:\ban?|\bthe|\bof|\bthis|\bthese|\bfor|\bwith|\byour|\bin|\bby)\s+",
    "de": r"(?:\beine?[nmrs]?|\bde[rnms]|\bdie|\bdas|\bfür|\bmit|\bvon|\bin)\s+",
    "hu": r"\b(?:az?|egy)\s+",
}


def headings(title: str, language: str, section: str) -> Iterator[Asked]:
    """Yield the best question for a heading: what it asks, how it is done, what it is, or what is
    said about it.

    Args:
        section: what stands below the heading; it tells whether the title is a noun phrase.
    """
    plain = title.strip(" .:。：「」“”") or title
    points_back = re.search(POINTS_BACK[language], plain, re.IGNORECASE) is not None
    if re.search(r"[?？]$", plain) and not points_back:
        yield Asked(plain)
    elif (how := next(_how(plain, language), "")) and not points_back:
        yield Asked(how)
    elif language == "en" and re.match(r"[A-Z][a-z]{2,}ing ", plain):
        yield Asked(f"What is said about {plain[0].lower()}{plain[1:]}?", natural=False)
    elif _is_noun_phrase(plain, language, section):
        yield Asked(*_what_is(plain, language, section))
    else:
        yield Asked(forms(language).heading.format(plain), natural=False)


def _what_is(title: str, language: str, section: str) -> tuple[str, str, str]:
    term = title if language == "de" else inside(title, section, language)
    match language:
        case "zh":
            question = f"什么是{term}？"
        case "ru":
            question = f"Что такое {term}?"
        case "hu":
            question = f"Mi az {_hungarian_article(term)} {term}?"
        case "de":
            question = f"Was versteht man unter {term}?"
        case _:
            plural = re.search(r"[^s]s$", term) is not None
            question = f"What {'are' if plural else 'is'} {term}?"
    return question, "", term


def _how(title: str, language: str) -> Iterator[str]:
    """Yield the question of a heading that asks, or says how something is done."""
    first, _, rest = title.partition(" ")
    if re.search("[:：]| [-–—] ", title):
        return
    if re.match(_ASKS[language], f"{title} " if language != "zh" else title):
        yield f"{title}？" if language == "zh" else f"{title}?"
    elif language == "de" and rest and _GERMAN_INFINITIVE.fullmatch(title.split()[-1]):
        small = re.match(r"(?:Ein|D[ea]|Die|Im|In|Bei|Mit|Zu|Auf|Für)[a-z]*$", first)
        yield f"Wie kann man {first.lower() if small else first} {rest}?"
    elif language == "zh" and title.startswith(tuple(forms(language).commands)):
        yield f"如何{title}？"
    elif language == "en" and rest:
        yield from _english_how(title, first, rest)


def _english_how(title: str, first: str, rest: str) -> Iterator[str]:
    if match := re.match(r"How to (.+)", title):
        yield f"How do you {match[1]}?"
    elif match := re.match(r"(How|Why|Where) (.+?) (is|are|was|were|can) (.+)", title):
        yield f"{match[1]} {match[3]} {match[2]} {match[4]}?"
    elif match := re.match(r"How (\w+s|.+ \w+s) work$", title):
        yield f"How do {match[1]} work?"
    elif match := re.match(r"How (.+) works$", title):
        yield f"How does {match[1]} work?"
    elif first.lower() in forms("en").commands:
        yield f"How do you {first.lower()} {rest}?"


def _is_noun_phrase(title: str, language: str, section: str) -> bool:
    """Tell whether a heading names a thing of which the section speaks."""
    words = title.split()
    if re.search(r"[,:;!()/=<>{}`“”\"«»—–，：；！、（）]", title) or len(words) > 4:
        return False
    if words[0].casefold() in forms(language).first:
        return False
    if language == "zh":
        used = title in section and len(title) <= 8
        other = title.startswith(tuple(forms(language).first))
        return used and not other and _CHINESE_NO_TERM.search(title) is None
    if language == "ru":
        # A Russian noun phrase has its first words in another case elsewhere.
        stems = r"\w*\s+".join(re.escape(word[: max(3, len(word) - 2)]) for word in words)
        verb = re.search(r"(?:ть|ться|ти|йте|ем|ете|ите)$", words[0])
        return verb is None and re.search(stems, section, re.IGNORECASE) is not None
    if language == "en" and re.search(r"(?:ing|ly)$", words[0]) and len(words) > 1:
        return False
    pattern = _NOUN_BEFORE[language] + re.escape(title).replace(r"\ ", r"\s+")
    return re.search(pattern, section, re.IGNORECASE) is not None
