"""Which words of a question carry only grammar, and what in a text is a name: en, zh, ru, hu, de.

Rules over short word lists, for questions alone: search knows no word lists (`rag.analysis`).
"""

import re
from functools import cache

LANGUAGES = ("en", "zh", "ru", "hu", "de")

INTERROGATIVES = {
    "en": "what which who whom whose when where why how",
    "de": "was wer wen wem wessen wann wo wohin woher warum weshalb wieso wie welche welcher"
    " welches"
    " welchen welchem wieviel wieviele wodurch womit worin wozu wofür",
    "hu": "mi mik mit miket ki kik kit kiket mikor hol hova honnan miért hogyan hogy melyik melyek"
    " mennyi mennyit mennyien mennyire hány hányan hányszor milyen mekkora mire miben mióta meddig"
    " kinek minek mennyivel",
    "ru": "что чего чему чем чём кто кого кому кем ком когда где куда откуда почему зачем как какой"
    " какая какое какие какого какую каких каким каком какими какова каков каковы сколько скольких"
    " скольким чей чья чьё чье чьи который которая которое которые",
}
# Articles, pronouns, prepositions, conjunctions, auxiliaries and the verbs of nearly any question.
FUNCTION = {
    "en": "a an the of in on at to for from by with about into as than and or but so then also"
    " is are"
    " was were be been do does did has have had can could will would shall should may might must it"
    " its they them their he him his she her this that these those there here one ones i me my"
    " we us"
    " you your please many much long often far tell more give explain exactly else not no",
    "de": "der die das den dem des ein eine einen einem einer eines und oder aber also dann auch"
    " denn"
    " in im an am auf zu zum zur von vom für mit bei aus nach über um als ist sind war waren sein"
    " wird werden wurde wurden hat haben hatte hatten kann können konnte soll muss es er sie ihn"
    " ihm"
    " ihr ihre ihren ihrer seine seinen seiner dies diese dieser dieses diesen diesem davon daran"
    " dafür damit dort man ich wir viel viele lange oft genau bitte mehr noch nicht gibt gab ja"
    " nein",
    "hu": "a az egy és vagy de hát na is nem sem van vannak volt voltak lesz lehet kell ez azt"
    " ezt azok"
    " ezek ennek annak ő ők őt őket neki nekik róla vele benne belőle tőle ott itt aztán akkor még"
    " meg ideig darab sok pontosan kérem között alatt után előtt szerint",
    "ru": "и а но или же ли бы в во на с со у о об от до из за к ко по для при над под про не ни"
    " то это"
    " этот эта эти этого этой этих этом он она оно они его её ее ему ей им их них него неё нее ним"
    " ней нем нём там тогда так был была было были быть есть будет ещё еще уже я мы вы пожалуйста"
    " такое такой такая такие много долго часто именно",
}
ARTICLES = {
    "en": "the a an",
    "de": "der die das den dem des ein eine einen einem einer eines",
    "hu": "a az egy",
}
# What stands before a German noun that is no name.
_BEFORE_NOUN = frozenset(
    (
        ARTICLES["de"]
        + " viele vielen wie welche welcher welches welchen welchem im am zum zur vom"
        " beim ins ans keine kein keinen mehr dieser diese dieses diesen diesem seine seiner seinen"
        " ihre ihrer ihren alle allen pro je einige mehrere"
    ).split()
)
_CHINESE_FUNCTION = re.compile(
    "为什么|怎么样|怎么|怎样|什么时候|什么样|什么|哪一年|哪些|哪个|哪里|哪儿|哪|谁|多少|多大|多长|多久|几个|几|如何|何时"
    "|是否|请问|那么|那|它们|他们|她们|它|他|她|这些|这个|这种|这|那些|那个|该|其|一共|总共|还有|另外|以及|或者"
    "|是|的|了|吗|呢|有|在|和|与|被|把|对|从|到|用|会|能|可以|需要|中|上|下|里|也|都|又|个|一"
)
WORD = re.compile(r"[^\W_]+(?:[-'’.·/+][^\W_]+)*\+*")
_HAN = re.compile("[\u3400-\u9fff]+")
_QUOTED = re.compile(r"[«“„\"《「『]([^«»“”„\"《》「」『』\n]{2,60})[»”“\"》」』]")
_LATIN_NAME = re.compile(r"[A-Za-z][\w.+-]*(?: (?:[A-Z0-9][\w.+-]*))*", re.ASCII)
_JOINING = frozenset(["of", "de", "la", "le", "von", "van", "der", "du", "del", "the", "zu", "ибн"])
_MARKER = re.compile(r"\s*\[\d{1,3}\]")


@cache
def _listed(table: str, language: str) -> frozenset[str]:
    lists = {"function": FUNCTION, "interrogative": INTERROGATIVES, "article": ARTICLES}
    return frozenset(lists[table].get(language, "").split())


def interrogative(word: str, language: str) -> bool:
    """Tell whether a word asks ("which", "сколько")."""
    return word.casefold() in _listed("interrogative", language)


def article(word: str, language: str) -> bool:
    """Tell whether a word is an article."""
    return word.casefold() in _listed("article", language)


def content_words(text: str, language: str) -> list[str]:
    """Return the words that say what a text is about, in order; of Chinese, stretches of it."""
    if language == "zh":
        return [word for part in _CHINESE_FUNCTION.split(text) for word in WORD.findall(part)]
    grammar = _listed("function", language) | _listed("interrogative", language)
    return [word for word in WORD.findall(text) if word.casefold() not in grammar]


def weight(text: str) -> int:
    """Return the number of words; of Chinese, pairs of characters count."""
    han = sum(map(len, _HAN.findall(text)))
    return len(WORD.findall(_HAN.sub(" ", text))) + (han + 1) // 2


def names(text: str, language: str) -> list[str]:
    """Return what looks like a name, each once: quoted titles, capitalised words, codes (GPT-3).

    German capitalises every noun: there one word counts only where no article or number of
    things stands before it. Chinese names in Chinese characters are not found unless quoted.
    """
    text = _MARKER.sub("", text)
    found = [match.group(1).strip() for match in _QUOTED.finditer(text)]
    rest = _QUOTED.sub(" ; ", text)
    found += _LATIN_NAME.findall(rest) if language == "zh" else _capitalised(rest, language)
    return list(dict.fromkeys(found))


def _capitalised(text: str, language: str) -> list[str]:
    """Return runs of capitalised words and codes; the first of a sentence only if it is sure."""
    runs: list[list[re.Match[str]]] = []
    words = list(WORD.finditer(text))
    for word in words:
        if not _name_like(word.group(), language):
            continue
        if runs and _continues(text, runs[-1][-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    return [text[run[0].start() : run[-1].end()] for run in runs if _sure(text, run, language)]


def _continues(text: str, last: re.Match[str], word: re.Match[str]) -> bool:
    between = text[last.end() : word.start()]
    return between == " " or (
        re.fullmatch(r"[\w ]+", between) is not None and set(between.split()) <= _JOINING
    )


def _name_like(word: str, language: str) -> bool:
    if coded(word):
        return True
    grammar = _listed("function", language) | _listed("interrogative", language)
    return word[0].isupper() and word.casefold() not in grammar


def coded(word: str) -> bool:
    """Tell whether a word can only be a name: letters with digits, or a capital inside (GPT-3)."""
    letters = any(map(str.isalpha, word))
    return letters and (any(map(str.isdigit, word)) or any(map(str.isupper, word[1:])))


def _sure(text: str, run: list[re.Match[str]], language: str) -> bool:
    first = run[0]
    if len(run) > 1 or coded(first.group()):
        return True
    before = text[: first.start()].rstrip()
    if not before or before[-1] in ".!?…:;•–—":
        return False
    if language == "de":
        words = WORD.findall(before)
        return bool(words) and words[-1].casefold() not in _BEFORE_NOUN and not words[-1].isdigit()
    return True


def has_han(text: str) -> bool:
    """Tell whether a text has Chinese characters."""
    return _HAN.search(text) is not None
