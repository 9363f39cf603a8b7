"""The verifier over cross-encoders, on tiny random models: what its numbers are made of."""

import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("sentence_transformers")

from rag.backends.cross_encoder import (
    CrossEncoderVerifier,
    Labels,
    _judgement,
    read_labels,
)
from rag.errors import ModelError
from rag.types import Judgement, Verdict
from tests.backends.toys import save_cross_encoder

NLI = ("entailment", "neutral", "contradiction")
CLAIM = "It is tall."
PAIRS = [("A tower.", CLAIM), ("It is 3 m tall.", CLAIM), ("猫在睡觉。", "Кошка."), ("Yes", "No")]
LONG = "The tower stands here. It was built early. Its wall is thick. Nobody has seen it. " * 3
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoderVerifier:
    folder = save_cross_encoder(tmp_path_factory.mktemp("nli"), NLI)
    return CrossEncoderVerifier("toy/nli", folder, "cpu")


def probabilities(folder: Path, premise: str, hypothesis: str) -> np.ndarray:
    """Return the softmax that transformers alone gives for one pair, in float64."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits[0]
    return torch.softmax(logits.double(), 0).numpy()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_labels_count_by_name_in_any_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    """The same weights with their outputs in another order come to the same judgements."""
    folder = save_cross_encoder(tmp_path, NLI, order)
    found = CrossEncoderVerifier("toy", folder, "cpu").judge(PAIRS)
    for (premise, hypothesis), judgement in zip(PAIRS, found, strict=True):
        shares = probabilities(folder, premise, hypothesis)
        support, against = shares[order.index(0)], shares[order.index(2)]
        assert judgement.score == pytest.approx(support, abs=1e-3)
        assert judgement.verdict is _judgement(np.array([support]), np.array([against])).verdict
    assert len({judgement.verdict for judgement in found}) > 1


def test_a_single_logit_goes_through_a_sigmoid(tmp_path: Path) -> None:
    """A reranker's score is no probability yet, whatever activation its configuration names."""
    folder = save_cross_encoder(tmp_path, ("LABEL_0",))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        logit = float(model(**tokenizer(*PAIRS[0], return_tensors="pt")).logits[0, 0])
    (found,) = CrossEncoderVerifier("toy", folder, "cpu").judge(PAIRS[:1])
    assert found.score == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)


def test_the_best_window_of_a_long_premise_counts(nli: CrossEncoderVerifier) -> None:
    """A premise beyond the window is read in parts that lose nothing, and each is judged."""
    parts = nli._windows(LONG, CLAIM)
    assert len(parts) > 4
    assert all(nli._length(part, CLAIM) <= 64 for part in parts)
    assert all(any(word in part for part in parts) for word in LONG.split())
    (whole,) = nli.judge([(LONG, CLAIM)])
    singly = nli.judge([(part, CLAIM) for part in parts])
    assert whole.score == pytest.approx(max(j.score for j in singly), abs=1e-3)


def test_what_stands_at_the_end_counts(nli: CrossEncoderVerifier) -> None:
    """Words behind any number of windows can still decide."""
    scores = [nli.judge([(f"{LONG} {last}", CLAIM)])[0].score for last in ("It is tall.", "Sí.")]
    best = nli.judge([(LONG, CLAIM)])[0].score
    assert max(scores) >= best - 1e-3
    assert "Sí." in nli._windows(f"{LONG} Sí.", CLAIM)[-1]


def test_a_batch_is_judged_like_its_pairs(nli: CrossEncoderVerifier) -> None:
    """Padding and order change nothing; long and empty premises may stand among others."""
    pairs = [*PAIRS, (LONG, CLAIM), ("", CLAIM), *PAIRS[::-1], ("A.", " \n")]
    together = nli.judge(pairs)
    for pair, judgement in zip(pairs, together, strict=True):
        (alone,) = nli.judge([pair])
        assert alone.verdict is judgement.verdict
        assert alone.score == pytest.approx(judgement.score, abs=2e-3)
    assert nli.judge([]) == []


@pytest.mark.parametrize(("premise", "hypothesis"), [("", CLAIM), ("A tower.", ""), (" \n", CLAIM)])
def test_nothing_supports_nothing(nli: CrossEncoderVerifier, premise: str, hypothesis: str) -> None:
    """An empty premise or hypothesis is unsupported, and no model is asked."""
    assert nli.judge([(premise, hypothesis)]) == [Judgement(Verdict.UNSUPPORTED, 0.0)]


def test_a_claim_too_long_to_read_is_unsupported(
    nli: CrossEncoderVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    """What is not read in full is not supported, and the log says so."""
    assert nli.judge([("A tower.", "word " * 20)]) == [Judgement(Verdict.UNSUPPORTED, 0.0)]
    assert "can not read a claim of 100 characters" in caplog.text


def test_threads_share_a_verifier(nli: CrossEncoderVerifier) -> None:
    """Judging from several threads at once gives what judging in one gives."""
    pairs = [*PAIRS, (LONG, CLAIM)]
    expected, found = nli.judge(pairs), []
    threads = [threading.Thread(target=lambda: found.append(nli.judge(pairs))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@pytest.mark.parametrize(
    ("support", "against", "verdict", "score"),
    [
        ([0.5], [0.5], Verdict.SUPPORTED, 0.5),
        ([0.1, 0.9], [0.9, 0.0], Verdict.SUPPORTED, 0.9),
        ([0.3, 0.1], [0.2, 0.6], Verdict.CONTRADICTED, 0.3),
        ([0.3, 0.1], [0.2, 0.4], Verdict.PARTIAL, 0.3),
        ([0.2, 0.1], [0.2, 0.4], Verdict.UNSUPPORTED, 0.2),
        ([], [], Verdict.UNSUPPORTED, 0.0),
    ],
)
def test_windows_come_to_one_verdict(
    support: list[float], against: list[float], verdict: Verdict, score: float
) -> None:
    """By hand: support anywhere, else contradiction anywhere, else how near support came."""
    assert _judgement(np.array(support), np.array(against)) == Judgement(verdict, score)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("contradiction", "entailment", "neutral"), Labels(1, 0)),
        (("ENTAILMENT", "NEUTRAL", "CONTRADICTION"), Labels(0, 2)),
        (("entailment", "not_entailment"), Labels(0, None)),
        (("Not Entailment", "Entailment"), Labels(1, None)),
        (("SUPPORTS", "REFUTES", "NOT ENOUGH INFO"), Labels(0, 1)),
        (("unsupported", "supported"), Labels(1, None)),
        (("LABEL_0",), Labels(0, None)),
        (("anything",), Labels(0, None)),
    ],
)
def test_labels_are_read_from_their_names(names: tuple[str, ...], labels: Labels) -> None:
    """As published models name them, in any case and order."""
    assert read_labels(dict(enumerate(names)), "m") == labels


@pytest.mark.parametrize(
    "names", [("LABEL_0", "LABEL_1"), ("positive", "negative"), ("entailment", "entailed")]
)
def test_labels_that_tell_nothing(names: tuple[str, ...]) -> None:
    """A model whose outputs can not be told apart is refused, with their names."""
    with pytest.raises(ModelError, match=f"m has the labels {', '.join(names)}; expected one for"):
        read_labels(dict(enumerate(names)), "m")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    """What does not load is one of our errors, and names the folder."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="could not be loaded as a verifier"):
        CrossEncoderVerifier("none", tmp_path, "cpu")
