"""Whether to answer at all: the probability where it was fitted, distance to neutral text else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import answerability, messages, relevance
from rag.analysis import language
from rag.answerability import AnswerabilityModel
from rag.evidence import Gathered
from rag.fusion import NO_BACKGROUND, Background, Retrieval
from rag.logistic import Logistic
from rag.messages import NOT_FOUND, REASONS, abstention
from rag.types import Asking, Evidence, Hit, Passage, Reason
from tests.core.bench import Bench
from tests.core.test_answerer import MILK, QUESTION

# Neutral text: cosine 0.5 on average, deviation 0.1; the index lies level with it.
BACKGROUND = Background({"en": 0.5, "de": 0.5}, 0.1, {"en": 0.5, "de": 0.5}, 0.1)
TERMS = {"cat": 0.4, "milk": 0.3, "morning": 0.2, "drink": 0.1}


def retrieval(
    similarity: float | None, score: float = 0.0, overlap: float = 0.0, passage_language: str = "en"
) -> Retrieval:
    """Return a search with one hit."""
    passage = Passage("p", "d", "s", "t", MILK, 0, len(MILK), None, "", passage_language)
    background = NO_BACKGROUND if similarity is None else BACKGROUND
    return Retrieval(QUESTION, (Hit(passage, 1, score, similarity, overlap),), TERMS, background)


def gathered(found: Retrieval, near: float | None = None) -> Gathered:
    """Return its one sentence, all words of the question equally near to it."""
    passage = found.hits[0].passage
    sentence = Evidence(passage, passage.text, 0, len(passage.text), 1.0)
    overlaps = np.array([0.5], np.float32)
    if near is None:
        return Gathered((sentence,), overlaps)
    two = np.full((1, 2), near, np.float32)
    return Gathered((sentence,), overlaps, overlaps, two, np.array([0.5, 0.5], np.float32))


def judged(found: Retrieval, strictness: float = 0.5, near: float | None = None) -> Reason | None:
    """Return why there is no answer, with an embedder that nothing was fitted for."""
    return relevance.judge(found, gathered(found, near), "en", "other", strictness).reason


@pytest.mark.parametrize(
    ("similarity", "score", "answered"),
    [
        (0.99, 0.0, True),  # 4.9 deviations above neutral text: on the subject whatever the index
        (0.97, 4.4, False),  # 4.7, and it does not stand out
        (0.76, 4.6, True),  # 2.6, and it stands out
        (0.74, 9.0, False),  # 2.4: stands out in an index of other subjects
    ],
)
def test_a_passage_has_to_lie_above_neutral_text(
    similarity: float, score: float, answered: bool
) -> None:
    """Thresholds on either side; strictness has no probability to compare with."""
    found = retrieval(similarity, score)
    for strictness in (0.0, 1.0):
        reason = judged(found, strictness)
        assert reason is (None if answered else Reason.NOTHING_RELEVANT)


def test_across_languages_less_is_enough() -> None:
    """Between languages no words are shared, if the question's language is sure."""
    found = retrieval(0.8, 3.0, passage_language="de")
    assert judged(found) is None
    assert judged(retrieval(0.8, 3.0)) is Reason.NOTHING_RELEVANT
    short = Retrieval("Milk?", found.hits, {"milk": 1.0}, BACKGROUND)
    assert judged(short) is Reason.NOTHING_RELEVANT


@pytest.mark.parametrize(
    ("question", "written_in", "crossing"),
    [
        ("Milk?", "de", False),
        ("Milk?", "ru", True),
        ("Milk?", "zh", True),
        ("什么是嵌入\uff1f", "ru", True),
        ("什么是嵌入\uff1f", "de", True),
        ("什么是 token\uff1f", "en", False),
        ("Что это?", "uk", False),
        ("Milk?", "en", False),
    ],
)
def test_a_short_question_in_other_letters_is_in_another_language(
    question: str, written_in: str, crossing: bool
) -> None:
    """Of a few words the script may be certain where the language is not."""
    found = retrieval(0.8, passage_language=written_in)
    asked = Retrieval(question, found.hits, {"milk": 1.0}, BACKGROUND)
    assert relevance.across(asked, "en" if question == "Milk?" else "zh") is crossing


@pytest.mark.parametrize(("overlap", "answered"), [(0.31, True), (0.29, False)])
def test_without_vectors_words_decide(overlap: float, answered: bool) -> None:
    """The share of the question's weight that a passage has."""
    assert (judged(retrieval(None, overlap=overlap)) is None) is answered


def test_nothing_found_is_nothing_relevant() -> None:
    """No hits, or hits without a sentence."""
    empty = Retrieval(QUESTION, (), TERMS, BACKGROUND)
    nothing = Gathered((), np.empty(0, np.float32))
    for found in (empty, retrieval(0.99)):
        told = relevance.judge(found, nothing, "en", "other", 0.0)
        assert told.reason is Reason.NOTHING_RELEVANT and told.note == "no passage was found"


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model worked by hand: p = 1 / (1 + exp(−(4 · near_two − 2))); another across languages."""
    model = AnswerabilityModel(
        Logistic(-2.0, {"near_two": 4.0}), Logistic(5.0, {"near_two": 0.0}), "fitted"
    )
    monkeypatch.setattr(answerability, "load_model", lambda: model)


@pytest.mark.usefixtures("fitted")
def test_the_probability_is_compared_with_the_strictness() -> None:
    """near_two .75 gives 1 / (1 + e⁻¹) = .731: answered at .73, not at .74."""
    found = retrieval(0.99)
    for strictness, reason in ((0.73, None), (0.74, Reason.NOT_ANSWERED), (0.0, None)):
        told = relevance.judge(found, gathered(found, 0.75), "en", "fitted", strictness)
        assert told.reason is reason
        assert told.note == (
            f"the passages answer with probability 0.73; {strictness:.2f} is wanted"
        )


@pytest.mark.usefixtures("fitted")
def test_the_reason_is_what_is_missing() -> None:
    """The subject is there and not the answer, or not even the subject (under 4 deviations)."""
    for similarity, reason in ((0.91, Reason.NOT_ANSWERED), (0.89, Reason.NOTHING_RELEVANT)):
        found = retrieval(similarity)
        told = relevance.judge(found, gathered(found, 0.1), "en", "fitted", 0.5)
        assert told.reason is reason


@pytest.mark.usefixtures("fitted")
def test_another_embedder_and_another_language_have_their_own_rule() -> None:
    """What was fitted with one model's cosines says nothing of another's."""
    found = retrieval(0.99)
    assert judged(found, 1.0, near=0.0) is None
    german = retrieval(0.99, passage_language="de")
    assert relevance.judge(german, gathered(german, 0.0), "en", "fitted", 0.9).reason is None


@pytest.mark.usefixtures("fitted")
@pytest.mark.parametrize(
    ("question", "asked_in", "written_in", "answered"),
    [
        ("What is milk?", "en", "en", True),
        ("What is a milk crate?", "en", "en", True),
        ("What is a pod?", "en", "en", False),
        ("Was ist ein Pod?", "de", "en", True),  # which may be called otherwise there
        ("Where is a pod?", "en", "en", True),
        ("What is >>>?", "en", "en", True),  # no word
        ("What is the price?", "en", "en", True),  # it may be called a cost
    ],
)
def test_a_name_that_no_passage_has_is_not_explained(
    question: str, asked_in: str, written_in: str, answered: bool
) -> None:
    """However probable it seems; in another language it may have another name."""
    found = replace(retrieval(0.99, passage_language=written_in), question=question)
    told = relevance.judge(found, gathered(found, 1.0), asked_in, "fitted", 0.5)
    assert (told.reason is None) is answered
    assert answered or (told.reason, told.note) == (
        Reason.NOTHING_RELEVANT,
        "no passage names 'pod'",
    )


@pytest.mark.usefixtures("fitted")
@pytest.mark.parametrize(
    ("text", "strictness", "answered"),
    [
        ("A pod is a shell for beans.", 0.79, True),
        ("A pod is a shell for beans.", 0.81, False),
        ("Each pod has beans in it.", 0.79, False),
    ],
)
def test_what_explains_a_name_answers(text: str, strictness: float, answered: bool) -> None:
    """As probably as it did where that was counted, however little the question says."""
    passage = Passage("p", "d", "s", "t", text, 0, len(text), None, "", "en")
    hit = Hit(passage, 1, 0.0, 0.99, 0.0)
    found = Retrieval("What is a pod?", (hit,), {"pod": 1.0}, BACKGROUND)
    reason = relevance.judge(found, gathered(found, 0.0), "en", "fitted", strictness).reason
    assert (reason is None) is answered


@pytest.mark.usefixtures("fitted")
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_stricter_never_answers_more(near: float, low: float, high: float) -> None:
    """What is refused at one strictness is refused at all above it."""
    low, high = sorted((low, high))
    found = retrieval(0.9)
    reasons = [
        relevance.judge(found, gathered(found, near), "en", "fitted", strictness).reason
        for strictness in (low, high)
    ]
    assert reasons[0] is None or reasons[1] is not None


# -- what is said then ---------------------------------------------------------------------------


def test_each_reason_has_its_sentence() -> None:
    """In en zh ru hu de; in other languages the general one, which is true for all."""
    for code in ("en", "zh", "ru", "hu", "de"):
        said = {abstention(code, reason) for reason in Reason}
        assert len(said) == len(Reason)
        assert {language(text) for text in said} == {code}
    for code in set(NOT_FOUND) - set(REASONS[Reason.NOT_ANSWERED]):
        assert {abstention(code, reason) for reason in Reason} == {NOT_FOUND[code]}
    assert abstention("xx", Reason.SOURCES_DISAGREE) == abstention("en", Reason.SOURCES_DISAGREE)
    assert set(REASONS) == set(Reason) - {Reason.NOTHING_RELEVANT}
    assert messages.FALLBACK == "en"


def test_an_answer_says_its_reason(zoo: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence of the answer is that of its reason, in the question's language."""
    told = relevance.Relevance(Reason.NOT_ANSWERED, "told")
    monkeypatch.setattr("rag.answerer.judge", lambda *given: told)
    for question, code in ((QUESTION, "en"), ("Was trinkt die Katze jeden Morgen?", "de")):
        answer = zoo.answerer().answer(question, asking=Asking(0.5))
        assert answer.reason is Reason.NOT_ANSWERED and answer.claims == ()
        assert answer.text == abstention(code, Reason.NOT_ANSWERED)
