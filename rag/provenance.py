"""Where the words of a claim come from: the quotes of its answer, or the generator's memory.

    contextual   log p(claim | question, quotes)
    parametric   log p(claim | question)
    drop         contextual − log p(claim | question, quotes less one), for each quote

The drops are ContextCite's idea (Cohen-Wang et al. 2024, arXiv:2409.00729), with one ablation a
quote in place of a fit over random ones. Of two quotes that say the same neither is missed, so
both drops are small. All figures are what the generator would have written; that the quotes
support the claim is checked elsewhere. Logarithms are natural.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.analysis import language
from rag.errors import ConfigError
from rag.prompt import answer_prompt, fit
from rag.protocols import Generator, LogProbability, Message, Scorer
from rag.types import Answer, Citation, Evidence, Passage

# Per token; what is nearer to nothing is not told as a cause, and rounds to 0.0. Reading in
# bfloat16 moves the sums of SmolLM2-135M by up to .02 a token.
LEAST = 0.05
# Cut into tokens by itself, a claim may have a few more than behind its prompt.
SPARE = 8


@dataclass(frozen=True, slots=True)
class Influence:
    """How much a claim owes to a quote.

    Attributes:
        citation: its n in the answer.
        drop: by how much the claim's log p falls without it; below 0 where it rises.
    """

    citation: int
    drop: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a claim comes from.

    Attributes:
        claim: its place in the answer's claims, from 0.
        contextual, parametric: its log p with the quotes and without any.
        tokens: the generator's tokens that the claim has.
        influences: of each quote shown, in the order of their numbers.
    """

    claim: int
    contextual: float
    parametric: float
    tokens: int
    influences: tuple[Influence, ...]

    @property
    def difference(self) -> float:
        """Contextual less parametric, per token; 0 for a claim without tokens."""
        return (self.contextual - self.parametric) / self.tokens if self.tokens else 0.0

    @property
    def main(self) -> Influence | None:
        """The quote that brings more than half of all drops, and of what all quotes bring.

        None where there is none: a quote that another repeats is hardly missed.
        """
        first = max(self.influences, key=lambda influence: influence.drop, default=None)
        if first is None or first.drop < LEAST * self.tokens:
            return None
        dropped = sum(max(influence.drop, 0.0) for influence in self.influences)
        whole = max(dropped, self.contextual - self.parametric)
        return first if first.drop > whole / 2 else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The provenance of the claims of an answer; `notes` tell what was not done, and why."""

    claims: tuple[Provenance, ...] = ()
    notes: tuple[str, ...] = ()


def explain(answer: Answer, generator: Generator | None) -> Explanation:
    """Return where each claim of an answer comes from.

    Each claim is weighed without its markers, as the whole of what the generator might have
    answered. It takes n + 2 readings of the prompt for n citations, two for one.

    Raises:
        ConfigError: there is no generator.
        GenerationError: the generator failed.
    """
    generator = needed(generator)
    if not answer.claims:
        return Explanation(notes=("the answer makes no claim, so there is nothing to explain",))
    if not isinstance(generator, Scorer):
        return Explanation(notes=(f"not explained: {_unable(generator.name)}",))
    texts = [claim.text for claim in answer.claims]
    quotes = {_evidence(citation): citation.n for citation in answer.citations}

    def size(messages: Sequence[Message]) -> int:
        return max(generator.count_tokens(_answered(messages, text)) for text in texts)

    try:
        _, shown = fit(answer.question, list(quotes), size, generator.max_tokens - SPARE)
    except ConfigError as error:
        return Explanation(notes=(f"not explained: {error}",))
    weighed = _Weighing(answer.question, texts, generator)
    claims = provenances(
        weighed.with_evidence([]),
        weighed.with_evidence(shown),
        {quotes[q]: weighed.with_evidence([r for r in shown if r != q]) for q in shown},
    )
    left_out = [n for quote, n in quotes.items() if quote not in shown]
    return Explanation(claims, tuple(_notes(answer, generator, left_out)))


def needed(generator: Generator | None) -> Generator:
    """Return the generator that explains.

    Raises:
        ConfigError: there is none.
    """
    if generator is None:
        raise ConfigError(
            "generator is 'none', and to explain an answer takes one that runs here; set one with"
            " --generator, or ask without explain"
        )
    return generator


def provenances(
    parametric: Sequence[LogProbability],
    contextual: Sequence[LogProbability],
    without: dict[int, Sequence[LogProbability]],
) -> tuple[Provenance, ...]:
    """Return the provenance of each claim, out of how likely it is.

    Args:
        parametric, contextual: of each claim, with no quote and with all.
        without: the n of each quote to the same with all quotes but that.
    """
    return tuple(
        Provenance(
            claim=i,
            contextual=shown.total,
            parametric=bare.total,
            tokens=shown.tokens,
            influences=tuple(
                Influence(n, shown.total - left[i].total) for n, left in without.items()
            ),
        )
        for i, (bare, shown) in enumerate(zip(parametric, contextual, strict=True))
    )


def summary(provenance: Provenance) -> str:
    """Return a provenance in words: "from the passages (+1.8 per token); mostly [1]"."""
    if provenance.difference >= LEAST:
        source = "from the passages"
    elif provenance.difference <= -LEAST:
        source = "less likely with the passages"
    else:
        source = "as likely without the passages"
    # Without "-0.0".
    told = f"{source} ({round(provenance.difference, 1) + 0.0:+.1f} per token)"
    if provenance.main is not None:
        return f"{told}; mostly [{provenance.main.citation}]"
    return f"{told}; no one quote alone" if len(provenance.influences) > 1 else told


class _Weighing:
    """Weighs the claims of an answer after prompts; each prompt once."""

    def __init__(self, question: str, texts: Sequence[str], scorer: Scorer) -> None:
        self._question = question
        self._texts = texts
        self._scorer = scorer
        self._known: dict[tuple[Message, ...], list[LogProbability]] = {}

    def with_evidence(self, evidence: Sequence[Evidence]) -> list[LogProbability]:
        prompt = tuple(answer_prompt(self._question, evidence))
        if prompt not in self._known:
            self._known[prompt] = self._scorer.log_probabilities(prompt, self._texts)
        return self._known[prompt]


def _answered(messages: Sequence[Message], text: str) -> list[Message]:
    return [*messages, Message("assistant", text)]


def _evidence(citation: Citation) -> Evidence:
    """Return a quote as evidence: equal scores, so that the first quotes are shown first."""
    passage = Passage(
        id=citation.passage_id,
        document_id=citation.document_id,
        source=citation.source,
        title=citation.title,
        text=citation.quote,
        start=citation.start,
        end=citation.end,
        page=citation.page,
        section="",
        language="",
    )
    return Evidence(passage, citation.quote, citation.start, citation.end, 1.0)


def _notes(answer: Answer, generator: Generator, left_out: Sequence[int]) -> list[str]:
    notes = []
    if left_out:
        numbers = ", ".join(f"[{n}]" for n in left_out)
        notes.append(f"left out, for they do not fit the window of {generator.name}: {numbers}")
    cited = {citation.passage_id for citation in answer.citations}
    read = {hit.passage.language for hit in answer.hits if hit.passage.id in cited}
    spoken = generator.languages
    if spoken and (strange := {language(answer.question), *read} - spoken):
        names = ", ".join(sorted(strange))
        notes.append(f"{generator.name} does not speak {names}: its figures say less there")
    return notes


def _unable(name: str) -> str:
    return (
        f"{name} does not tell how likely a given text is; ask with a generator that runs here"
        " (--generator)"
    )
