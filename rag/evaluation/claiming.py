"""A claim checked by the product and by floors, and pairs of answers compared, as items."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.checking import Checked
from rag.evaluation.cases import ClaimCase, PairCase
from rag.evaluation.floors import Always, Overlap, shared_words
from rag.evaluation.runs import Item, ShownClaim, Source
from rag.evaluation.spans import Span, merged
from rag.evaluation.suite_metrics import ALWAYS, OVERLAP, PRODUCT, named
from rag.sentences import sentences
from rag.types import Verdict

AROUND = 240
MOST_SOURCES = 3
PEOPLE = "people"
WORDS = "floor: shared words"

Judge = Callable[[str, Sequence[str]], tuple[bool, float]]
"""A claim and its sources to whether it is accepted, and with what score."""


class ClaimChecker(Protocol):
    """What is measured: `rag.checking.Checker`."""

    def check(self, claim: str, sources: Sequence[str]) -> Checked:
        """Check one claim against all of its sources together."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a claim, where it stands, and what was said of it."""

    span: Span
    accepted: bool
    score: float


def check(case: ClaimCase, checker: ClaimChecker) -> Item:
    """Return what the checker and the floors say of a claim.

    A claim in which people marked stretches is checked sentence by sentence: it is accepted when
    all are, its score is the least of theirs, and what is not accepted is what it marks.
    """
    started = time.perf_counter()
    whole = checker.check(case.claim, case.sources)
    judges = {PRODUCT: _product(case, whole, checker), ALWAYS: _floor(Always())}
    judges[OVERLAP] = _floor(Overlap())
    columns = {"gold": float(case.supported)}
    if case.source is not None:
        columns["source"] = float(case.source)
    seconds = 0.0
    for system, judge in judges.items():
        columns |= {named(name, system): value for name, value in _columns(case, judge)}
        if system == PRODUCT:
            seconds = time.perf_counter() - started
    right = (columns["accepted"] > 0) == case.supported
    return Item(
        id=case.id,
        cluster=case.cluster,
        lang=case.lang,
        type=case.type,
        values={"verdict right": float(right)},
        columns=columns,
        seconds={"check": seconds},
        cost={},
        question="",
        answer=case.claim,
        gold=(_label(case.supported),),
        claims=(_shown(case, whole, columns),),
    )


def _product(case: ClaimCase, whole: Checked, checker: ClaimChecker) -> Judge:
    def judge(claim: str, sources: Sequence[str]) -> tuple[bool, float]:
        found = whole if claim == case.claim else checker.check(claim, sources)
        return found.verdict is Verdict.SUPPORTED, found.score

    return judge


def _floor(floor: Always | Overlap) -> Judge:
    def judge(claim: str, sources: Sequence[str]) -> tuple[bool, float]:
        (said,) = floor.check([(claim, list(sources))])
        return said.verdict is Verdict.SUPPORTED, said.score

    return judge


def _columns(case: ClaimCase, judge: Judge) -> Iterator[tuple[str, float]]:
    pieces = list(_pieces(case, judge))
    yield "accepted", float(all(piece.accepted for piece in pieces))
    yield "score", min(piece.score for piece in pieces)
    if case.spans is not None:
        gold = merged(case.spans)
        marked = merged(piece.span for piece in pieces if not piece.accepted)
        yield "span gold", float(_length(gold))
        yield "span marked", float(_length(marked))
        yield "span shared", float(_length(gold) + _length(marked) - _length(merged(gold + marked)))


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _pieces(case: ClaimCase, judge: Judge) -> Iterator[Piece]:
    spans = [(0, len(case.claim))] if case.spans is None else sentences(case.claim, case.lang)
    for start, end in spans or [(0, len(case.claim))]:
        yield Piece((start, end), *judge(case.claim[start:end], case.sources))


def _label(supported: bool) -> str:
    return "supported" if supported else "unsupported"


def _shown(case: ClaimCase, whole: Checked, columns: dict[str, float]) -> ShownClaim:
    sources = []
    for span in whole.evidence[:MOST_SOURCES]:
        text = case.sources[span.source]
        first = max(0, span.start - AROUND)
        around = text[first : span.end + AROUND]
        sources.append(
            Source(f"source {span.source + 1}", around, span.start - first, span.end - first)
        )
    if not sources:
        sources = [Source("source 1", case.sources[0][: 2 * AROUND], 0, 0)]
    verdict = whole.verdict.value
    if case.spans is not None:
        verdict = _label(columns["accepted"] > 0)
    return ShownClaim(case.claim, verdict, columns["score"], tuple(sources), _label(case.supported))


def compare(case: PairCase, checker: ClaimChecker) -> Item:
    """Return by how much the second answer is better than the first, to us and to people.

    An answer is measured by the claims of it that the gold answer supports (claim precision) and
    those of the gold answer that it supports (claim recall), a score counting as a part; then F1.
    """
    started = time.perf_counter()
    first, second = (_agreement(text, case.reference, checker) for text in case.answers)
    seconds = time.perf_counter() - started
    words = [shared_words(text, case.reference) for text in case.answers]
    columns = {
        "human": sum(case.people) / 2,
        "measured": _f1(*second) - _f1(*first),
        named("measured", WORDS): words[1] - words[0],
        named("human", PEOPLE): case.people[0],
        named("measured", PEOPLE): case.people[1],
    }
    return Item(
        id=case.id,
        cluster=case.cluster,
        lang=case.lang,
        type=case.type,
        values={
            "claim precision": (first[0] + second[0]) / 2,
            "claim recall": (first[1] + second[1]) / 2,
        },
        columns=columns,
        seconds={"check": seconds},
        cost={},
        question=case.question,
        answer="\n\n―――\n\n".join(case.answers),
        gold=(case.reference,),
        claims=(),
    )


def _agreement(text: str, reference: str, checker: ClaimChecker) -> tuple[float, float]:
    return _supported(text, reference, checker), _supported(reference, text, checker)


def _supported(text: str, source: str, checker: ClaimChecker) -> float:
    """Return the mean score of a text's sentences against a source; 0 for a text without any."""
    spans = sentences(text, "en")
    if not spans or not source.strip():
        return 0.0
    scores = [checker.check(text[start:end], [source]).score for start, end in spans]
    return sum(scores) / len(scores)


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
