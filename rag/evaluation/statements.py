"""A question and its answer made into a statement, by rule, in four languages.

Only questions whose wording turns into a statement without touching a verb are taken: what asks
stands where the answer can stand. Others yield nothing.
"""

import re
from collections.abc import Iterator

_AUX = "did|does|do|is|are|was|were|has|have|had|can|could|will|would|should|may|might|must"
_STRANDED = (
    "for|by|of|to|in|on|at|with|from|as|about|called|known|named|doing|like|into|used|than|located|"
    "considered|over|under|made|said|found|held|against|through|be|after|before|out|up"
)
_PARTICIPLE = r"(?:\w+ed|made|built|born|given|found|chosen|held|known|led|won|written|shown|sent)"


def statements(question: str, answer: str, language: str) -> Iterator[str]:
    """Yield at most one statement that says of the answer what the question asks.

    Args:
        answer: as it stands in its paragraph; of a kind that fits the question.
        language: en, de, ru or zh; none is made for others.
    """
    asked = " ".join(question.split()).rstrip("?？ ")
    said = " ".join(answer.split()).strip(" .,;，。")
    makers = {"en": _english, "de": _german, "ru": _russian, "zh": _chinese}
    if language not in makers or not asked or not said or re.search("[?？]", asked):
        return
    for text in makers[language](asked, said):
        stop = "。" if language == "zh" else "."
        yield text[0].upper() + text[1:].rstrip(".") + stop
        return


def _english(asked: str, said: str) -> Iterator[str]:
    if match := re.match(rf"(?:Who|What) (?!(?:{_AUX})\b)(\w+(?:s|ed|t|e|n|w|d|k)) (.+)", asked):
        # "Who led …": a verb in the past or third person; "What city …" has a noun here.
        if asked.startswith("Who"):
            yield f"{said} {match[1]} {match[2]}"
    elif match := re.match(rf"(?:Who|What) (was|were|is|are) ({_PARTICIPLE} .+)", asked):
        if not re.search(rf" (?:{_STRANDED})$", asked) and asked.startswith("Who"):
            yield f"{said} {match[1]} {match[2]}"
    elif match := re.match(r"(?:Who|What) (was|were|is|are) (the .+)", asked):
        if not re.search(rf" (?:{_STRANDED}|\w+ed)$", asked) and not re.search(
            rf" (?:{_PARTICIPLE}) (?:{_STRANDED})\b", asked
        ):
            yield f"{match[2]} {match[1]} {said}"
    elif match := re.match(r"How many (.+? (?!there\b)(?:\w+ed|were|are|died|won|make) .+)", asked):
        if re.fullmatch(r"[\d,.]+(?: \w+illion)?|[a-z]+", said) and not re.search(
            r"\b(?:did|does|do|there|has|have|had|was|can|could|would|will)\b", asked
        ):
            yield f"{said} {match[1]}"
    elif match := re.match(r"(?!What|Who|Where|When|Why|How|Which|In|On|At|To|For|By|From|After|"
                           r"Before|During|If|Along|Under|With|Into|Of|Upon|Prior|Was|Were|Is|Are"
                           r"|Did|Does|Do)(.+?)(?<! do) what(?: [a-z]+)?$", asked):  # fmt: skip
        yield f"{match[1]} {said}"


def _german(asked: str, said: str) -> Iterator[str]:
    # The verb stands second in the question as in the statement, whatever comes first.
    if match := re.match(r"(?:Wer|Wen) (\w+ .+)", asked):
        # An answer that ends in a small letter's word holds a verb or half a phrase.
        if not said.split()[-1][0].islower():
            yield f"{said} {match[1]}"
    elif match := re.match(r"Wann (\w+ .+)", asked):
        if re.fullmatch(r"\d{1,2}\. \w+ \d{4}", said):
            yield f"Am {said} {match[1]}"
        elif re.fullmatch(r"\d{3,4}|(?:[Ii]m|[Aa]m|[Ii]n|[Vv]or|[Nn]ach) .*\d.*", said):
            yield f"{said} {match[1]}"
    elif match := re.match(r"In welchem Jahr (\w+ .+)", asked):
        if year := re.search(r"\b\d{3,4}\b", said):
            yield f"Im Jahr {year[0]} {match[1]}"
    elif (match := re.match(r"Wie viele ([A-ZÄÖÜ]\w+ \w+ .+)", asked)) and re.fullmatch(
        r"[\d.,]+(?: (?:Millionen|Milliarden))?|zwei|drei|vier|fünf|sechs", said
    ):
        yield f"{said} {match[1]}"


def _russian(asked: str, said: str) -> Iterator[str]:
    if match := re.match(r"Кто (?!из |такой |такие |так)(\w+ .+)", asked):
        if said[0].isupper():
            yield f"{said} {match[1]}"
    elif match := re.match(r"(?:Когда|В каком году) (\w+ .+)", asked):
        if re.search(r"\d{3}", said):
            year = re.fullmatch(r"(?:в )?(\d{3,4})(?: год[ауе]?)?", said)
            yield f"В {year[1]} году {match[1]}" if year else f"{said} {match[1]}"
    elif (match := re.match(r"Сколько (?!лет |всего )(\w+ .+)", asked)) and re.fullmatch(
        r"[\d\s,.]+(?: (?:млн|тысяч|миллион\w*))?", said
    ):
        yield f"{said} {match[1]}"


_CHINESE = (
    (r"(?:在)?哪一?年", r"(?:(?:在|自|于) ?)?\d{3,4} ?年?"),
    (r"多少(?=人|个|名|次|年|种|分|英里|码|座|所|家|平方|公里|美元|天)", r"[\d,.]+ ?[万亿]*"),
    (r"谁", r"[^\d，。]{2,25}"),
    (r"什么时候|何时", r".*\d.*"),
    (r"什么(?![A-Za-z\u4e00-\u9fff])", r".{2,40}"),
    (r"哪里|哪儿|什么地方", r"[^\d，。]{2,25}"),
)


def _chinese(asked: str, said: str) -> Iterator[str]:
    """Chinese asks in place: the answer takes the place of the word that asks."""
    if len(re.findall("什么|谁|哪|多少|何时|为何|几", asked)) != 1 or re.search("如何|怎", asked):
        return
    for pattern, fitting in _CHINESE:
        if (match := re.search(pattern, asked)) and re.fullmatch(fitting, said):
            after = asked[match.end() :]
            unit = re.match(r"人|个|名|次|年|种|分|英里|码|座|所|家|天", after)
            if unit and said.endswith(unit[0]):
                after = after[len(unit[0]) :]
            if (
                pattern.startswith("(?:在)")
                and re.match(r"[在自于]", said) is None
                and not said.endswith("年")
            ):
                said = f"{said}年"
            yield asked[: match.start()] + said + after
            return
