"""Drafts with markers to claims, and claims to the text of an answer. Pure functions.

A marker is "[n]", n the number of an evidence sentence in the prompt. Markers written after the
full stop belong to the sentence before them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.sentences import sentences
from rag.tables import between_bars
from rag.types import Answer, Citation, Claim, Claimed, Event, Evidence, Judgement

MARKER = re.compile(r"\s*\[(\d{1,3})\]")
TRAILING = re.compile(r"([.!?…。\uff01\uff1f]+[\"'”»)]*)((?:\s*\[\d{1,3}\])+)")


# en de hu ru zh: what joins two main clauses after a comma.
_JOINT = re.compile(
    r"[;；]|,(?=\s+(?:and|but|while|whereas|so|und|aber|während|és|de|míg|viszont|и|а|но)\s)"
    r"|，(?=(?:而|并|但|同时))"
)
_WORDS = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
HALF_WORDS = 3


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """A sentence of a draft: its text without markers, and the numbers that it cites.

    `invented` are the numbers that no evidence has; they are recorded, never silently dropped.
    """

    text: str
    cited: tuple[int, ...]
    invented: tuple[int, ...]


def draft_claims(draft: str, evidence_count: int, language: str) -> list[DraftClaim]:
    """Split a draft into claims, with the evidence numbers (from 1) that each one cites."""
    draft = TRAILING.sub(_before_stop, draft)
    claims = []
    for start, end in sentences(draft, language, wraps=False):
        numbers = [int(number) for number in MARKER.findall(draft[start:end])]
        text = MARKER.sub("", draft[start:end]).strip()
        if re.search(r"\w", text):
            unique = tuple(dict.fromkeys(numbers))
            claims.append(
                DraftClaim(
                    text,
                    tuple(n for n in unique if 1 <= n <= evidence_count),
                    tuple(n for n in unique if not 1 <= n <= evidence_count),
                )
            )
    return claims


def halves(claim: str) -> tuple[str, str] | None:
    """Return the two clauses of a compound sentence, the conjunction with the second; None of a
    simple one.

    Only where a semicolon, or a comma with a conjunction, has `HALF_WORDS` words or more on either
    side: an enumeration is not parted.
    """
    for match in _JOINT.finditer(claim):
        first, second = claim[: match.start()].rstrip(), claim[match.end() :].lstrip()
        # The second half has its conjunction besides.
        sizes = len(_WORDS.findall(first)), len(_WORDS.findall(second)) - 1
        if min(sizes) >= HALF_WORDS:
            return first, second
    return None


def _before_stop(match: re.Match[str]) -> str:
    """Move markers that follow a full stop in front of it, so that no splitter parts them."""
    return match.group(2) + match.group(1)


@dataclass(frozen=True, slots=True)
class CitedClaim:
    """A claim that is to stand in an answer, with its evidence and how it was judged."""

    text: str
    evidence: tuple[Evidence, ...]
    judgement: Judgement


def cite(evidence: Evidence, n: int) -> Citation:
    """Return the n-th citation: the evidence sentence word for word, where it stands."""
    passage = evidence.passage
    return Citation(
        n=n,
        passage_id=passage.id,
        document_id=passage.document_id,
        source=passage.source,
        title=passage.title,
        page=passage.page_at(evidence.start),
        start=evidence.start,
        end=evidence.end,
        quote=evidence.text,
        unit=passage.unit,
        also_in=passage.also_in,
    )


class Composer:
    """Grows the text of an answer claim by claim, with its markers and numbered citations.

    Citations are numbered in order of appearance; evidence cited twice keeps its number.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self.text = ""
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self._numbers: dict[tuple[str, int, int], int] = {}

    def add(self, claim: CitedClaim) -> Claimed:
        """Add a claim; return it as it stands in the answer, with the citations new with it."""
        known, before = len(self.citations), len(self.text)
        cited = [self._number(evidence) for evidence in claim.evidence]
        markers = "".join(f" [{n}]" for n in cited)
        gap = self._gap(claim.text)
        start = len(self.text) + len(gap)
        self.text += f"{gap}{claim.text}{markers}"
        judgement = claim.judgement
        self.claims.append(
            Claim(
                claim.text,
                start,
                len(self.text),
                tuple(cited),
                judgement.verdict,
                judgement.score,
            )
        )
        return Claimed(self.claims[-1], tuple(self.citations[known:]), self.text[before:])

    def _gap(self, following: str) -> str:
        """Return what parts a claim from the one before: rows of a table have their own lines."""
        if not self.claims:
            return ""
        rows = any(map(between_bars, (self.claims[-1].text, following)))
        return "\n" if rows else " "

    def _number(self, evidence: Evidence) -> int:
        place = (evidence.passage.document_id, evidence.start, evidence.end)
        if place not in self._numbers:
            self._numbers[place] = len(self._numbers) + 1
            self.citations.append(cite(evidence, self._numbers[place]))
        return self._numbers[place]


def claimed(answer: Answer) -> Iterator[Claimed]:
    """Yield the claims of an answer that is whole as they would have come one by one.

    What stands in the text outside of all claims comes with the claim after it, the last with the
    claim before it. An answer that abstains has none.
    """
    cited = {citation.n: citation for citation in answer.citations}
    at = 0
    for number, claim in enumerate(answer.claims, start=1):
        end = claim.end if number < len(answer.claims) else len(answer.text)
        new = tuple(cited.pop(n) for n in claim.citations if n in cited)
        yield Claimed(claim, new, answer.text[at:end])
        at = end


def whole(events: Iterable[Event]) -> Answer:
    """Return the answer that ends what answering yields."""
    *_, last = events
    assert isinstance(last, Answer)
    return last


def compose(claims: Sequence[CitedClaim]) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
    """Return the text of an answer with its markers, its claims, and its numbered citations."""
    composer = Composer()
    for claim in claims:
        composer.add(claim)
    return composer.text, tuple(composer.claims), tuple(composer.citations)
