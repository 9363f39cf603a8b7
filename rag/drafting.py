"""Answers that a generator writes from evidence, claim by claim through the gates.

A claim that its evidence does not support is repaired before it is dropped: other evidence is
tried, then one rewriting from the single best piece of evidence, then that evidence is quoted. No
claim is given out before the draft is known to keep to the question, so none is ever taken back.
"""

import re
from collections import abc
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rag.citations import MARKER, CitedClaim, DraftClaim, draft_claims, halves
from rag.config import Config
from rag.course import Course
from rag.drafts import Draft, finished
from rag.errors import ConfigError
from rag.evidence import overlap
from rag.fusion import Retrieval
from rag.mention import quotations, runs_together
from rag.prompt import fit
from rag.protocols import Decoding, Generator, TextStream, Verifier
from rag.types import Evidence, Judgement, Verdict

# Share of a quote's overlap with the question that a draft made from it has to keep.
LEAST_KEPT = 0.8
QUOTED = Judgement(Verdict.SUPPORTED, 1.0)

# A model writes a marker in several pieces; half of one is no beginning of a sentence.
_OPEN_MARKER = re.compile(r"\s*\[\d{0,3}\s*\Z")

Drafted = abc.Generator[DraftClaim, None, None]


def quoted(evidence: Evidence) -> CitedClaim:
    """Return a quote as a claim: on one line, and without what would read as a marker of ours.

    The citation keeps it word for word.
    """
    text = " ".join(MARKER.sub("", evidence.text).split())
    return CitedClaim(text, (evidence,), QUOTED)


@dataclass(frozen=True, slots=True)
class Drafter:
    """Writes drafts and checks them.

    Attributes:
        strictness: least score of a claim that is let through, besides the verdict supported.
        course: takes each step, and the time of writing and of checking.
    """

    generator: Generator
    verifier: Verifier
    config: Config
    strictness: float
    course: Course

    def claims(
        self, found: Retrieval, evidence: Sequence[Evidence], quote: Evidence
    ) -> abc.Generator[CitedClaim, None, None]:
        """Yield the claims of a draft from evidence; none if it does not stand.

        Args:
            quote: the best; a draft has to keep most of what that shares with the question.
        """
        shown, drafted = self._draft(found.question, evidence)
        wanted = LEAST_KEPT * overlap(found.term_weights, quote.text)
        held: list[CitedClaim] = []
        unmended: list[DraftClaim] = []
        released = False
        with closing(drafted):
            for claim in drafted:
                checked = self._attach(claim, shown)
                if not checked:
                    unmended.append(claim)
                    continue
                held += checked
                kept = overlap(found.term_weights, " ".join(item.text for item in held))
                if released or (kept >= wanted and not unmended):
                    yield from checked if released else held
                    released = True
        if not held:
            return
        kept = overlap(found.term_weights, " ".join(item.text for item in held))
        if not released and kept < wanted:
            self.course.note(f"the draft leaves the question ({kept:.2f} of its terms)")
            return
        if not released:
            yield from held
        yield from self._mended(found.question, unmended, shown, held)

    def _draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[list[Evidence], Drafted]:
        room = self.generator.max_tokens - self.config.max_answer_tokens
        try:
            messages, shown = fit(question, evidence, self.generator.count_tokens, room)
        except ConfigError as error:
            self.course.note(f"not generated: {error}")
            return [], _nothing()
        if not shown:
            self.course.note("no evidence fits the generator's window")
            return [], _nothing()
        config = self.config
        decoding = Decoding(
            config.max_answer_tokens, len(shown), config.temperature, config.seed, config.top_p
        )
        stream = self.generator.stream(messages, decoding)
        language = shown[0].passage.language
        return shown, _as_they_come(stream, decoding, language, self.course)

    def _attach(self, claim: DraftClaim, evidence: Sequence[Evidence]) -> list[CitedClaim]:
        """Return the claim with the evidence that supports it: what it cites, else any other.

        A compound sentence whose halves have different sources becomes two claims; nothing
        returns where a half has none.
        """
        if claim.invented:
            self.course.note(f"invented markers {list(claim.invented)} in: {claim.text}")
        if whole := self._supported(claim, evidence):
            return [whole]
        parts = [replace(claim, text=half) for half in halves(claim.text) or ()]
        found = [self._supported(part, evidence) for part in parts]
        kept = [part for part in found if part is not None]
        if parts and len(kept) == len(parts):
            self.course.note(f"two sources, two claims: {claim.text}")
            return kept
        return []

    def _supported(self, claim: DraftClaim, evidence: Sequence[Evidence]) -> CitedClaim | None:
        cited = [evidence[n - 1] for n in claim.cited]
        others = [item for item in evidence if item not in cited]
        choices: list[tuple[Evidence, ...]] = [(item,) for item in cited + others]
        if len(cited) > 1:
            # Together only where none does alone: what is not needed is no citation.
            choices.insert(len(cited), tuple(cited))
        pairs = [(" ".join(item.text for item in choice), claim.text) for choice in choices]
        with self.course.timed("verify"):
            judgements = self.verifier.judge(pairs)
        for (premise, _), choice, judgement in zip(pairs, choices, judgements, strict=True):
            if self._passes(judgement) and not self._only_mentioned(claim.text, premise):
                if claim.cited and not set(choice) <= set(cited):
                    self.course.note(f"supported by other evidence than cited: {claim.text}")
                return CitedClaim(claim.text, choice, judgement)
        best = max((judgement.score for judgement in judgements), default=0.0)
        self.course.note(f"unsupported ({best:.2f}): {claim.text}")
        return None

    def _passes(self, judgement: Judgement) -> bool:
        return judgement.verdict is Verdict.SUPPORTED and judgement.score >= self.strictness

    def _only_mentioned(self, claim: str, premise: str) -> bool:
        """Tell whether the evidence holds a claim's words and does not say it: the claim is all
        in what the evidence quotes, or its words are run together."""
        if runs_together(claim, premise):
            return True
        pairs = [(quotation, claim) for quotation in quotations(premise)]
        with self.course.timed("verify"):
            return any(self._passes(judgement) for judgement in self.verifier.judge(pairs))

    # -- repair -----------------------------------------------------------------------------

    def _mended(
        self,
        question: str,
        unmended: Sequence[DraftClaim],
        shown: Sequence[Evidence],
        held: Sequence[CitedClaim],
    ) -> Iterator[CitedClaim]:
        """Yield what stands in for the claims that found no support."""
        used = {item for claim in held for item in claim.evidence}
        for claim in unmended:
            best = self._nearest(claim, shown)
            if best in used:
                self.course.note(f"dropped, its evidence is cited already: {claim.text}")
                continue
            used.add(best)
            if len(shown) > 1 and (again := self._rewritten(question, best)):
                self.course.note(f"rewritten: {claim.text}")
                yield again
            else:
                self.course.note(f"quoted instead: {claim.text}")
                yield quoted(best)

    def _nearest(self, claim: DraftClaim, shown: Sequence[Evidence]) -> Evidence:
        with self.course.timed("verify"):
            judgements = self.verifier.judge([(item.text, claim.text) for item in shown])
        scores = [judgement.score for judgement in judgements]
        return shown[max(range(len(shown)), key=lambda i: scores[i])]

    def _rewritten(self, question: str, evidence: Evidence) -> CitedClaim | None:
        """Return one claim written from one piece of evidence alone, if that supports it."""
        shown, drafted = self._draft(question, [evidence])
        with closing(drafted):
            claim = next(drafted, None)
        return self._supported(claim, shown) if claim is not None and shown else None


def _nothing() -> Drafted:
    yield from ()


def _as_they_come(stream: TextStream, decoding: Decoding, language: str, course: Course) -> Drafted:
    """Yield each claim once the next has begun, so that a marker after its full stop is in it."""
    text, given, cut = "", 0, False
    # Who closes this generator stops the model, at once and not when memory is tidied.
    with closing(stream):
        while True:
            try:
                with course.timed("generate"):
                    text += next(stream)
            except StopIteration as end:
                cut = bool(end.value)
                break
            settled = _OPEN_MARKER.sub("", text).strip()
            whole = draft_claims(settled, decoding.markers, language)[:-1]
            yield from whole[given:]
            given = max(given, len(whole))
    kept = finished(Draft(text, cut), language).strip()
    course.note(f"draft: {text.strip()}")
    if cut:
        course.note(f"cut off at {decoding.max_tokens} tokens; kept: {kept}")
    yield from draft_claims(kept, decoding.markers, language)[given:]
