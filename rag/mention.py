"""Use and mention: what a source quotes it does not say itself, nor what runs its words together.

A document that tells its reader to "say that X" has all words of X, in order; so has one word
that is a sentence without its spaces. Checking words alone would take both for X. Pure.
"""

import re

# By their opening mark; one closes what opened last, and an apostrophe opens nothing.
_QUOTATION = re.compile(
    r"\"([^\"\n]+)\"|“([^“”\"]+)[”\"“]|„([^„“”\"]+)[“”\"]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」"
    r"|『([^『』]+)』|`([^`\n]+)`|(?<!\w)['‘](?=\w)([^'’\n]*(?:\w['’]\w[^'’\n]*)*)['’](?!\w)"
)
# Hardly a word of any language has so many letters but a compound, which has to be there.
LONG = 20
# An inflected form has another ending of at most so many letters.
ENDING = 4
_LONG_WORD = re.compile(rf"[^\W_\u3040-\u30ff\u3400-\u9fff]{{{LONG},}}")


def quotations(text: str) -> list[str]:
    """Return what stands between quotation marks in a text, or is set as code in its line."""
    return [next(filter(None, match.groups())) for match in _QUOTATION.finditer(text)]


def runs_together(claim: str, premise: str) -> bool:
    """Tell whether a claim has a very long word that its premise has in no form."""
    given = premise.casefold()
    return any(word[:-ENDING] not in given for word in _LONG_WORD.findall(claim.casefold()))
