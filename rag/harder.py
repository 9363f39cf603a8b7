"""Questions that take more than one search: several in one, comparisons, steps, computations.

Each step is a question to the same answerer, with all that it promises; here the answers are
only chosen and put together. A simple question goes straight through.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rag.analysis import language as language_of
from rag.analysis import terms
from rag.arithmetic import Operand, Read, computed, operands
from rag.bridging import Bridge, bridge, bridging_name, describes
from rag.citations import claimed, whole
from rag.computation import Computation, computable, computation
from rag.decomposition import Shape, complex_at_all, plan
from rag.joining import Joiner
from rag.messages import part_not_found
from rag.types import Answer, Events, Hit, Judgement, Method, Verdict
from rag.wording import content_words

Ask = Callable[[str], Answer]
"""Answers one question: `Answerer.answer` with its options bound."""

AskEvents = Callable[[str], Events]
"""Answers one question claim by claim: `Answerer.events` with its options bound."""

# Share of a question's words that its quotes must have for it to be answered in one step.
IN_ONE_STEP = 0.6
COMPUTED = Judgement(Verdict.SUPPORTED, 1.0)


def answer_events(events: AskEvents, question: str, read: Read | None = None) -> Events:
    """Yield what `answer_parts` returns claim by claim, then whole.

    The claims of a simple question come as they pass the gates. Those of several answers come
    when all of it is put together: no number or place in it is certain before.
    """
    if not _takes_several(question, read):
        yield from events(question)
        return
    answer = answer_parts(lambda part: whole(events(part)), question, read)
    yield from claimed(answer)
    yield answer


def answer_parts(ask: Ask, question: str, read: Read | None = None) -> Answer:
    """Return an answer to a question that may take several.

    Args:
        read: reads quantities; without it nothing is computed.
    Returns:
        what `ask` says where the question is simple; else one answer of claims of several, or
        of a computation, `question` being the question and the trace telling the steps.
    Raises:
        what `ask` raises.
    """
    if not _takes_several(question, read):
        return ask(question)
    language = language_of(question)
    if read is not None and (wanted := computation(question, language)):
        return _computed(ask, question, wanted, read) or ask(question)
    planned = plan(question, language)
    if planned.shape is Shape.PARTS:
        return _parts(ask, question, planned.parts)
    if planned.shape is Shape.COMPARISON:
        return _compared(ask, question, planned.parts, planned.entities)
    if bridged := bridge(question, language):
        return _bridged(ask, question, bridged)
    return ask(question)


def _takes_several(question: str, read: Read | None) -> bool:
    """Tell whether a question may take several searches; cheap, for most do not."""
    counts = read is not None and computable(question)
    return counts or complex_at_all(question) or describes(question)


def _parts(ask: Ask, question: str, parts: Sequence[str]) -> Answer:
    """Answer each part, and say of each that has no answer that it has none."""
    answers = [ask(part) for part in parts]
    if all(answer.abstained for answer in answers):
        return _noted(ask(question), f"no answer to any of {len(parts)} parts; asked as a whole")
    joiner = Joiner()
    for n, (part, answer) in enumerate(zip(parts, answers, strict=True), start=1):
        if answer.abstained:
            joiner.remark(part_not_found(language_of(question), n, part))
        else:
            joiner.answer(answer)
    return _together(question, joiner, answers, f"asked in {len(parts)} parts")


def _compared(ask: Ask, question: str, parts: Sequence[str], entities: Sequence[str]) -> Answer:
    """Answer a comparison: as asked, and what each thing is of which that says nothing."""
    whole = ask(question)
    quoted = _quoted_terms(whole)
    missing = [
        part
        for part, entity in zip(parts, entities, strict=True)
        if not quoted.issuperset(_content(entity))
    ]
    if not missing:
        return _noted(whole, "one search found both sides of the comparison")
    sides = [answer for answer in map(ask, missing) if not answer.abstained]
    answers = [answer for answer in (whole, *sides) if not answer.abstained]
    if not sides or len(answers) < 2:
        return _noted(answers[0] if answers else whole, "one side of the comparison was not found")
    joiner = Joiner()
    for answer in answers:
        joiner.answer(answer)
    return _together(question, joiner, answers, f"compared, with {len(missing)} sides on their own")


def _bridged(ask: Ask, question: str, bridged: Bridge) -> Answer:
    """Answer as asked if the quotes speak of all that is asked; else in two steps."""
    whole = ask(question)
    if not whole.abstained and _share(question, whole) >= IN_ONE_STEP:
        return whole
    first = ask(bridged.inner)
    if first.abstained or _share(bridged.inner, first) < IN_ONE_STEP:
        return _noted(whole, "the description was not found on its own")
    quote = first.citations[0]
    name = bridging_name(bridged, quote.quote, question, language_of(quote.quote))
    if not name:
        return _noted(whole, "no one name fits the description")
    second = ask(bridged.outer(name))
    quoted = _quoted_terms(second)
    if second.abstained or not quoted.issuperset(terms(name)):
        return _noted(whole, f"nothing found about {name}")
    joiner = Joiner()
    joiner.answer(_only(first, quote.n))
    joiner.answer(second)
    return _together(question, joiner, [first, second], f"two steps, by way of {name}")


def _only(answer: Answer, n: int) -> Answer:
    """Return the answer with only the first claim that cites n: a step needs no more."""
    claim = next(claim for claim in answer.claims if n in claim.citations)
    text = answer.text[claim.start : claim.end]
    return replace(answer, text=text, claims=(replace(claim, start=0, end=len(text)),))


def _computed(ask: Ask, question: str, wanted: Computation, read: Read) -> Answer | None:
    """Answer by computing; None where the amounts are not there or not certain."""
    answers, amounts = [], list[Operand]()
    for item, asked in zip(wanted.items, wanted.questions, strict=True):
        answer = ask(asked)
        answers.append(answer)
        quotes = answer.citations
        found = [
            operand
            for citation in quotes
            for operand in operands(wanted, item, [citation], language_of(citation.quote), read)
        ]
        if len({(operand.value, operand.unit) for operand in found}) != 1:
            return None
        amounts.append(found[0])
    text = computed(wanted, amounts, language_of(question), read)
    if not text:
        return None
    joiner = Joiner()
    joiner.stated(text, [amount.citation for amount in amounts], COMPUTED)
    answer = _together(question, joiner, answers, f"computed: {wanted.operation.value}")
    return replace(answer, method=Method.COMPUTED)


# -- putting together ----------------------------------------------------------------------------


def _together(question: str, joiner: Joiner, answers: Sequence[Answer], note: str) -> Answer:
    joined = joiner.joined()
    generated = any(answer.method is Method.GENERATED for answer in answers)
    trace = [note]
    for answer in answers:
        trace += [f"asked: {answer.question}", *answer.trace]
    return replace(
        answers[0],
        question=question,
        text=joined.text,
        method=Method.GENERATED if generated else Method.QUOTED,
        claims=joined.claims,
        citations=joined.citations,
        conflicts=joined.conflicts,
        hits=_hits(answers),
        reason=None,
        trace=tuple(trace),
        timings=_added(answer.timings for answer in answers),
    )


def _noted(answer: Answer, note: str) -> Answer:
    return replace(answer, trace=(note, *answer.trace))


def _hits(answers: Sequence[Answer]) -> tuple[Hit, ...]:
    """Return all hits once, those of the first answer first, ranked anew."""
    hits = {hit.passage.id: hit for answer in reversed(answers) for hit in reversed(answer.hits)}
    return tuple(replace(hit, rank=n) for n, hit in enumerate(reversed(hits.values()), start=1))


def _added(timings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for timing in timings:
        total.update(timing)
    return dict(total)


def _quoted_terms(answer: Answer) -> set[str]:
    return set(terms(" ".join(citation.quote for citation in answer.citations)))


def _content(text: str) -> set[str]:
    return set(terms(" ".join(content_words(text, language_of(text)))))


def _share(question: str, answer: Answer) -> float:
    """Return the share of a question's words that an answer's quotes have."""
    wanted = _content(question)
    return len(wanted & _quoted_terms(answer)) / len(wanted) if wanted else 1.0
