"""Check a claim against its sources: verdict, score, and the words that decide.

Two gates. Gate 1 (`rag.exact`) refuses a number, date or name that the sources lack, and a
negation on one side. Gate 2 (`rag.support`) weighs how much of the claim the sources hold. Sources
are read in full, sentence by sentence; of a long one in the claim's own language only the
sentences that share most terms with the claim are embedded, while all others count by terms.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from rag.analysis import language, terms
from rag.exact import Conflict, ExactFindings, ExactProfile, Finding, check_profile, profile
from rag.nearness import Matrix, lay
from rag.protocols import Embedder, TokenVectors, Vectors
from rag.sentences import sentences
from rag.slots import denied, other_thing
from rag.support import (
    EMBEDDED_WITHOUT_CHOICE,
    Sides,
    SupportModel,
    best_window,
    coverage,
    features,
    load_model,
    weight,
)
from rag.types import Judgement, Verdict

Value = TypeVar("Value")
Item = TypeVar("Item")
# Sentences are embedded in groups of so many tokens, each in the light of the others.
GROUP_TOKENS = 200
# Of a source longer than this, only the likeliest sentences are embedded, and their neighbours.
LIKELY_SENTENCES = 12
VERBATIM = 0.99
# A claim that shares this much with a window and differs in a number or a negation denies it.
DENIES = 0.6
# Share of a claim's words that a sentence has which differs from it in a name, a number or a
# negation.
SAME_BUT_FOR_A_WORD = 0.7
# A sentence is evidence if it adds so much of the claim to those chosen before it.
LEAST_GAIN = 0.1
MOST_EVIDENCE = 3
# Texts whose reading is kept: a source is mostly checked for several claims in a row. A reading
# takes some 200 bytes a character.
REMEMBERED = 64
REMEMBERED_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """Words of a source that decide: sources[source][start:end] == quote."""

    source: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a claim came to.

    Attributes:
        score: probability that the sources support the claim, below the threshold of supported
            where gate 1 refuses it.
        evidence: the sentences that hold most of the claim, in order of the sources.
        exact: gate 1, against all sources; `negation` and what conflicts, against the sentences
            nearest to the claim.
        meaning: gate 2's probability.
        across: the claim is in another language than its sources.
    """

    verdict: Verdict
    score: float
    evidence: tuple[SourceSpan, ...]
    exact: ExactFindings
    meaning: float
    across: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What a verdict is made from.

    Attributes:
        features: of `rag.support`.
        exact: as in `Checked`.
        chosen: source and span of the sentences that are evidence.
    """

    features: Mapping[str, float]
    exact: ExactFindings
    across: bool
    chosen: tuple[tuple[int, tuple[int, int]], ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A source as it is checked: its sentences, their terms, its exact profile and language."""

    text: str
    spans: tuple[tuple[int, int], ...]
    terms: tuple[tuple[str, ...], ...]
    profile: ExactProfile
    language: str


class Checker:
    """Checks claims; a `rag.protocols.Verifier` too. Safe to share between threads."""

    def __init__(self, embedder: Embedder | None, model: SupportModel | None = None) -> None:
        """Take the embedder, and what was fitted with it; the model that ships by default.

        With no embedder, or another than the model was fitted with, only terms count.
        """
        self.model = model or load_model()
        fits = embedder is not None and embedder.name == self.model.embedder
        self._embedder = embedder if fits else None
        self._reads = _Memory(_read)
        self._tokens = _Memory(self._embed)

    @property
    def embeds(self) -> bool:
        """True where meaning counts too, False where words alone do."""
        return self._embedder is not None

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis)."""
        found = [self.check(hypothesis, [premise]) for premise, hypothesis in pairs]
        return [Judgement(checked.verdict, checked.score) for checked in found]

    def check(self, claim: str, sources: Sequence[str]) -> Checked:
        """Check one claim, in any language, against all of its sources together.

        Without a source, or with empty ones, or for a claim without words, the verdict is
        unsupported.
        """
        found = self.measure(claim, sources)
        if found is None:
            exact = check_profile(profile(claim), profile(""))
            return Checked(Verdict.UNSUPPORTED, 0.0, (), replace(exact, verbatim=False), 0.0, False)
        meaning = self._meaning(found)
        verdict, score = self._verdict(meaning, found)
        spans = tuple(SourceSpan(i, *span, sources[i][slice(*span)]) for i, span in found.chosen)
        return Checked(
            verdict, round(score, 4), spans, found.exact, round(meaning, 4), found.across
        )

    def measure(self, claim: str, sources: Sequence[str]) -> Measured | None:
        """Return what a verdict is made from; None when there is nothing to compare."""
        reads = [self._reads[source] for source in sources]
        claimed = terms(claim)
        if not claimed or not any(read.spans for read in reads):
            return None
        asked = profile(claim, language(claim))
        written = {read.language for read in reads if read.spans}
        across = asked.language not in written and "und" not in {asked.language, *written}
        rows = [(i, span) for i, read in enumerate(reads) for span in read.spans]
        held = [found for read in reads for found in read.terms]
        sides = Sides(claimed, held, self._nearness(claim, claimed, reads, across))
        window = best_window(sides, across)
        everywhere = _together(asked, [read.profile for read in reads if read.spans])
        inside = check_profile(asked, profile(_text(rows[window], sources), min(written)))
        values = features(sides, window, everywhere, inside)
        chosen = tuple(_evidence(sides, rows, across))
        near = [sources[i][start:end] for i, (start, end) in (*rows[window], *chosen)]
        return Measured(values, _joined(everywhere, inside, claim, near), across, chosen)

    def _meaning(self, found: Measured) -> float:
        if found.exact.verbatim:
            return VERBATIM
        if self._embedder is None:
            return self.model.lexical.probability(found.features)
        model = self.model.across if found.across else self.model.same
        return model.probability(found.features)

    def _verdict(self, meaning: float, found: Measured) -> tuple[Verdict, float]:
        least, exact = self.model.supported, found.exact
        if exact.passed and meaning >= least:
            return Verdict.SUPPORTED, meaning
        score = min(meaning, least - 0.01)
        alike = (
            meaning >= self.model.partial
            if found.across
            else found.features["coverage_window"] >= DENIES
        )
        if exact.conflicting_names or (alike and (exact.negation or exact.conflicting_numbers)):
            return Verdict.CONTRADICTED, score
        return (Verdict.PARTIAL if score >= self.model.partial else Verdict.UNSUPPORTED), score

    # -- nearness ---------------------------------------------------------------------------

    def _nearness(
        self, claim: str, claimed: Sequence[str], reads: Sequence[_Read], across: bool
    ) -> Matrix | None:
        """Return (sentences of all sources, tokens of the claim); NaN where not embedded."""
        if self._embedder is None:
            return None
        words = self._words(claim)
        parts = []
        for read in reads:
            near = np.full((len(read.spans), len(words)), np.nan, np.float32)
            for group in self._groups(read, claimed, across):
                start, end = read.spans[group[0]][0], read.spans[group[-1]][1]
                inside = [(a - start, b - start) for a, b in (read.spans[i] for i in group)]
                near[group] = lay(words, self._tokens[read.text[start:end]], inside).tokens
            parts.append(near)
        return np.vstack(parts)

    def _words(self, claim: str) -> Vectors:
        """Return the vectors of the claim's words; of an overlong claim, of all its pieces."""
        assert self._embedder is not None
        found = []
        for start, end in _pieces(claim, self._embedder, 0, len(claim)):
            piece = claim[start:end]
            tokens = self._tokens[piece]
            words = [any(map(str.isalnum, piece[a:b])) for a, b in tokens.spans.tolist()]
            found.append(tokens.vectors[words] if any(words) else tokens.vectors)
        return np.vstack(found)

    def _groups(self, read: _Read, claimed: Sequence[str], across: bool) -> list[list[int]]:
        """Return runs of neighbouring sentences to embed together."""
        assert self._embedder is not None
        rows = _likely(read, claimed) if not across else list(range(len(read.spans)))
        room = min(GROUP_TOKENS, self._embedder.max_tokens)
        groups: list[list[int]] = []
        size = 0
        for row in rows:
            length = len(self._embedder.tokenizer.offsets(read.text[slice(*read.spans[row])])) + 1
            if length > self._embedder.max_tokens:
                continue
            if not groups or row != groups[-1][-1] + 1 or size + length > room:
                groups.append([])
                size = 0
            groups[-1].append(row)
            size += length
        return groups

    def _embed(self, text: str) -> TokenVectors:
        assert self._embedder is not None
        return self._embedder.embed_tokens([text])[0]


class _Memory(Generic[Value]):
    """The last values of a function of a text, the very last one however long its text is.

    Threads that ask for the same at once may each make it; none waits for another's.
    """

    def __init__(self, make: Callable[[str], Value]) -> None:
        self._make = make
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def __getitem__(self, text: str) -> Value:
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        value = self._make(text)
        with self._lock:
            if text not in self._kept:
                self._kept[text] = value
                self._characters += len(text)
            while len(self._kept) > 1 and self._is_full():
                self._characters -= len(self._kept.popitem(last=False)[0])
        return value

    def _is_full(self) -> bool:
        return len(self._kept) > REMEMBERED or self._characters > REMEMBERED_CHARACTERS


def _read(source: str) -> _Read:
    spoken = language(source)
    spans = tuple(sentences(source, spoken))
    held = tuple(tuple(terms(source[start:end])) for start, end in spans)
    return _Read(source, spans, held, profile(source, spoken), spoken)


def _likely(read: _Read, claimed: Sequence[str]) -> list[int]:
    """Return the sentences worth embedding for a claim in the same language, ascending."""
    count = len(read.spans)
    if count <= EMBEDDED_WITHOUT_CHOICE:
        return list(range(count))
    shared = np.array([coverage(claimed, set(found)) for found in read.terms])
    best = np.argsort(-shared, kind="stable")[:LIKELY_SENTENCES].tolist()
    return sorted({row for i in best for row in (i - 1, i, i + 1) if 0 <= row < count})


def _pieces(text: str, embedder: Embedder, start: int, end: int) -> list[tuple[int, int]]:
    """Return the span in halves until each fits the embedder's window."""
    if (
        end - start < 2
        or len(embedder.tokenizer.offsets(text[start:end])) + 8 < embedder.max_tokens
    ):
        return [(start, end)]
    middle = (start + end) // 2
    return _pieces(text, embedder, start, middle) + _pieces(text, embedder, middle, end)


def _text(rows: Sequence[tuple[int, tuple[int, int]]], sources: Sequence[str]) -> str:
    return "\n".join(sources[i][start:end] for i, (start, end) in rows)


def _together(claim: ExactProfile, sources: Sequence[ExactProfile]) -> ExactFindings:
    """Return what no source holds; verbatim where one holds the claim so."""
    found = [check_profile(claim, source) for source in sources]
    first, *others = found
    return ExactFindings(
        missing_numbers=_in_all(first.missing_numbers, [f.missing_numbers for f in others]),
        missing_dates=_in_all(first.missing_dates, [f.missing_dates for f in others]),
        missing_names=_in_all(first.missing_names, [f.missing_names for f in others]),
        unknown_names=_in_all(first.unknown_names, [f.unknown_names for f in others]),
        numbers_total=first.numbers_total,
        dates_total=first.dates_total,
        names_total=first.names_total,
        verbatim=any(f.verbatim for f in found),
    )


def _in_all(first: tuple[Item, ...], others: Sequence[tuple[Item, ...]]) -> tuple[Item, ...]:
    return tuple(item for item in first if all(item in other for other in others))


def _joined(
    everywhere: ExactFindings, inside: ExactFindings, claim: str, near: Sequence[str]
) -> ExactFindings:
    """Return what all sources lack, with what the nearest sentences deny."""
    if everywhere.verbatim:
        return everywhere
    other = other_thing(claim, near, SAME_BUT_FOR_A_WORD)
    names: tuple[Conflict, ...] = ()
    if other is not None:
        (start, end), (sentence, span) = other
        mine = Finding(claim[start:end], start, end)
        names = (Conflict(mine, Finding(sentence[slice(*span)], *span)),)
    return replace(
        everywhere,
        negation=inside.negation or denied(claim, near, SAME_BUT_FOR_A_WORD),
        conflicting_numbers=inside.conflicting_numbers,
        conflicting_names=names,
    )


def _evidence(
    sides: Sides, rows: Sequence[tuple[int, tuple[int, int]]], across: bool
) -> list[tuple[int, tuple[int, int]]]:
    """Return the sentences that hold most of the claim, each adding to those before it."""
    if across and sides.nearness is not None:
        gains = np.nan_to_num(sides.nearness.mean(axis=1), nan=-1.0)
        return [rows[int(np.argmax(gains))]]
    left = {term: weight(term) for term in sides.claim}
    total = sum(left.values())
    chosen: list[int] = []
    while len(chosen) < MOST_EVIDENCE:
        gains = np.array([sum(left.get(t, 0.0) for t in set(held)) for held in sides.sentences])
        best = int(np.argmax(gains))
        if gains[best] < LEAST_GAIN * total:
            break
        chosen.append(best)
        for term in sides.sentences[best]:
            left.pop(term, None)
    return [rows[i] for i in sorted(chosen)]
