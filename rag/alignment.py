"""Which sentences of the evidence are about the same as a clause of the claim."""

import math
from collections.abc import Set
from dataclasses import dataclass
from itertools import pairwise

from rag.polarity import Clause, clauses

NEARLY = 0.85
"""Sentences that cover this share of what the best one covers are about the same too."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The clauses of a text, with an index of the sentences by their terms.

    Attributes:
        ranges: for each sentence, its first clause and the one after its last.
        by_term: for each term the sentences that have it.
    """

    clauses: tuple[Clause, ...]
    ranges: tuple[tuple[int, int], ...]
    by_term: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, text: str) -> "Sentences":
        """Return the sentences of a text."""
        found = clauses(text)
        starts = [i for i, c in enumerate(found) if not i or c.sentence != found[i - 1].sentence]
        ranges = tuple(pairwise([*starts, len(found)]))
        by_term: dict[str, list[int]] = {}
        for number, (start, end) in enumerate(ranges):
            for term in frozenset().union(*(clause.terms for clause in found[start:end])):
                by_term.setdefault(term, []).append(number)
        return cls(tuple(found), ranges, {term: tuple(where) for term, where in by_term.items()})

    def weight(self, terms: Set[str]) -> float:
        """Return the inverse sentence frequency of terms, summed; unknown terms weigh most."""
        return sum(self._weight(term) for term in terms)

    def _weight(self, term: str) -> float:
        return math.log(1 + (1 + len(self.ranges)) / (1 + len(self.by_term.get(term, ()))))

    def about(self, terms: Set[str], least: float) -> list[tuple[int, int]]:
        """Return the clause ranges of the sentences that cover terms best.

        Args:
            least: the share of their weight that a sentence must have.
        """
        scores: dict[int, float] = {}
        for term in terms:
            weight = self._weight(term)
            for sentence in self.by_term.get(term, ()):
                scores[sentence] = scores.get(sentence, 0.0) + weight
        best = max(scores.values(), default=0.0)
        if best == 0.0 or best < least * self.weight(terms):
            return []
        return [self.ranges[s] for s, score in scores.items() if score >= NEARLY * best]

    def covers(self, other: "Sentences") -> float:
        """Return the share of the other's different terms that occur here."""
        return sum(term in self.by_term for term in other.by_term) / max(1, len(other.by_term))

    def about_at(self, position: int) -> frozenset[str]:
        """Return the terms of the sentence around a position, numbers left out."""
        for start, end in self.ranges:
            if self.clauses[end - 1].end >= position:
                terms = frozenset().union(*(clause.terms for clause in self.clauses[start:end]))
                return frozenset(term for term in terms if not term[0].isdigit())
        return frozenset()


def align(terms: Set[str], evidence: Sentences, least: float = 0.5) -> list[tuple[int, int]]:
    """Return the spans, in characters, of the evidence sentences that terms are about."""
    return [
        (evidence.clauses[start].start, evidence.clauses[end - 1].end)
        for start, end in evidence.about(terms, least)
    ]
