"""What becomes of a draft: kept, repaired, quoted or dropped, and each step told."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from rag.config import Config
from rag.course import Course
from rag.drafting import Drafter, quoted
from rag.fusion import NO_BACKGROUND, Retrieval
from rag.protocols import Decoding, Message, TextStream
from rag.testing import ScriptedGenerator
from rag.types import Evidence, Passage, Verdict
from rag.verification import OverlapVerifier
from tests.core.test_answerer import shown

MILK = "The cat drinks cold milk every morning."
SLEEP = "Cats sleep for most of the day."
PREY = "The cat hunts mice in the barn at night."
TERMS = {"cat": 0.5, "milk": 0.5}
Script = Sequence[str] | Callable[[Sequence[Message]], str]


def evidence(text: str, language: str = "en") -> Evidence:
    """Return a sentence that is a document of its own."""
    passage = Passage(text, text, "s", "t", text, 0, len(text), None, "", language)
    return Evidence(passage, text, 0, len(text), 1.0)


FACTS = [evidence(text) for text in (MILK, SLEEP, PREY)]


class Letters(ScriptedGenerator):
    """Yields its reply a character at a time, the smallest pieces there are."""

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield what the fake says, in other pieces."""
        whole = super().stream(messages, decoding)
        while True:
            try:
                yield from next(whole)
            except StopIteration as end:
                return bool(end.value)


def drafted(
    script: Script,
    facts: Sequence[Evidence] = FACTS,
    terms: dict[str, float] | None = None,
    *,
    generator: type[ScriptedGenerator] = ScriptedGenerator,
    strictness: float = 0.5,
    **settings: int,
) -> tuple[list[tuple[str, tuple[str, ...]]], list[str]]:
    """Return the claims of a draft, each with its quotes, and the trace."""
    course = Course()
    config = Config(**settings)  # type: ignore[arg-type]
    drafter = Drafter(generator(script), OverlapVerifier(), config, strictness, course)
    found = Retrieval("What does the cat drink?", (), terms or TERMS, NO_BACKGROUND)
    claims = list(drafter.claims(found, facts, facts[0]))
    assert all(claim.judgement.verdict is Verdict.SUPPORTED for claim in claims)
    told = [(claim.text, tuple(item.text for item in claim.evidence)) for claim in claims]
    return told, course.trace


def noted(trace: Sequence[str], beginning: str) -> int:
    """Return how often a step is in a trace."""
    return sum(step.startswith(beginning) for step in trace)


def test_a_supported_claim_stands_on_what_it_cites() -> None:
    """Nothing is repaired, and the trace holds the draft."""
    claims, trace = drafted([f"{MILK[:-1]} [1]."])
    assert claims == [(MILK, (MILK,))] and trace == [f"draft: {MILK[:-1]} [1]."]


def test_other_evidence_is_tried_first() -> None:
    """A claim that cites the wrong fact gets the right one; the trace says so."""
    claims, trace = drafted([f"{MILK[:-1]} [2]."])
    assert claims == [(MILK, (MILK,))]
    assert noted(trace, "supported by other evidence than cited: ") == 1


def test_then_it_is_rewritten_from_the_nearest_evidence_alone() -> None:
    """One prompt more, which shows one fact."""
    prompts: list[int] = []

    def script(messages: Sequence[Message]) -> str:
        facts = shown(messages)
        prompts.append(len(facts))
        return f"{MILK} Cats sleep in wooden boats." if len(facts) > 1 else SLEEP

    claims, trace = drafted(script)
    assert claims == [(MILK, (MILK,)), (SLEEP, (SLEEP,))] and prompts == [3, 1]
    assert (
        noted(trace, "unsupported") == 1 and trace[-1] == "rewritten: Cats sleep in wooden boats."
    )


def test_then_the_evidence_is_quoted() -> None:
    """Where the rewriting says what the fact does not."""
    claims, trace = drafted([f"{MILK} Cats sleep in wooden boats.", "Boats sleep in cats."])
    assert claims == [(MILK, (MILK,)), (SLEEP, (SLEEP,))]
    assert noted(trace, "unsupported") == 2
    assert trace[-1] == "quoted instead: Cats sleep in wooden boats."


def test_what_is_cited_already_is_not_quoted_again() -> None:
    """The claim is dropped, and the trace says so."""
    claims, trace = drafted([f"{MILK} The cat drinks 3 litres of milk."])
    assert claims == [(MILK, (MILK,))]
    assert trace[-1].startswith("dropped, its evidence is cited already: The cat drinks 3")


def test_a_repaired_claim_comes_behind_the_others() -> None:
    """Nothing that was given out has to move: repairs are made when the draft is read."""
    claims, _ = drafted([f"Cats sleep in wooden boats. {MILK} {PREY}", "Nothing of it."])
    assert [text for text, _ in claims] == [MILK, PREY, SLEEP]


def test_with_one_fact_there_is_nothing_to_rewrite_from() -> None:
    """It was the whole prompt: the generator is not asked the same again."""
    generator = ScriptedGenerator([f"{MILK} Cats sleep in boats."])
    course = Course()
    drafter = Drafter(generator, OverlapVerifier(), Config(), 0.5, course)
    found = Retrieval("?", (), TERMS, NO_BACKGROUND)
    assert len(list(drafter.claims(found, FACTS[:1], FACTS[0]))) == 1
    assert len(generator.prompts) == 1


def test_without_any_support_there_is_no_answer_from_the_draft() -> None:
    """The answerer then quotes what it holds for best."""
    claims, trace = drafted(["Boats float on water. Wood is light."])
    assert claims == [] and noted(trace, "unsupported") == 2


def test_a_draft_that_leaves_the_question_is_held_back() -> None:
    """True, cited, and beside the point: not one claim is given out."""
    claims, trace = drafted([SLEEP])
    assert claims == [] and noted(trace, "the draft leaves the question") == 1
    claims, _ = drafted([f"{SLEEP} {MILK}"])
    assert [text for text, _ in claims] == [SLEEP, MILK]


def test_a_claim_is_given_out_as_soon_as_the_draft_keeps_to_the_question() -> None:
    """Before the generator has written the next sentence to its end."""
    generator = ScriptedGenerator([f"{MILK} {SLEEP} {PREY}"])
    drafter = Drafter(generator, OverlapVerifier(), Config(), 0.5, Course())
    found = Retrieval("?", (), TERMS, NO_BACKGROUND)
    claims = drafter.claims(found, FACTS, FACTS[0])
    assert next(claims).text == MILK and drafter.course.trace == []
    assert [claim.text for claim in claims] == [SLEEP, PREY]


@pytest.mark.parametrize("generator", [ScriptedGenerator, Letters])
def test_a_marker_behind_the_full_stop_belongs_before_it(
    generator: type[ScriptedGenerator],
) -> None:
    """However the pieces part it from its sentence, which is given out with it."""
    draft = f"{MILK} [3] {SLEEP} [1][2] {PREY}[7] [1]"
    claims, trace = drafted([draft], generator=generator)
    assert claims == [(MILK, (MILK,)), (SLEEP, (SLEEP,)), (PREY, (PREY,))]
    # The first and the third cite what does not support them, so their markers were read.
    assert noted(trace, "supported by other evidence than cited: ") == 2
    assert noted(trace, f"invented markers [7] in: {PREY}") == 1


def test_two_facts_are_cited_where_one_is_not_enough() -> None:
    """Joined, in the order given; else the one that suffices."""
    facts = [evidence("The cat drinks milk."), evidence("The milk is cold every morning.")]
    both = "The cat drinks milk. The milk is cold every morning"
    claims, _ = drafted([f"{both.replace('. ', ', ')} [1][2]."], facts)
    assert [quotes for _, quotes in claims] == [tuple(item.text for item in facts)]
    claims, _ = drafted(["The cat drinks milk [1][2]."], facts)
    assert [quotes for _, quotes in claims] == [(facts[0].text,)]


def test_invented_markers_are_told_and_count_for_nothing() -> None:
    """The claim stands on what supports it."""
    claims, trace = drafted([f"{MILK[:-1]} [7] [99]."])
    assert claims == [(MILK, (MILK,))] and noted(trace, "invented markers [7, 99]") == 1


def test_a_draft_that_is_cut_off_loses_its_open_sentence() -> None:
    """Eight words and a mark are the whole first sentence and one word of the second."""
    claims, trace = drafted([f"{MILK} {SLEEP}"], max_answer_tokens=9)
    assert claims == [(MILK, (MILK,))]
    assert f"cut off at 9 tokens; kept: {MILK}" in trace
    assert drafted([f"{MILK} {SLEEP}"], max_answer_tokens=8)[0] in ([], [(MILK, (MILK,))])


def test_strictness_is_the_least_score_of_a_claim() -> None:
    """A claim in other order passes the verdict, not the stricter score."""
    said = "The cat drinks milk every cold morning."
    lax, _ = drafted([said], FACTS[:1])
    strict, trace = drafted([said], FACTS[:1], strictness=1.0)
    assert [text for text, _ in lax] == [said] and strict == []
    assert noted(trace, "unsupported (0.") == 1


def test_a_question_that_leaves_no_room_is_not_generated() -> None:
    """Nor one beside which no fact fits; the trace says which."""
    long = evidence("word " * 3000)
    assert drafted([MILK], [long])[1] == ["no evidence fits the generator's window"]
    course = Course()
    drafter = Drafter(ScriptedGenerator([MILK]), OverlapVerifier(), Config(), 0.5, course)
    found = Retrieval("word " * 3000, (), TERMS, NO_BACKGROUND)
    assert list(drafter.claims(found, FACTS, FACTS[0])) == []
    assert noted(course.trace, "not generated: the question makes a prompt of") == 1


def test_a_quote_is_one_line_without_markers_of_ours() -> None:
    """The claim; its evidence keeps the words of the source."""
    source = "The cat [2]\n drinks  milk [17]."
    claim = quoted(replace(FACTS[0], text=source))
    assert claim.text == "The cat drinks milk." and claim.evidence[0].text == source
