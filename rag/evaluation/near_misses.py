"""Questions that the documents nearly answer: one that they do answer, with a name or term in it
replaced by one that none of them has."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from rag.evaluation import falsify
from rag.evaluation.asking import Forms, forms

# A word that is inflected in the documents is there all the same.
_ENDING = 2
_SHORTEST = 4
# What a Hungarian name in another case than the first ends with.
_HUNGARIAN_CASE = re.compile(
    r"(?:n[ae]k|b[ae]n|v[ae]l|r[óő]l|n[áé]l|t[óő]l|b[óő]l|h[oeö]z|[oeö]n|[aeoö]?t|r[ae]|b[ae]|ig|ért)$"
)
_PERSON = re.compile(r"[^\W\d_a-z][^\W\d_A-Z]+ [^\W\d_a-z][^\W\d_A-Z]+")
_PLACE = re.compile(r"\b(?:in|at|from|near|nach|aus|в|из|под)\W+$", re.IGNORECASE)
# Before consonants and before vowels.
_ARTICLES = {"en": ("a", "an"), "hu": ("a", "az")}
_VOWELS = "aáeéiíoóöőuúüű"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A question without an answer: `new` stands where the one it was made from has `old`."""

    question: str
    old: str
    new: str


class NearMisses:
    """Makes questions about what a set of documents does not hold."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the texts of all documents, of every language."""
        self._written = "\n".join(texts)
        self._texts = [text.casefold() for text in texts]
        self._taken: Counter[str] = Counter()

    def absent(self, words: str) -> bool:
        """Tell whether no document has any of some words, in whatever form."""
        return not any(self._present(word) for word in re.findall(r"\w+", words.casefold()))

    def _present(self, word: str) -> bool:
        stem = word[: max(_SHORTEST, len(word) - _ENDING)]
        return any(stem in text for text in self._texts)

    def of(self, question: str, term: str, language: str, random: Random) -> Iterator[NearMiss]:
        """Yield at most one near miss of a question.

        Args:
            term: what the question names; "" if it asks with a whole sentence.
        """
        for old in filter(self._is_name, _names(question, language)):
            for new in self._fitting(_for_a_name(question, old, forms(language)), random):
                yield _put(question, old, new, language)
                return
        if term and question.count(term) == 1:
            for new in self._fitting(_for_a_term(question, term, language), random):
                yield _put(question, term, new, language)

    def _is_name(self, words: str) -> bool:
        """Tell whether capitals are those of a name: no word of it is written without as well,
        but for one that has capitals inside ("FastAPI"), which code writes as it likes."""
        return not any(
            re.search(rf"\b{re.escape(word.lower())}\b", self._written)
            for word in words.split()
            if not re.search(r"[A-Z\d]", word[1:])
        )

    def _fitting(self, words: Sequence[str], random: Random) -> Iterator[str]:
        """Yield an absent word, one of those that were taken least; none where all are there."""
        absent = [word for word in words if self.absent(word)]
        if absent:
            least = min(self._taken[word] for word in absent)
            new = random.choice([word for word in absent if self._taken[word] == least])
            self._taken[new] += 1
            yield new


def _names(question: str, language: str) -> list[str]:
    """Return the names of a question, those that are once in it and in the first case."""
    found = falsify.names(question, language)
    if language == "hu":
        found = [name for name in found if not _HUNGARIAN_CASE.search(name)]
    return [name for name in found if question.count(name) == 1]


def _for_a_name(question: str, name: str, words: Forms) -> Sequence[str]:
    """Return what can stand for a name: people for a first name and a last, or places."""
    if _PERSON.fullmatch(name):
        return words.people
    if _PLACE.search(question[: question.index(name)]):
        return words.places
    return words.names


def _for_a_term(question: str, term: str, language: str) -> Sequence[str]:
    """Return what can stand for a term: names for one that has no article or looks like one."""
    words = forms(language)
    if re.search(r"[A-Z\d]", term[1:]) or (language in ("ru", "zh") and re.match("[A-Za-z]", term)):
        return words.names
    article = re.search(rf"\b(?:a|an|the) {re.escape(term)}", question)
    # A German article would tell the gender of the noun behind it.
    named = language == "de" or (language == "en" and article is None)
    return words.names if named else words.things


def _put(question: str, old: str, new: str, language: str) -> NearMiss:
    """Return a question with an article that fits the word that it has now."""
    start = question.index(old)
    before, after = question[:start], question[start + len(old) :]
    if language in _ARTICLES:
        plain, longer = _ARTICLES[language]
        fitting = longer if new[0].casefold() in _VOWELS else plain
        before = re.sub(
            rf"(?<!\w)([Aa])(?:{longer[1:]})? $", lambda found: f"{found[1]}{fitting[1:]} ", before
        )
    return NearMiss(f"{before}{new}{after}", old, new)
