"""Saying a sentence otherwise without changing what it says, by rule.

Every rule only reorders, leaves out what qualifies nothing else, or exchanges words of the
tables in `rag.evaluation.wording`; what it can not do safely it leaves alone.
"""

import re

from rag.evaluation.wording import wording

_QUOTE = re.compile('["“”„«»《》]')
_PARENTHESIS = re.compile(r"\s*(?:\([^()]{2,80}\)|（[^（）]{2,80}）)")
# Which-clauses between two commas qualify nothing that follows.
_ENGLISH_ASIDE = re.compile(r", (?:which|who|whose) [^,;:()]{5,90}, (?=[a-z])")
_ENGLISH_LEAD = re.compile(
    r"(In|On|During|After|Before|Since|At|Under|Until) (\S+(?: \S+){0,3}), "
    r"(?!such |and |but |or |like |then )([^,;:\"“”]{20,})\."
)


def paraphrase(sentence: str, language: str) -> str:
    """Return the sentence reworded by every rule that fits; itself when none does.

    Args:
        sentence: whole, with its full stop.
        language: one of `wording.LANGUAGES`.
    """
    text = sentence
    if text.count("(") + text.count("（") == len(_PARENTHESIS.findall(text)):
        text = _PARENTHESIS.sub("", text)
    shortest = 8 if language == "zh" else 15
    for opener in wording(language).openers:
        if text.startswith(opener) and len(text) > len(opener) + shortest:
            text = _capital(text[len(opener) :])
            break
    if language == "en":
        if not re.search(r", (?:which|who|whose) .* and ", text):
            text = _ENGLISH_ASIDE.sub(" ", text, count=1)
        text = _moved_lead(text)
    return _exchanged(text, language)


def join(first: str, second: str, language: str) -> str:
    """Return two sentences as one."""
    head = first.rstrip(" .。")
    word = re.match(r"\w+", second)
    if word and word[0] in wording(language).lowered:
        second = second[0].lower() + second[1:]
    return head + wording(language).joiner + second


def _moved_lead(text: str) -> str:
    """Return "In 1950, it began." as "It began in 1950." where there is but one clause."""
    match = _ENGLISH_LEAD.fullmatch(text)
    clauses = r"\b(?:and|but|which|that|when|while|who|is|are|was|were)\b"
    if not match or re.search(clauses, match[2]) or len(re.findall(clauses, match[3])) > 1:
        return text
    return f"{_capital(match[3])} {match[1].lower()} {match[2]}."


def _exchanged(text: str, language: str) -> str:
    """Return text with each word of the table exchanged once, longest entries first."""
    table = wording(language).synonyms
    words = "|".join(re.escape(word) for word in sorted(table, key=len, reverse=True))
    edge = "" if language == "zh" else r"\b"
    pattern = re.compile(rf"{edge}(?:{words}){edge}", re.IGNORECASE)

    def other(match: re.Match[str]) -> str:
        found = match[0]
        if len(_QUOTE.findall(text[: match.start()])) % 2:
            return found  # inside quotation marks words are not ours to change
        chosen = table.get(found) or table.get(found.lower())
        if chosen is None:
            return found  # a capital inside: a name
        return _capital(chosen) if found[0].isupper() else chosen

    return pattern.sub(other, text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
