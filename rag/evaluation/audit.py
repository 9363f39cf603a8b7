"""Answers of any system, measured by their citations: the items and figures of an audit.

Which sources support which claim is decided by a checker that the caller brings; gold labels,
answers and sources are used beside it where a line carries them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.evaluation import citation_metrics
from rag.evaluation.citation_metrics import CitedAnswer, CitedClaim, Judge, Pair
from rag.evaluation.citing import Claimed, Reference, Text, claimed
from rag.evaluation.floors import Always, Overlap
from rag.evaluation.matching import contains_gold, exact_match, token_f1
from rag.evaluation.runs import Item, ShownClaim, Source
from rag.evaluation.submissions import Submission
from rag.evaluation.suite_metrics import ALWAYS, OVERLAP, PRODUCT, named
from rag.types import Verdict

SUPPORTED = "supported"
AROUND = 300
"""Characters of a source that are shown on either side of a quote."""


class Span(Protocol):
    """Words of a source that decide: sources[source][start:end]."""

    @property
    def source(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Checked(Protocol):
    """What checking a claim came to."""

    @property
    def verdict(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def evidence(self) -> Sequence[Span]: ...


Check = Callable[[str, Sequence[str]], Checked]
"""A claim and its sources to a verdict; without sources it is "unsupported"."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A reference, looked up.

    Attributes:
        source: None where there is no such source.
        found: where the quote stands in it; None where it does not, or where nothing is quoted.
        assumed: no source was given at all, so the quote is taken for one.
    """

    reference: Reference
    source: Text | None
    found: tuple[int, int] | None
    assumed: bool = False

    @property
    def premise(self) -> str:
        """Return what the citation shows: its quote, else the whole source; "" if it is invalid.

        A quote that its source does not have shows nothing.
        """
        if self.source is None:
            return ""
        if self.reference.quote is None:
            return self.source.text
        return self.source.text[slice(*self.found)] if self.found else ""

    @property
    def label(self) -> str:
        """Return what people call the source."""
        return (self.source.label if self.source else "") or self.reference.keys[0]


@dataclass(frozen=True, slots=True)
class _Looked:
    """An answer whose references are looked up."""

    submission: Submission
    claims: tuple[tuple[Claimed, tuple[Cited, ...]], ...]

    @property
    def cited(self) -> list[Cited]:
        return [one for _, found in self.claims for one in found]


def audit(submissions: Sequence[Submission], check: Check) -> list[Item]:
    """Return an item for each answer, with its citation metrics.

    "citation recall" and "citation precision" are those of `rag.evaluation.citation_metrics`, as
    the checker judges and, beside it, as the floors would;
    "claims cited" is the share of factual claims that cite anything, "citations valid" of
    citations whose source exists, "quotes verbatim" of quotes that stand in their source,
    "locations right" of quotes that stand where the citation says; these three only where sources
    were given. Where lines carry gold, also what gold says.
    """
    looked = [_looked(submission) for submission in submissions]
    remembered: dict[Pair, Checked] = {}

    def known(claim: str, sources: tuple[str, ...]) -> Checked:
        if (claim, sources) not in remembered:
            remembered[claim, sources] = check(claim, sources)
        return remembered[claim, sources]

    return [_item(one, known) for one in looked]


def _looked(submission: Submission) -> _Looked:
    sources = {**submission.response.sources, **submission.sources}
    return _Looked(
        submission,
        tuple(
            (claim, tuple(_cited(reference, sources) for reference in claim.references))
            for claim in claimed(submission.response, submission.lang)
        ),
    )


def _cited(reference: Reference, sources: Mapping[str, Text]) -> Cited:
    source = next((sources[key] for key in reference.keys if key in sources), None)
    if source is None and reference.quote and not sources:
        quote = reference.quote
        return Cited(reference, Text(quote, label=reference.keys[0]), (0, len(quote)), True)
    found = None
    if source is not None and reference.quote is not None:
        found = _find(reference.quote, source.text, _said(reference, source))
    return Cited(reference, source, found)


def _said(reference: Reference, source: Text) -> tuple[int, int]:
    """Return where a citation says that its quote stands; (0, 0) where it says nothing."""
    place = reference.location
    if place is None:
        return 0, 0
    return source.part(place.start, place.end) if place.parts else (place.start, place.end)


def _find(quote: str, text: str, said: tuple[int, int]) -> tuple[int, int] | None:
    """Return where a quote stands, the place it says first; white space may differ in width."""
    if text[slice(*said)] == quote and quote:
        return said
    wanted = "".join(quote.split())
    if not wanted:
        return None
    places = [at for at, letter in enumerate(text) if not letter.isspace()]
    plain = "".join(text[at] for at in places)
    first = next((n for n, at in enumerate(places) if at >= said[0]), 0)
    start = plain.find(wanted, first)
    start = plain.find(wanted) if start < 0 else start
    return None if start < 0 else (places[start], places[start + len(wanted) - 1] + 1)


def _stands(cited: Cited) -> bool:
    """Tell whether a quote stands where its citation says: inside that place, or at it exactly."""
    place, source = cited.reference.location, cited.source
    if place is None or source is None or cited.found is None:
        return False
    start, end = _said(cited.reference, source)
    if place.parts:
        return start <= cited.found[0] and cited.found[1] <= end
    return source.text[start:end].split() == source.text[slice(*cited.found)].split()


def _item(looked: _Looked, known: Callable[[str, tuple[str, ...]], Checked]) -> Item:
    given = looked.submission
    checks = [
        (claim, cited, known(claim.text, tuple(filter(None, (one.premise for one in cited)))))
        for claim, cited in looked.claims
    ]
    shown = tuple(
        ShownClaim(
            claim.text,
            str(checked.verdict),
            float(checked.score),
            tuple(_shown(cited, checked)),
            given.labels[number] if number < len(given.labels) else None,
        )
        for number, (claim, cited, checked) in enumerate(checks)
    )
    return Item(
        id=given.id,
        cluster=given.cluster,
        lang=given.lang,
        type=given.type,
        values={**_values(looked, known), **_gold(looked, shown)},
        columns={"abstained": float(given.response.abstained)},
        seconds=given.seconds,
        cost=given.cost,
        question=given.question,
        answer=given.response.text,
        gold=given.answers,
        claims=shown,
    )


def _values(looked: _Looked, known: Callable[[str, tuple[str, ...]], Checked]) -> dict[str, float]:
    """Return the metrics that need no gold; none of an answer that abstains or says nothing."""
    factual = [cited for claim, cited in looked.claims if claim.factual]
    if looked.submission.response.abstained or not factual:
        return {}
    values = {"claims cited": sum(map(bool, factual)) / len(factual)}
    for system, judge in _judges(known).items():
        (score,) = citation_metrics.citation_scores([_scored(looked)], judge).each
        assert score is not None
        values[named("citation recall", system)] = score.recall
        values[named("citation precision", system)] = score.precision
    cited = [one for one in looked.cited if not one.assumed]
    quoted = [one for one in cited if one.source is not None and one.reference.quote is not None]
    placed = [one for one in quoted if one.reference.location is not None]
    shares = {
        "citations valid": [one.source is not None for one in cited],
        "quotes verbatim": [one.found is not None for one in quoted],
        "locations right": [_stands(one) for one in placed],
    }
    return values | {name: sum(flags) / len(flags) for name, flags in shares.items() if flags}


def _judges(known: Callable[[str, tuple[str, ...]], Checked]) -> dict[str, Judge]:
    """Return the checker, and what judges that understand nothing would make of the same."""

    def floor(judge: Always | Overlap) -> Judge:
        return lambda pairs: [
            told.verdict is Verdict.SUPPORTED
            for told in judge.check([(claim, list(texts)) for claim, texts in pairs])
        ]

    return {
        PRODUCT: lambda pairs: [known(*pair).verdict == SUPPORTED for pair in pairs],
        OVERLAP: floor(Overlap()),
        ALWAYS: floor(Always()),
    }


def _scored(looked: _Looked) -> CitedAnswer:
    """Return the answer as the metrics take it: a citation is an id, a wrong one has no text."""
    texts: dict[str, str] = {}
    claims = []
    for claim, cited in looked.claims:
        names = []
        for one in cited:
            name = f"{one.reference.keys} {one.reference.quote}"
            names.append(name)
            if one.premise:
                texts[name] = one.premise
        claims.append(CitedClaim(claim.text, tuple(names), claim.factual))
    return CitedAnswer(tuple(claims), texts)


def _gold(looked: _Looked, shown: Sequence[ShownClaim]) -> dict[str, float]:
    given, values = looked.submission, dict[str, float]()
    if labelled := [claim for claim in shown if claim.gold is not None]:
        right = [(c.verdict == SUPPORTED) == (c.gold == SUPPORTED) for c in labelled]
        values["verdict right"] = sum(right) / len(right)
    if given.gold_sources and not given.response.abstained:
        names = {key for one in looked.cited if one.source for key in one.reference.keys}
        values["gold cited"] = float(not names.isdisjoint(given.gold_sources))
    if given.answers:
        said = "" if given.response.abstained else given.response.text  # which contains nothing
        values["gold contained"] = float(contains_gold(said, given.answers, given.lang))
        values["exact match"] = float(exact_match(said, given.answers, given.lang))
        values["token F1"] = token_f1(said, given.answers, given.lang)
    return values


def _shown(cited: Sequence[Cited], checked: Checked) -> list[Source]:
    """Return each citation's source, the quote or the words that decide marked in it."""
    premises = [one for one in cited if one.premise]
    shown = []
    for one in cited:
        if one.source is None:
            quote = one.reference.quote or ""
            shown.append(Source(f"{one.label}: there is no such source", quote, 0, 0))
            continue
        if one.reference.quote is not None and one.found is None:
            label = f"{one.label}: the quote does not stand in this source"
            shown.append(Source(label, one.reference.quote, 0, 0))
            continue
        start, end = one.found or _decisive(premises.index(one), checked)
        shown.append(_window(one.label, one.source.text, start, end))
    return shown


def _decisive(number: int, checked: Checked) -> tuple[int, int]:
    spans = [(span.start, span.end) for span in checked.evidence if span.source == number]
    return spans[0] if spans else (0, 0)


def _window(label: str, text: str, start: int, end: int) -> Source:
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    return Source(label, text[first:last], start - first, end - first)
