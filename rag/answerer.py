"""Answer a question from an index: find, select evidence, draft, check, and quote if need be.

What is promised: every sentence of an answer stands with verbatim quotes that support it. What
the evidence does not support is not shown; the best quotes are the answer instead. Where sources
disagree both are quoted.
"""

import time
from collections import abc
from collections.abc import Callable, Sequence
from contextlib import closing

from rag.analysis import language
from rag.citations import CitedClaim, Composer, whole
from rag.config import Config
from rag.conflicts import Disagreement, disagreements
from rag.course import Course
from rag.drafting import Drafter, quoted
from rag.evidence import choose_quotes, gather, select, speaking, with_headers
from rag.fusion import Retrieval
from rag.messages import abstention
from rag.protocols import Generator, Verifier
from rag.relevance import judge
from rag.retriever import Retriever, check_question
from rag.types import (
    Answer,
    Asking,
    Conflict,
    Events,
    Evidence,
    Filters,
    Method,
    Mode,
    Reason,
)

# So strict, an answer over which sources disagree is not given.
NO_DISAGREEMENT = 0.9
MOST_CONFLICTS = 2


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
        asking: Asking | None = None,
    ) -> Answer:
        """Return an answer whose every claim is quoted and checked, or one that abstains.

        Args:
            asking: how strict to be; by default as the settings say.
        Raises:
            ConfigError: the question is empty or too long.
            IndexCorrupt: what was found does not match its checksum.
            GenerationError: the generator failed.
        """
        return whole(self.events(question, k=k, mode=mode, filters=filters, asking=asking))

    def events(
        self,
        question: str,
        *,
        k: int | None = None,
        mode: Mode | None = None,
        filters: Filters | None = None,
        asking: Asking | None = None,
        on_found: Callable[[Retrieval], None] = lambda found: None,
    ) -> Events:
        """Yield each claim as it passes the gates, then the whole answer.

        `on_found` is told what was found, before anything is made of it; what it raises ends the
        work.

        The answer's claims and citations are those that were yielded, in their order; closing the
        iterator stops the work. Raises what `answer` does.
        """
        question = check_question(question)
        asking = asking or Asking(self.config.strictness, self.config.quote_only)
        course, started = Course(), time.perf_counter()
        with course.timed("search"):
            found = speaking(
                self.retriever.search(
                    question, k or self.config.k, mode or self.config.mode, filters
                )
            )
        on_found(found)
        course.note(f"found {len(found.hits)} passages")
        asked_in = language(question)
        with course.timed("evidence"):
            evidence, reason = self._evidence(found, asked_in, asking, course)
        method, conflicts, composer = Method.QUOTED, list[Disagreement](), Composer()
        if reason is None:
            quotes, conflicts = _with_both_sides(choose_quotes(evidence), disagreements(evidence))
            if self._may_write(asked_in, quotes, asking, course) and not conflicts:
                with closing(self._drafted(found, quotes, evidence, asking, course)) as drafted:
                    for claim in drafted:
                        method = Method.GENERATED
                        yield composer.add(claim)
            if not composer.claims:
                course.note(f"pieces quoted: {len(quotes)}")
                for quote in with_headers(quotes, self.retriever.store.text):
                    yield composer.add(quoted(quote))
        course.timings["total"] = time.perf_counter() - started
        yield Answer(
            question=question,
            text=abstention(asked_in, reason) if reason else composer.text,
            method=method,
            claims=tuple(composer.claims),
            citations=tuple(composer.citations),
            hits=found.hits,
            reason=reason,
            trace=tuple(course.trace),
            timings=course.timings,
            conflicts=tuple(_conflict(item, composer) for item in conflicts),
        )

    def _drafted(
        self,
        found: Retrieval,
        quotes: Sequence[Evidence],
        evidence: Sequence[Evidence],
        asking: Asking,
        course: Course,
    ) -> abc.Generator[CitedClaim, None, None]:
        assert self.generator is not None
        drafter = Drafter(self.generator, self.verifier, self.config, asking.strictness, course)
        return drafter.claims(found, _shown(quotes, evidence, self.config.evidence), quotes[0])

    def _may_write(
        self, asked_in: str, evidence: Sequence[Evidence], asking: Asking, course: Course
    ) -> bool:
        """Tell whether the generator is wanted, writes the question's language and reads the
        evidence's."""
        if self.generator is None or asking.quote_only:
            return False
        spoken = self.generator.languages
        needed = {asked_in} | {item.passage.language for item in evidence[:1]}
        if spoken and not needed <= spoken:
            strange = ", ".join(sorted(needed - spoken))
            course.note(f"{self.generator.name} does not speak {strange}")
            return False
        return True

    def _evidence(
        self, found: Retrieval, asked_in: str, asking: Asking, course: Course
    ) -> tuple[list[Evidence], Reason | None]:
        """Return the evidence, the best first, and why no answer can be given from it, if so."""
        embedder = self.retriever.embedder
        gathered = gather(found, embedder)
        name = embedder.name if embedder is not None else ""
        relevance = judge(found, gathered, asked_in, name, asking.strictness)
        course.note(relevance.note)
        if relevance.reason is not None:
            return [], relevance.reason
        evidence = select(found, gathered)
        if asking.strictness >= NO_DISAGREEMENT and disagreements(evidence):
            course.note("sources disagree")
            return [], Reason.SOURCES_DISAGREE
        return evidence, None


def _shown(quotes: Sequence[Evidence], evidence: Sequence[Evidence], n: int) -> list[Evidence]:
    """Return n pieces of evidence: the quotes, then the best sentences that are not in them."""
    others = [item for item in evidence if not any(_within(item, quote) for quote in quotes)]
    return [*quotes, *others][:n]


def _within(item: Evidence, quote: Evidence) -> bool:
    same = item.passage.document_id == quote.passage.document_id
    return same and quote.start <= item.start < quote.end


def _with_both_sides(
    quotes: Sequence[Evidence], at_odds: Sequence[Disagreement]
) -> tuple[list[Evidence], list[Disagreement]]:
    """Return the quotes with the other side of what any of them says, and those disagreements."""
    shown, kept = list(quotes), list[Disagreement]()
    for item in at_odds:
        sides = (item.first, item.second)
        if any(_within(side, quote) for side in sides for quote in quotes):
            shown += [side for side in sides if not any(_within(side, q) for q in shown)]
            kept.append(item)
        if len(kept) == MOST_CONFLICTS:
            break
    return shown, kept


def _conflict(item: Disagreement, composer: Composer) -> Conflict:
    def number(side: Evidence) -> int:
        return next(
            citation.n
            for citation in composer.citations
            if citation.document_id == side.passage.document_id
            and citation.start <= side.start < citation.end
        )

    return Conflict(
        item.kind.value,
        (number(item.first), number(item.second)),
        (item.says_first, item.says_second),
    )
