"""Answer a question from an index: find, select evidence, draft, check, and quote if need be.

What is promised: every sentence of an answer stands with verbatim quotes that support it. A
draft that the evidence does not support is not shown; the best quotes are the answer instead.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rag.analysis import language
from rag.citations import MARKER, CitedClaim, DraftClaim, compose, draft_claims
from rag.config import Config
from rag.drafts import finished, read
from rag.errors import ConfigError
from rag.evidence import choose_quotes, gather, overlap, select
from rag.fusion import Retrieval
from rag.messages import abstention
from rag.prompt import fit
from rag.protocols import Decoding, Generator, Verifier
from rag.retriever import Retriever, check_question
from rag.types import Answer, Evidence, Filters, Hit, Judgement, Method, Mode, Reason, Verdict

# What the best passage needs, in deviations (rag.fusion); docs/decisions/0009-answers.md has what
# these let through and what they refuse. So far above neutral text it is on the subject, ...
ON_SUBJECT = 4.8
# ... and less far it may be, if it stands out in the index, terms of the question included.
NEAR_SUBJECT = 2.5
STANDS_OUT = 4.5
STANDS_OUT_ACROSS_LANGUAGES = 2.7
# Of fewer terms the language is a guess ("citation precision" could be Italian).
SURE_OF_LANGUAGE = 4
# Without vectors: the least share of the question's term weight.
LEAST_OVERLAP = 0.3
# Share of a quote's overlap with the question that a draft made from it has to keep.
LEAST_KEPT = 0.8
QUOTED = Judgement(Verdict.SUPPORTED, 1.0)


@dataclass(slots=True)
class _Course:
    """What happened on the way to an answer."""

    trace: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.timings[stage] = time.perf_counter() - started


class Answerer:
    """Answers questions over one index."""

    def __init__(
        self,
        retriever: Retriever,
        generator: Generator | None,
        verifier: Verifier,
        config: Config,
    ) -> None:
        """Take the parts; without a generator every answer is quoted."""
        self.retriever = retriever
        self.generator = generator
        self.verifier = verifier
        self.config = config

    def answer(
        self,
        question: str,
        *,
        k: int | None = None,
        mode: Mode | None = None,
        filters: Filters | None = None,
    ) -> Answer:
        """Return an answer whose every claim is quoted and checked, or one that abstains.

        Raises:
            ConfigError: the question is empty or too long.
            IndexCorrupt: what was found does not match its checksum.
            GenerationError: the generator failed.
        """
        question = check_question(question)
        course = _Course()
        with course.timed("total"):
            with course.timed("search"):
                found = self.retriever.search(
                    question, k or self.config.k, mode or self.config.mode, filters
                )
            hits = found.hits
            course.trace.append(f"found {len(hits)} passages")
            asked_in = language(question)
            if not _relevant(found, asked_in):
                course.trace.append("no passage is relevant enough")
                return self._abstain(question, asked_in, hits, course)
            with course.timed("evidence"):
                evidence = select(found, gather(found, self.retriever.embedder))
            claims, method = self._claims(found, asked_in, evidence, course)
        if not claims:
            course.trace.append("the passages hold no sentence to quote")
            return self._abstain(question, asked_in, hits, course)
        text, composed, citations = compose(claims)
        return Answer(
            question=question,
            text=text,
            method=method,
            claims=composed,
            citations=citations,
            hits=hits,
            reason=None,
            trace=tuple(course.trace),
            timings=course.timings,
        )

    def _abstain(
        self, question: str, asked_in: str, hits: Sequence[Hit], course: _Course
    ) -> Answer:
        return Answer(
            question=question,
            text=abstention(asked_in),
            method=Method.QUOTED,
            claims=(),
            citations=(),
            hits=tuple(hits),
            reason=Reason.NOTHING_RELEVANT,
            trace=tuple(course.trace),
            timings=course.timings,
        )

    def _claims(
        self, found: Retrieval, asked_in: str, evidence: Sequence[Evidence], course: _Course
    ) -> tuple[list[CitedClaim], Method]:
        quotes = choose_quotes(evidence)
        if self._speaks(asked_in, quotes, course):
            shown = _shown(quotes, evidence, self.config.evidence)
            claims = self._generated(found.question, shown, course)
            if claims and _to_the_point(claims, quotes[0], found, course):
                return claims, Method.GENERATED
        course.trace.append(f"quoted {len(quotes)} stretches of text")
        claims = [CitedClaim(_as_claim(quote.text), (quote,), QUOTED) for quote in quotes]
        return claims, Method.QUOTED

    def _speaks(self, asked_in: str, evidence: Sequence[Evidence], course: _Course) -> bool:
        """Tell whether the generator writes the question's language and reads the evidence's."""
        if self.generator is None or not evidence:
            return False
        spoken = self.generator.languages
        needed = {asked_in} | {item.passage.language for item in evidence[:1]}
        if spoken and not needed <= spoken:
            course.trace.append(
                f"{self.generator.name} does not speak {', '.join(sorted(needed - spoken))}"
            )
            return False
        return True

    # -- generated answers ------------------------------------------------------------------

    def _generated(
        self, question: str, evidence: Sequence[Evidence], course: _Course
    ) -> list[CitedClaim]:
        """Return the draft's claims, each with its evidence; nothing if one has no support."""
        assert self.generator is not None
        with course.timed("generate"):
            room = self.generator.max_tokens - self.config.max_answer_tokens
            try:
                messages, shown = fit(question, evidence, self.generator.count_tokens, room)
            except ConfigError as error:
                course.trace.append(f"not generated: {error}")
                return []
            if not shown:
                course.trace.append("no evidence fits the generator's window")
                return []
            decoding = self._decoding(markers=len(shown))
            draft = read(self.generator.stream(messages, decoding))
        course.trace.append(f"draft: {draft.text.strip()}")
        text = finished(draft, shown[0].passage.language).strip()
        if draft.cut:
            course.trace.append(f"cut off at {decoding.max_tokens} tokens; kept: {text}")
        with course.timed("verify"):
            found = draft_claims(text, len(shown), shown[0].passage.language)
            claims = [self._attach(claim, shown, course) for claim in found]
        supported = [claim for claim in claims if claim is not None]
        return supported if supported and len(supported) == len(claims) else []

    def _decoding(self, markers: int) -> Decoding:
        config = self.config
        return Decoding(
            config.max_answer_tokens, markers, config.temperature, config.seed, config.top_p
        )

    def _attach(
        self, claim: DraftClaim, evidence: Sequence[Evidence], course: _Course
    ) -> CitedClaim | None:
        """Return the claim with the evidence that supports it: what it cites, else any other."""
        if claim.invented:
            course.trace.append(f"invented markers {list(claim.invented)} in: {claim.text}")
        cited = [evidence[n - 1] for n in claim.cited]
        others = [item for item in evidence if item not in cited]
        choices: list[tuple[Evidence, ...]] = [(item,) for item in cited + others]
        if len(cited) > 1:
            choices.insert(0, tuple(cited))
        pairs = [(" ".join(item.text for item in choice), claim.text) for choice in choices]
        judgements = self.verifier.judge(pairs)
        for choice, judgement in zip(choices, judgements, strict=True):
            if judgement.verdict is Verdict.SUPPORTED:
                return CitedClaim(claim.text, choice, judgement)
        best = max((judgement.score for judgement in judgements), default=0.0)
        course.trace.append(f"unsupported ({best:.2f}): {claim.text}")
        return None


def _as_claim(quote: str) -> str:
    """Return a quote as it stands in an answer: on one line, and without what would read there as
    a marker of ours. The citation keeps it word for word."""
    return " ".join(MARKER.sub("", quote).split())


def _to_the_point(
    claims: Sequence[CitedClaim], quote: Evidence, found: Retrieval, course: _Course
) -> bool:
    """Tell whether a draft keeps most of what the best quote shares with the question."""
    kept = overlap(found.term_weights, " ".join(claim.text for claim in claims))
    if kept >= LEAST_KEPT * overlap(found.term_weights, quote.text):
        return True
    course.trace.append(f"the draft leaves the question ({kept:.2f} of its terms)")
    return False


def _shown(quotes: Sequence[Evidence], evidence: Sequence[Evidence], n: int) -> list[Evidence]:
    """Return n pieces of evidence: the quotes, then the best sentences that are not in them."""
    others = [
        item
        for item in evidence
        if not any(
            quote.passage.document_id == item.passage.document_id
            and quote.start <= item.start < quote.end
            for quote in quotes
        )
    ]
    return [*quotes, *others][:n]


def _relevant(found: Retrieval, asked_in: str) -> bool:
    """Tell whether what was found can have to do with the question."""
    if not found.hits:
        return False
    best = found.hits[0]
    if best.similarity is None:
        return max(hit.overlap for hit in found.hits) >= LEAST_OVERLAP
    written_in = best.passage.language
    across = written_in != asked_in and len(found.term_weights) >= SURE_OF_LANGUAGE
    least = STANDS_OUT_ACROSS_LANGUAGES if across else STANDS_OUT
    lift = found.background.lift(best.similarity, written_in)
    return lift >= ON_SUBJECT or (lift >= NEAR_SUBJECT and best.score >= least)
