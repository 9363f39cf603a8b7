"""An answer that comes claim by claim is the answer that comes whole, and nothing is taken back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.build import event_responder, responder
from rag.citations import claimed, whole
from rag.dialogue import Conversation, Reply, Replying, reply_events
from rag.errors import GenerationError
from rag.followup import Turn
from rag.harder import answer_events
from rag.protocols import Decoding, Message, TextStream
from rag.stopping import Stopped, stoppable
from rag.testing import ScriptedGenerator
from rag.types import Answer, Asking, Claimed, Event, Events, Method, Reason
from rag.views import answer_view
from tests.core.bench import Bench
from tests.core.test_answerer import MILK, QUESTION, check
from tests.core.test_harder import abstaining, answered

Script = Sequence[str] | Callable[[Sequence[Message]], str]
SLEEP = "Cats sleep for most of the day."
PREY = "The cat hunts mice in the barn at night."


@pytest.fixture(scope="module")
def cats(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Documents of which three sentences bear on the question; four are shown to the generator."""
    bench = Bench(tmp_path_factory.mktemp("cats"), settings={"evidence": 4})
    (bench.place / "docs").mkdir()
    bench.write(
        {
            "cats.md": f"# Cats\n\n{MILK} {SLEEP}\n",
            "barn.md": f"# The barn\n\n{PREY}\n",
            "rivers.txt": "The Danube flows through ten countries and ends in the Black Sea.\n",
            "music.txt": "A string quartet has two violins, one viola and one cello.\n",
        }
    )
    bench.ingest()
    return bench


def same(events: Sequence[Event], answer: Answer) -> None:
    """Check that events tell the answer, all of it, in order, and nothing besides."""
    *claims, last = events
    assert isinstance(last, Answer) and replace(last, timings={}) == replace(answer, timings={})
    told = [event for event in claims if isinstance(event, Claimed)]
    assert len(told) == len(claims)
    assert tuple(event.claim for event in told) == answer.claims
    assert sum((event.citations for event in told), ()) == answer.citations
    assert "".join(event.text for event in told) == ("" if answer.abstained else answer.text)
    known: set[int] = set()
    for event in told:
        known |= {citation.n for citation in event.citations}
        assert set(event.claim.citations) <= known


def both(bench: Bench, script: Script, question: str = QUESTION) -> Answer:
    """Ask twice, claim by claim and whole; return the answer, which must be the same."""
    streamed = list(bench.answerer(ScriptedGenerator(script)).events(question))
    answerer = bench.answerer(ScriptedGenerator(script))
    answer = answerer.answer(question)
    same(streamed, answer)
    check(answerer, answer)
    return answer


@pytest.mark.parametrize(
    ("script", "claims"),
    [
        ([f"{MILK} {SLEEP}"], [MILK, SLEEP]),
        (["The cat drinks cold milk every morning [1]. Cats sleep for most of the day. [9]"], None),
        ([f"{MILK} Cats are made of cheese and glass.", "Nothing."], None),
        ([f"Cats are made of cheese and glass. {MILK}", SLEEP], None),
        (["Cats are made of cheese."], None),
        ([""], None),
    ],
)
def test_claim_by_claim_is_whole(cats: Bench, script: Script, claims: list[str] | None) -> None:
    """Several claims, invented markers, repaired and dropped ones, none at all."""
    answer = both(cats, script)
    assert claims is None or [claim.text for claim in answer.claims] == claims


def test_an_abstention_is_one_event(cats: Bench) -> None:
    """Its sentence is in the answer alone: it claims nothing."""
    answer = both(cats, [MILK], "Who won the chess championship?")
    assert answer.reason is Reason.NOTHING_RELEVANT
    assert list(claimed(answer)) == []


@pytest.mark.slow
def test_disagreeing_sources_come_like_all_else(bench: Bench) -> None:
    """Both sides are claims, the disagreement is in the answer and names their citations."""
    bench.write(
        {
            "a.txt": "The old bridge over the river was built in 1931 by Italian masons.\n",
            "b.txt": "The old bridge over the river was built in 1954 by Italian masons.\n",
        }
    )
    bench.ingest()
    question = "When was the old bridge over the river built by Italian masons?"
    answer = both(bench, ["The old bridge was built in 1931."], question)
    (conflict,) = answer.conflicts
    assert answer.method is Method.QUOTED
    quotes = [answer.citations[n - 1].quote for n in conflict.citations]
    assert all(says in quote for says, quote in zip(conflict.says, quotes, strict=True))
    assert {"1931", "1954"} == set(conflict.says)
    strict = bench.answerer().answer(question, asking=Asking(0.9))
    assert strict.reason is Reason.SOURCES_DISAGREE and "disagree" in strict.text


SENTENCES = (
    MILK,
    "The cat drinks cold milk every morning [1].",
    "The cat drinks cold milk every morning. [2]",
    "Cats sleep for most of the day [99].",
    f"{PREY} [1] [2]",
    "The cat drinks 3 litres of cold milk every morning [1].",
    "The cat never drinks cold milk [1].",
    "Cats are made of cheese and glass.",
    "Dr. Smith of the U.S. agrees, e.g. on No. 5.",
    "[7]",
    "猫每天早上喝牛奶。[1]",
    "Is it so? Yes!",
    "- a list\n- of things\n",
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(SENTENCES), max_size=6).map(" ".join),
    st.sampled_from(["", MILK, "Cats are made of wood.", PREY]),
    st.sampled_from([12, 96]),
)
def test_whatever_is_drafted(cats: Bench, draft: str, rewritten: str, tokens: int) -> None:
    """Any sequence of supported, unsupported and falsely cited sentences, cut off or not."""
    short = replace(cats, settings=cats.settings | {"max_answer_tokens": tokens})
    answer = both(short, [draft, rewritten])
    assert not answer.abstained and "cheese" not in answer.text and "99" not in answer.text


# -- several searches ----------------------------------------------------------------------------

PARTS = "What is BPE and how does RLHF work?"


def pages(found: dict[str, tuple[str, ...]]) -> Callable[[str], Events]:
    """Return what answers with the claims whose key the question has, one by one."""

    def events(question: str) -> Events:
        texts = next((texts for key, texts in found.items() if key in question), ())
        claims = [(text, (text,)) for text in texts]
        answer = answered(question, *claims) if claims else abstaining(question)
        yield from claimed(answer)
        yield answer

    return events


@pytest.mark.parametrize(
    "found",
    [
        {"BPE": ("BPE merges pairs.", "It is fast."), "RLHF": ("RLHF learns.",)},
        {"BPE": ("BPE merges pairs.",)},
        {"RLHF": ("RLHF learns.", "From people.")},
        {},
    ],
)
def test_parts_come_when_they_are_put_together(found: dict[str, tuple[str, ...]]) -> None:
    """Numbers and places are those of the joined answer; remarks come with the claims."""
    events = list(answer_events(pages(found), PARTS))
    same(events, whole(iter(events)))
    assert len(events) == 1 + sum(map(len, found.values()))


def test_a_simple_question_is_not_held_back() -> None:
    """Its first claim comes before the second is made."""
    made: list[str] = []

    def events(question: str) -> Events:
        for event in pages({"BPE": ("BPE merges pairs.", "It is fast.")})(question):
            made.append(type(event).__name__)
            yield event

    answering = answer_events(events, "What is BPE?")
    assert isinstance(next(answering), Claimed) and made == ["Claimed"]
    answering.close()


def test_a_follow_up_is_told_like_any_other() -> None:
    """Its claims first; the completed question is in the reply."""
    history = [Turn("What is BPE?", "BPE merges pairs.")]
    *claims, said = reply_events(pages({"RLHF": ("RLHF learns.",)}), "And RLHF?", history)
    assert isinstance(said, Reply) and said.asked == "And RLHF?"
    assert said.answer.trace[0].startswith("searched, by rule:")
    same([*claims, said.answer], said.answer)  # type: ignore[list-item]


@pytest.mark.slow
def test_streamed_whole_and_stored_are_one(cats: Bench) -> None:
    """The reply of a conversation, the last event, and what is read back from its JSON."""
    from api.schemas import AnswerOut  # here: it takes long to import

    for question in (QUESTION, f"{QUESTION[:-1]} and what does the cat hunt in the barn?", "Why?"):
        answerer = cats.answerer(ScriptedGenerator([f"{MILK} {SLEEP}"]))
        *claims, last = event_responder(answerer)(question, [])
        assert isinstance(last, Reply)
        same([*claims, last.answer], last.answer)  # type: ignore[list-item]
        answerer = cats.answerer(ScriptedGenerator([f"{MILK} {SLEEP}"]))
        conversation = Conversation(responder(answerer))
        said = conversation.say(question)
        views = [answer_view(item.answer, item.asked) | {"timings": {}} for item in (last, said)]
        assert views[0] == views[1]
        stored = json.dumps(views[0], ensure_ascii=False)
        assert AnswerOut.model_validate_json(stored).model_dump(mode="json") == views[0]
        assert conversation.turns[-1].answer == ("" if said.answer.abstained else said.answer.text)


# -- giving up -----------------------------------------------------------------------------------


class Endless(ScriptedGenerator):
    """Says its script, then words without end; tells when it was closed."""

    def __init__(self, script: str) -> None:
        super().__init__([script])
        self.pieces = 0
        self.closed = False

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the script a word at a time, then go on."""
        try:
            for word in super().stream(messages, decoding):
                self.pieces += 1
                yield word
            while True:
                self.pieces += 1
                yield "and "
        finally:
            self.closed = True


def test_closing_stops_the_generator(cats: Bench) -> None:
    """After the first claim, at once: nothing more is written."""
    generator = Endless(f"{MILK} And then ")
    answering = cats.answerer(generator).events(QUESTION)
    assert isinstance(next(answering), Claimed)
    written = generator.pieces
    answering.close()
    assert generator.closed and generator.pieces == written


def test_closing_a_reply_stops_the_generator(cats: Bench) -> None:
    """Through all that stands between a surface and the model."""
    generator = Endless(f"{MILK} And then ")
    replying: Replying = event_responder(cats.answerer(generator))(QUESTION, [])
    assert isinstance(next(replying), Claimed)
    replying.close()
    assert generator.closed


def test_a_generator_that_writes_no_claim_can_be_stopped(cats: Bench) -> None:
    """From outside, between two pieces; the answer ends with `Stopped`, not with a quote."""
    generator = Endless("Once ")
    answerer = stoppable(cats.answerer(generator), lambda: generator.pieces >= 20)
    with pytest.raises(Stopped):
        answerer.answer(QUESTION)
    assert generator.closed and generator.pieces == 20
    assert stoppable(cats.answerer(), lambda: True).answer(QUESTION).method is Method.QUOTED


@pytest.mark.slow
def test_a_stoppable_generator_is_the_generator(cats: Bench) -> None:
    """Until it is stopped: its window, its languages, its drafts, and what it says of a cut."""
    plain, wrapped = (ScriptedGenerator([f"{MILK} {SLEEP}"], frozenset({"en"})) for _ in range(2))
    answers = [
        cats.answerer(plain).answer(QUESTION),
        stoppable(cats.answerer(wrapped), lambda: False).answer(QUESTION),
    ]
    assert replace(answers[0], timings={}) == replace(answers[1], timings={})
    assert plain.prompts == wrapped.prompts
    with pytest.raises(GenerationError):
        stoppable(cats.answerer(Failing()), lambda: False).answer(QUESTION)


class Failing(ScriptedGenerator):
    """Fails when asked to write."""

    def __init__(self) -> None:
        super().__init__([""])

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Raise."""
        raise GenerationError("the generator stopped")
