"""Explain an answer: weigh its claims with its quotes, without them, and without each of them.

What the figures mean is told in `rag.provenance`.
"""

from collections.abc import Sequence

from rag.analysis import language
from rag.errors import ConfigError
from rag.prompt import answer_prompt, fit
from rag.protocols import Generator, Message, Scorer
from rag.provenance import Explanation, provenances
from rag.types import Answer, Citation, Evidence, LogProbability, Passage

# Cut into tokens by itself, a claim may have a few more than behind its prompt.
SPARE = 8


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
        unit=citation.unit,
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
