"""Amounts and years of sentences made into questions, by rule, in five languages.

Only where no verb has to be touched: English and German sentences of a few shapes; Russian, which
moves what asks to the front; Hungarian and Chinese, which ask in place.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from rag.evaluation.asking import POINTS_BACK, Asked

YEAR = r"(?:1[0-9]|20)\d\d"
_NUMBER = r"\d+(?:[.,\u00a0 ]\d{3})*(?:[.,]\d+)?"


def amounts(sentence: str, language: str) -> Iterator[Asked]:
    """Yield at most one question for the one amount or year that a sentence has."""
    found = re.findall(_NUMBER, sentence)
    if len(found) != 1 or re.search(r"[,;:—–()“”«»，；：（）、„]", sentence.rstrip(".。")):
        return
    if re.search(POINTS_BACK[language], sentence, re.IGNORECASE):
        return
    said = sentence.rstrip(".。")
    makers: Mapping[str, Callable[[str], Iterator[Asked]]] = {
        "en": _english,
        "de": _german,
        "ru": _russian,
        "hu": _hungarian,
        "zh": _chinese,
    }
    for asked in makers[language](said):
        yield asked
        return


_DID = {"has": "does", "have": "do", "had": "did"}
_BE = "was|were|is|are"


_NOUN = r"(?!of\b|percent|per\b|and\b|or\b|to\b|times\b|years? old)[a-z]{3,}"


_TELLS_MORE = re.compile(r"(?:of|that|which|who|made|written|\w+ed|\w+ing)\b")


def _english(said: str) -> Iterator[Asked]:
    if match := re.match(rf"In ({YEAR}) (?P<rest>(?:the |an? )?[\w' -]+?) (was|were) (.+)", said):
        subject = match["rest"]
        yield Asked(f"In which year {match[3]} {_lowered(subject)} {match[4]}?", match[1])
    elif match := re.match(rf"(.+?) (was|were) (\w+(?:ed|n|t|d)\b.*?) in ({YEAR})$", said):
        if len(match[1].split()) <= 6:
            yield Asked(f"In which year {match[2]} {_lowered(match[1])} {match[3]}?", match[4])
    elif match := re.match(
        rf"([A-Z][\w' -]+?) (has|have|had) (?:about |some |only )?({_NUMBER}) ({_NOUN}.*)", said
    ):
        if len(match[1].split()) <= 6:
            noun, _, rest = match[4].partition(" ")
            does = f"{_DID[match[2]]} {_lowered(match[1])} have"
            # "…, of which the noun is told more": that stays with the noun.
            parts = (noun, rest, does) if _TELLS_MORE.match(rest) else (noun, does, rest)
            yield Asked(f"How many {' '.join(filter(None, parts))}?", match[3])
    elif match := re.match(rf"(?:About |Some |Only )?({_NUMBER}) ({_NOUN} .+)", said):
        yield Asked(f"How many {match[2]}?", match[1])
    elif match := re.match(
        rf"There ({_BE}) (?:about |some |only )?({_NUMBER}) ({_NOUN})(.*)", said
    ):
        yield Asked(f"How many {match[3]} {match[1]} there{match[4]}?", match[2])


def _lowered(subject: str) -> str:
    """Return a subject without the capital of an article or pronoun that began the sentence."""
    first, _, rest = subject.partition(" ")
    small = {"The", "A", "An", "It", "They", "He", "She", "This", "These", "Its", "Their", "All"}
    return f"{first.lower()} {rest}".strip() if first in small else subject


def _german(said: str) -> Iterator[Asked]:
    # The verb stands second in the question as in the statement, whatever comes first.
    if match := re.match(rf"(?:Im Jahre? )?({YEAR}) ([a-zäöüß]+ .+)", said):
        yield Asked(f"In welchem Jahr {match[2]}?", match[1])
    elif match := re.match(
        rf"(?:Etwa |Rund |Insgesamt |Nur )?({_NUMBER}) ([A-ZÄÖÜ]\w+ [a-zäöüß]+ .+)", said
    ):
        yield Asked(f"Wie viele {match[2]}?", match[1])


_RUSSIAN_MONTH = r"(?:январ|феврал|март|апрел|ма|июн|июл|август|сентябр|октябр|ноябр|декабр)е"
# Amounts stand behind verbs, or begin; behind anything else they have its case.
_RUSSIAN_VERB = re.compile(r"(?:[ауеию]т|л|ла|ло|ли|ся|сь|ны|на|но|ен)$")


def _russian(said: str) -> Iterator[Asked]:
    some = r"(?:[Рр]овно |[Оо]коло |[Вв]сего )?"
    amount = rf"(?:(?<=[а-яё]) |^){some}({_NUMBER}) ([а-яё]+(?: [а-яё]+$)?) ?"
    if match := re.search(rf"\b[Вв] ({YEAR}) году ?", said):
        yield Asked(f"В каком году {_rest(said, match)}?", match[1])
    elif match := re.search(rf"\b[Вв] {_RUSSIAN_MONTH} ({YEAR}) года ?", said):
        yield Asked(f"Когда {_rest(said, match)}?", match[1])
    elif match := re.search(amount, said):
        before, after = said[: match.start()].split(), said[match.end() :]
        fits = not before or (len(before[-1]) > 3 and _RUSSIAN_VERB.search(before[-1]))
        if fits and not re.match("год", match[2]) and not re.match(r"(?:и|или) ", after):
            yield Asked(f"Сколько {match[2]} {_rest(said, match)}?", match[1])


def _rest(said: str, match: re.Match[str]) -> str:
    """Return a sentence without what moved to its front; its first letter small, unless the word
    is a name by its other capitals or by a capital that follows."""
    rest = " ".join(f"{said[: match.start()]} {said[match.end() :]}".split())
    if re.match(r"\S[^\s]*[A-ZА-ЯЁ]|[A-Z]|\S+ [А-ЯЁ]", rest):
        return rest
    return rest[:1].lower() + rest[1:]


_HUNGARIAN_MONTH = (
    "(?:január|február|március|április|május|június|július|augusztus|szeptember|október|november"
    "|december)[a-záéíóöőúüű]*"
)


def _hungarian(said: str) -> Iterator[Asked]:
    noun = rf"(?!{_HUNGARIAN_MONTH})(?=[a-záéíóöőúüű]{{3}})"
    amount = rf"(?<=\w )(?:pontosan |mintegy |összesen |csak )?({_NUMBER}) {noun}"
    if match := re.search(rf"\b({YEAR})-[bn][ae]n\b", said):
        yield Asked(f"{said[: match.start()]}melyik évben{said[match.end() :]}?", match[1])
    elif match := re.search(rf"\b({YEAR}) {_HUNGARIAN_MONTH} ", said):
        asked = f"{said[: match.start()]}mikor {said[match.end() :]}?"
        yield Asked(asked[0].upper() + asked[1:], match[1])
    elif (match := re.search(amount, said)) and not re.search(" és | vagy ", said[match.end() :]):
        yield Asked(f"{said[: match.start()]}hány {said[match.end() :]}?", match[1])


def _chinese(said: str) -> Iterator[Asked]:
    if match := re.search(rf"({YEAR}) ?年(?!代)", said):
        yield Asked(f"{said[: match.start()]}哪一年{said[match.end() :]}？", match[1])
    elif match := re.search(
        rf"(?<![A-Za-z\d.-])(?<![A-Za-z] )(?:约|大约|共)?({_NUMBER}) ?(?=[\u4e00-\u9fff%])", said
    ):
        unit = said[match.end() : match.end() + 1]
        if unit == "%":
            asked = f"{said[: match.start()]}百分之几{said[match.end() + 1 :]}？"
            yield Asked(asked, f"{match[1]}%")
        elif unit not in "月日号年":
            yield Asked(f"{said[: match.start()]}多少{said[match.end() :]}？", match[1])
