"""What is X? The name that a question wants explained, and sentences that explain a name.

In manuals and glossaries what explains a term often lacks most words of the question, and stands
below a line that is the term alone. In en, de, ru, hu and zh. Pure functions.
"""

import re

from rag.analysis import terms

LONGEST_NAME = 4
"""Words; what is longer describes rather than names."""

_ARTICLE = re.compile(r"(?:an?|the|de[rmns]|die|das|eine?[mnrs]?|az?|egy)\s+", re.IGNORECASE)
_QUESTION = re.compile(
    r"what(?:['\u2019]s| is| are| was| were) (?:meant by )?(.+)"
    r"|what do(?:es)? (.+?) (?:mean|stand for)"
    r"|was (?:ist|sind|bedeute[nt]|hei(?:\u00df|ss)t|versteht man unter) (.+)"
    r"|что (?:такое|значит|означает) (.+)"
    r"|(?:mit jelent(?: az?)?|mi(?:k azok)? az(?= az? )|mi az) (.+)"
    r"|(?:什么是|何谓) ?(.+)"
    r"|(.+?) ?(?:指的)?是什么(?:意思)?",
    re.IGNORECASE,
)
# What a description has and a name has not.
_DESCRIBES = re.compile(
    r"[,，、的]|\b(?:of|in|for|on|at|to|by|from|when|that|between|and|or|von|bei|zum?|zur|f\u00fcr"
    r"|zwischen|und|в|на|для|из|и|между|és|vagy|között)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:it|this|that|these|those|they|he|she|there|es|dies\w*|das|er|sie|это|эт[аои]т?|он[аои]?"
    r"|ez|azok|ezek|它们?|这个?|那个?)",
    re.IGNORECASE,
)
# "What is the price?": there is one, under whatever name.
_GIVEN = re.compile(
    r"what(?:['\u2019]s| is| are| was| were) the |was (?:ist|sind) (?:der|die|das) |mi az (?!az? )",
    re.IGNORECASE,
)
_QUOTES = "\"'`\u00ab\u00bb\u201c\u201d\u201e\u2018\u2019\u300c\u300d"
_MARKS = _QUOTES + "*_"  # emphasis too
# Between a name and what it is: what else it is called, then a verb or a mark of its kind.
_IS = re.compile(
    r"s?[^\w\s(:\u2014\u2013-]*(?:\s*[(\uff08][^()\uff08\uff09\n]{1,80}[)\uff09])?\s*"
    r"(?:(?:is|are|was|were|means?|refers?|denotes?|stands for|ist|sind|bedeutet|bezeichnet"
    r"|это|называ\w*|означа\w*|явля\w*|egy|az)\b|[\u2014\u2013:\uff1a]|-\s|是|指|即)",
    re.IGNORECASE,
)


# What is cited by its short name: "byte-pair encoding (BPE)".
_SHORT = r"[(\uff08][^()\uff08\uff09\n]{{0,60}}\b{}[)\uff09]"


def asked_name(question: str) -> str:
    """Return the name that a question wants explained, without its article; "" for any other."""
    match = _QUESTION.fullmatch(question.strip().rstrip(" ?\uff1f.\u3002!\uff01"))
    if match is None:
        return ""
    name = _ARTICLE.sub("", next(filter(None, match.groups())).strip(), count=1).strip(_QUOTES)
    other = len(name.split()) > LONGEST_NAME or _DESCRIBES.search(name) or _PRONOUN.fullmatch(name)
    return "" if other else name


def takes_for_known(question: str) -> bool:
    """Tell whether a question with an `asked_name` asks about something that has to be there."""
    return _GIVEN.match(question.strip()) is not None


def explains(sentence: str, before: str, name: str) -> bool:
    """Tell whether a sentence, which is no row of a table, says what a name stands for.

    Args:
        before: what stands before it in its document, a line that is the name, or asks for it, at
            its end.
        name: as `asked_name` returns it.
    """
    wanted, name = set(terms(name)), name.strip(_MARKS)
    if not name:
        return False
    line = next((line for line in reversed(before.split("\n")) if terms(line)), "")
    asked = asked_name(line.lstrip(" #=*"))
    if wanted and wanted in (set(terms(line)), set(terms(asked))):
        return True
    if re.search(_SHORT.format(re.escape(name)), sentence, re.IGNORECASE):
        return True
    begun = _ARTICLE.sub("", sentence.lstrip(_MARKS), count=1).lstrip(_MARKS)
    named = begun[: len(name)].casefold() == name.casefold()
    return named and _IS.match(begun, len(name)) is not None


def heads_row(row: str, name: str) -> bool:
    """Tell whether a row begins with a name: "| BPE | merges |", "Word: BPE; Meaning: …"."""
    first = re.split(r"[|;]", row.strip().strip("|"), maxsplit=1)[0]
    return first.rpartition(": ")[2].strip(f" {_MARKS}").casefold() == name.casefold()
