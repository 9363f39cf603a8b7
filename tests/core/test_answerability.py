"""What the probability of an answer is made of, worked by hand."""

import numpy as np
import pytest

from rag import answerability
from rag.answerability import FEATURES, AnswerabilityModel, features, load_model, probability
from rag.evidence import Gathered, gather
from rag.fusion import Background, Retrieval
from rag.logistic import Logistic
from rag.testing import HashEmbedder
from rag.types import Evidence, Hit, Passage
from tests.core.bench import Bench

TEXT = "The cat drinks milk. It has 9 lives. Dogs bark."
BACKGROUND = Background({"en": 0.3}, 0.1, {"en": 0.2}, 0.05)
SENTENCES = ((0, 20), (21, 36), (37, 47))


def retrieval(question: str, weights: dict[str, float]) -> Retrieval:
    """Return a search that found one passage of three sentences."""
    passage = Passage("p", "d", "s", "t", TEXT, 0, len(TEXT), None, "", "en")
    return Retrieval(question, (Hit(passage, 1, 3.5, 0.6, 0.5),), weights, BACKGROUND)


def gathered(found: Retrieval, nearness: list[list[float]], weights: list[float]) -> Gathered:
    """Return its sentences with the nearness of each of the question's words to each."""
    passage = found.hits[0].passage
    items = tuple(Evidence(passage, TEXT[a:b], a, b, 3.5) for a, b in SENTENCES)
    zeros = np.zeros(3, np.float32)
    near, counts = np.array(nearness, np.float32), np.array(weights, np.float32)
    return Gathered(items, zeros, zeros, near, counts)


def test_features_by_hand() -> None:
    """Two words of weights .75 and .25; the sentence before counts with each sentence.

    topic (.3 − .2) / .05 = 2. overlap_two: "cat" and "9" stand in neighbours, "zebra" nowhere.
    near_two: max(.75 · .8 + .25 · .2, .75 · .8 + .25 · 1, .75 · .1 + .25 · 1) = .85. near_worst:
    the worst quarter of two words is one: the best for it is .8.
    """
    found = retrieval("Has the cat 9 lives?", {"cat": 0.5, "9": 0.3, "zebra": 0.2})
    values = features(found, gathered(found, [[0.8, 0.2], [0.1, 1.0], [0.0, 0.3]], [0.75, 0.25]))
    expected = {
        "topic": 2.0,
        "stands_out": 3.5,
        "overlap_two": 0.8,
        "near_two": 0.85,
        "near_worst": 0.8,
        "heaviest_found": 0.8,
        "number_missing": 0.0,
        "number_wanted": 0.0,
    }
    assert set(values) == set(FEATURES)
    assert values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("question", "row", "wanted"),
    [
        ("How many lives has the cat?", 1, 0.0),
        ("How many lives has the cat?", 0, 1.0),
        ("Wie viele Leben hat die Katze?", 0, 1.0),
        ("Сколько жизней у кошки?", 0, 1.0),
        ("Hány élete van a macskának?", 0, 1.0),
        ("猫有多少条命？", 0, 1.0),
        ("Who drinks milk?", 0, 0.0),
    ],
)
def test_a_number_that_is_asked_for(question: str, row: int, wanted: float) -> None:
    """1 where one is asked for in any of five languages and the nearest two sentences have none."""
    found = retrieval(question, {"cat": 1.0})
    nearness = [[1.0 if i == row else 0.0] for i in range(3)]
    assert features(found, gathered(found, nearness, [1.0]))["number_wanted"] == wanted


def test_a_number_of_the_question_that_is_nowhere() -> None:
    """ "9" is in the passage, "17" is not."""
    for number, missing in (("9", 0.0), ("17", 1.0)):
        found = retrieval(f"Has the cat {number} lives?", {"cat": 0.5, number: 0.5})
        values = features(found, gathered(found, [[0.1]] * 3, [1.0]))
        assert values["number_missing"] == missing


def test_features_of_a_search_with_the_hash_embedder(zoo: Bench) -> None:
    """What answers has all its words in the passage; what does not has not."""
    retriever = zoo.retriever()
    values = []
    for question in ("Does the cat drink cold milk every morning?", "Who won at chess in 1987?"):
        found = retriever.search(question, 3)
        values.append(features(found, gather(found, HashEmbedder())))
    answered, other = values
    assert all(set(each) == set(FEATURES) for each in values)
    for name in ("stands_out", "overlap_two", "near_two", "near_worst"):
        assert answered[name] > other[name], name
    assert answered["overlap_two"] > 0.6 and other["number_missing"] == 1.0


def test_each_language_pair_has_its_model() -> None:
    """By hand: logit 0 is one half, logit ln 3 is three quarters."""
    model = AnswerabilityModel(
        Logistic(-1.0, {"near_two": 2.0}), Logistic(float(np.log(3)), {}), "e"
    )
    assert probability(model, {"near_two": 0.5, "topic": 9.0}, across=False) == pytest.approx(0.5)
    assert probability(model, {}, across=True) == pytest.approx(0.75)
    with pytest.raises(KeyError):
        probability(model, {}, across=False)


def test_the_shipped_model_weighs_features_that_there_are() -> None:
    """All that it weighs is computed, and it names the embedder that it was fitted with."""
    model = load_model()
    for part in (model.same, model.across):
        assert set(part.coefficients) <= set(FEATURES)
    assert model.embedder == "intfloat/multilingual-e5-small"
    assert answerability.load_model() is model
