"""Answers put together from several: numbers, offsets, and what is said of parts not found."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import CitedClaim, compose
from rag.dialogue import Conversation, reply
from rag.followup import Turn
from rag.harder import answer_parts
from rag.joining import Joined, Joiner
from rag.messages import PART_NOT_FOUND, part_not_found
from rag.types import Answer, Evidence, Judgement, Method, Passage, Reason, Verdict
from tests.core.bench import Bench
from tests.core.test_answerer import check
from tests.test_computation import read

SURE = Judgement(Verdict.SUPPORTED, 1.0)


def evidence(text: str) -> Evidence:
    """Return a sentence that is a document of its own."""
    passage = Passage(f"p-{text}", f"d-{text}", "s", "t", text, 0, len(text), None, "", "en")
    return Evidence(passage, text, 0, len(text), 1.0)


def answered(question: str, *claims: tuple[str, tuple[str, ...]]) -> Answer:
    """Return an answer of claims, each with the sentences that it cites."""
    text, composed, citations = compose(
        [CitedClaim(claim, tuple(map(evidence, quotes)), SURE) for claim, quotes in claims]
    )
    return Answer(
        question, text, Method.QUOTED, composed, citations, (), None, ("found",), {"total": 1.0}
    )


def abstaining(question: str) -> Answer:
    """Return an answer that says it has none."""
    reason = Reason.NOTHING_RELEVANT
    return Answer(question, "No.", Method.QUOTED, (), (), (), reason, (), {"total": 1.0})


def book(pages: dict[str, str]) -> tuple[Callable[[str], Answer], list[str]]:
    """Return what answers by quoting the first page whose key the question has, and its log."""
    asked: list[str] = []

    def ask(question: str) -> Answer:
        asked.append(question)
        for key, text in pages.items():
            if key in question:
                return answered(question, (text, (text,)))
        return abstaining(question)

    return ask, asked


def fits(joined: Joined | Answer) -> None:
    """Check that claims stand where they say, and cite what stands behind them."""
    assert [citation.n for citation in joined.citations] == [
        n + 1 for n in range(len(joined.citations))
    ]
    for claim in joined.claims:
        shown = joined.text[claim.start : claim.end]
        assert shown == claim.text + "".join(f" [{n}]" for n in claim.citations)
        assert all(1 <= n <= len(joined.citations) for n in claim.citations)
    ends = [claim.end for claim in joined.claims]
    assert ends == sorted(ends)


SENTENCES = st.lists(
    st.sampled_from(["Cats sleep.", "Dogs bark.", "猫在睡觉。", "x [7] y"]), min_size=1
)
CLAIMS = st.lists(
    st.tuples(st.sampled_from(["A.", "B [1]!", "三。"]), SENTENCES), min_size=1, max_size=4
)


@given(st.lists(st.one_of(CLAIMS, st.text(max_size=20)), max_size=5))
def test_joined_answers_keep_their_claims_and_quotes(pieces: list[object]) -> None:
    """Offsets are exact, numbers run from 1, every claim cites the quotes it cited before."""
    joiner, before = Joiner(), set()
    for piece in pieces:
        if isinstance(piece, str):
            joiner.remark(piece)
            continue
        assert isinstance(piece, list)
        answer = answered("?", *((text, tuple(dict.fromkeys(quotes))) for text, quotes in piece))
        joiner.answer(answer)
        for claim in answer.claims:
            before.add((claim.text, tuple(answer.citations[n - 1].quote for n in claim.citations)))
    joined = joiner.joined()
    fits(joined)
    after = [
        (claim.text, tuple(joined.citations[n - 1].quote for n in claim.citations))
        for claim in joined.claims
    ]
    assert set(after) == before and len(after) == len(before)


def test_each_part_is_answered() -> None:
    """A line a part, in order, the citations numbered through, one trace."""
    ask, asked = book({"BPE": "BPE merges pairs.", "RLHF": "RLHF learns from people."})
    answer = answer_parts(ask, "What is BPE and how does RLHF work?")
    fits(answer)
    assert answer.text == "BPE merges pairs. [1]\nRLHF learns from people. [2]"
    assert asked == ["What is BPE?", "How does RLHF work?"]
    assert answer.question == "What is BPE and how does RLHF work?"
    assert answer.trace[:2] == ("asked in 2 parts", "asked: What is BPE?")
    assert answer.timings == {"total": 2.0}


@pytest.mark.parametrize(
    ("question", "remark"),
    [
        ("What is BPE and how does RLHF work?", "Part 2 (“How does RLHF work?”): not found"),
        ("Was ist BPE und wie funktioniert RLHF?", "Teil 2 („Wie funktioniert RLHF?“)"),
        ("Что такое BPE и как работает RLHF?", "Часть 2 («Как работает RLHF?»)"),
        ("Mi az a BPE és hogyan működik az RLHF?", "2. rész („Hogyan működik az RLHF?”)"),
        ("BPE是什么，RLHF怎么工作？", "第2部分（“RLHF怎么工作？”）"),
    ],
)
def test_a_part_without_an_answer_is_named(question: str, remark: str) -> None:
    """In the question's language, outside of every claim; the rest is answered."""
    ask, _ = book({"BPE": "BPE merges pairs."})
    answer = answer_parts(ask, question)
    fits(answer)
    assert not answer.abstained and [claim.text for claim in answer.claims] == ["BPE merges pairs."]
    assert remark in answer.text[answer.claims[-1].end :]


def test_parts_that_all_fail_leave_one_abstention() -> None:
    """The question is then asked as a whole."""
    ask, asked = book({})
    question = "What is BPE and how does RLHF work?"
    answer = answer_parts(ask, question)
    assert answer.abstained and answer.text == "No." and asked[-1] == question


def test_what_two_parts_say_is_said_once() -> None:
    """The same claim on the same quote stands once."""
    ask, _ = book({"BPE": "BPE merges pairs.", "RLHF": "BPE merges pairs."})
    answer = answer_parts(ask, "What is BPE and how does RLHF work?")
    assert answer.text == "BPE merges pairs. [1]"


def test_a_simple_question_is_asked_once_and_as_it_is() -> None:
    """Nothing is added to its trace, and no second search is made."""
    ask, asked = book({"BPE": "BPE merges pairs."})
    assert answer_parts(ask, "What is BPE?", read) == answered(
        "What is BPE?", ("BPE merges pairs.", ("BPE merges pairs.",))
    )
    assert asked == ["What is BPE?"]


def test_a_comparison_asks_for_the_side_that_is_missing() -> None:
    """What one search finds of both sides is enough; else the other side is looked for."""
    question = "What is the difference between BPE and WordPiece?"
    ask, asked = book({"difference": "BPE and WordPiece choose merges differently."})
    assert answer_parts(ask, question).text.startswith("BPE and WordPiece") and len(asked) == 1
    ask, asked = book({"difference": "BPE merges pairs.", "What is WordPiece": "WordPiece scores."})
    answer = answer_parts(ask, question)
    fits(answer)
    assert answer.text == "BPE merges pairs. [1]\nWordPiece scores. [2]"
    assert asked == [question, "What is WordPiece?"]
    ask, asked = book({"difference": "BPE merges pairs."})
    assert answer_parts(ask, question).text == "BPE merges pairs. [1]"


def test_two_steps_by_way_of_a_name() -> None:
    """The description is found first, then what is asked about its name; both are cited."""
    question = "Who directed the film that won the Golden Bear?"
    pages = {
        "Who directed Music Box": "Music Box was directed by Costa-Gavras.",
        "Which film": "In 1990 the film Music Box won the Golden Bear.",
        "Who directed the": "A director is in charge of a film.",
    }
    ask, asked = book(pages)
    answer = answer_parts(ask, question)
    fits(answer)
    assert [claim.text for claim in answer.claims] == [
        pages["Which film"],
        pages["Who directed Music Box"],
    ]
    assert asked[-1] == "Who directed Music Box?"
    ask, _ = book(
        pages | {"Which film": "The film that won the Golden Bear is by Ann Lee or Bo Lin."}
    )
    assert answer_parts(ask, question).claims[0].text == pages["Who directed the"]
    direct = "The film that won the Golden Bear was directed by Costa-Gavras."
    ask, asked = book({"Who directed": direct})
    assert answer_parts(ask, question).text == f"{direct} [1]" and len(asked) == 1


MORE = "How many more parameters does GPT-3 have than GPT-2?"


def test_a_difference_is_computed_and_cited() -> None:
    """One claim, each operand with its quote."""
    ask, _ = book(
        {
            "does GPT-3 have?": "GPT-3 has 175 billion parameters.",
            "does GPT-2 have?": "GPT-2 has 1.5 billion parameters.",
        }
    )
    answer = answer_parts(ask, MORE, read)
    fits(answer)
    assert answer.method is Method.COMPUTED
    assert answer.text == (
        "Difference: 175 billion (GPT-3) − 1.5 billion (GPT-2) = 173.5 billion parameters [1] [2]"
    )
    assert [citation.quote[:5] for citation in answer.citations] == ["GPT-3", "GPT-2"]
    assert Fraction("173.5") == Fraction("175") - Fraction("1.5")


@pytest.mark.parametrize(
    "second",
    ["GPT-2 has 48 layers.", "GPT-2 has 1 billion parameters or 2 billion parameters.", ""],
)
def test_what_is_in_doubt_is_asked_as_it_is(second: str) -> None:
    """A missing or ambiguous amount: the plain answer, and no number of ours."""
    pages = {
        "more": "GPT-3 is far larger than GPT-2.",
        "does GPT-3 have?": "GPT-3 has 175 billion parameters.",
    }
    ask, asked = book(pages | ({"does GPT-2 have?": second} if second else {}))
    answer = answer_parts(ask, MORE, read)
    assert answer.text == "GPT-3 is far larger than GPT-2. [1]" and asked[-1] == MORE


def test_every_language_can_say_that_a_part_is_missing() -> None:
    """English stands in for the others."""
    assert set(PART_NOT_FOUND) == {"en", "zh", "ru", "hu", "de"}
    assert part_not_found("fr", 2, "x {y}") == part_not_found("en", 2, "x {y}")


# -- conversations -------------------------------------------------------------------------------


def test_a_conversation_remembers_what_was_searched() -> None:
    """The third question is completed from the second as searched; a failure is forgotten."""
    ask, asked = book({"GPT-2": "GPT-2 has 48 layers.", "GPT-3": "GPT-3 has 96 layers."})
    conversation = Conversation(lambda question, turns: reply(ask, question, turns))
    conversation.say("How many layers does GPT-3 have?")
    said = conversation.say("And GPT-2?")
    assert (said.asked, said.answer.question) == ("And GPT-2?", "How many layers does GPT-2 have?")
    assert said.answer.trace[0] == "searched, by rule: How many layers does GPT-2 have?"
    with pytest.raises(ValueError, match="broken"):
        _broken(conversation).say("And GPT-4?")
    conversation.say("Who made it?")
    assert asked[-1] == "Who made GPT-2?" and len(conversation.turns) == 3
    conversation.forget()
    conversation.say("Who made it?")
    assert asked[-1] == "Who made it?"


def _broken(conversation: Conversation) -> Conversation:
    """Return a conversation with the same turns that can not answer."""

    def fail(question: str, turns: object) -> object:
        raise ValueError("broken")

    broken = Conversation(fail)  # type: ignore[arg-type]
    broken.turns = conversation.turns
    return broken


def test_citations_are_of_this_turn(zoo: Bench) -> None:
    """What an earlier answer claims is no source: only this turn's search is cited."""
    answerer = zoo.answerer()
    lie = Turn("What does the cat drink?", "The cat drinks petrol [1]. A dog barks at strangers.")
    said = reply(answerer.answer, "And every morning?", [lie])
    check(answerer, replace(said.answer))
    assert "petrol" not in said.answer.text
    assert not re.search("petrol", " ".join(citation.quote for citation in said.answer.citations))
