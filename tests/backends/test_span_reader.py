"""Readers: the contract, on the fake and on a tiny random encoder; the rest on that encoder."""

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

from rag.backends.span_reader import PairTokenizer, SpanReader
from rag.errors import ModelError
from rag.models import weights_hash
from rag.models.adapter import Adapter
from rag.protocols import Reader
from rag.testing import OverlapReader
from tests.backends.toys import save_encoder

DIM = 16
MATRIX = "encoder.layer.0.attention.self.query"
PASSAGES = ["It was built in 1998.", "", " \n ", "它建于1998年。", "Építették 1998-ban. " * 40, "x"]
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder."""
    return save_encoder(tmp_path_factory.mktemp("encoder"), DIM)


def adapter(folder: Path, **changed: object) -> Adapter:
    """Return an adapter with a random head for the encoder in a folder."""
    head = np.random.default_rng(0).normal(size=(2, DIM)).astype(np.float32)
    heads = {"span.weight": head, "span.bias": np.zeros(2, np.float32)}
    values = {"changes": {}, "heads": heads, "weights": weights_hash(folder), **changed}
    return Adapter("toy", "example/tiny", **values)  # type: ignore[arg-type]


@pytest.fixture(params=["overlap", "encoder"])
def reader(request: pytest.FixtureRequest, folder: Path) -> Reader:
    """Each reader that there is."""
    if request.param == "overlap":
        return OverlapReader()
    return SpanReader(folder, adapter(folder), "cpu")


def test_there_is_a_reading_for_each_passage_in_order(reader: Reader) -> None:
    """Read together or one by one, a passage is read the same; a long one as a whole."""
    together = reader.read("When was it built?", PASSAGES)
    assert len(together) == len(PASSAGES)
    for passage, reading in zip(PASSAGES, together, strict=True):
        [alone] = reader.read("When was it built?", [passage])
        assert (alone.start, alone.end) == (reading.start, reading.end)
        assert alone.null == pytest.approx(reading.null, abs=1e-4)


def test_spans_lie_in_the_passage_and_quote_something(reader: Reader) -> None:
    """Half-open code points, nothing blank at the ends; nothing at all where all is blank."""
    for passage, reading in zip(PASSAGES, reader.read("When?", PASSAGES), strict=True):
        said = passage[reading.start : reading.end]
        assert said == said.strip()
        assert bool(said) == bool(passage.strip())
        assert math.isinf(reading.null) == (not said)
        assert reading.score <= 0


def test_nothing_to_read_is_no_error(reader: Reader) -> None:
    """No passages, no readings; a question without a word or without an end is read too."""
    assert reader.read("When?", []) == []
    assert len(reader.read("", ["A."])) == 1
    assert len(reader.read("why " * 2000, ["A."])) == 1


def test_the_scores_are_those_of_the_plain_model(folder: Path) -> None:
    """The null of a passage, from transformers alone with the same head."""
    learnt = adapter(folder)
    [window] = PairTokenizer(folder, "").windows("When?", ["1998年"])[0]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([window.ids])).last_hidden_state[0].numpy()
    starts, ends = (hidden @ learnt.heads["span.weight"].T).T
    rows = range(window.first, len(window.ids) - 1)
    best = max(starts[i] + ends[j] for i in rows for j in rows if i <= j < i + 40)
    [reading] = SpanReader(folder, learnt, "cpu").read("When?", ["1998年"])
    assert reading.null == pytest.approx(float(starts[0] + ends[0] - best), abs=1e-4)


def test_a_change_is_added_to_its_matrix(folder: Path) -> None:
    """The encoder with the sum in its file reads as the adapter on the untouched one does."""
    change = np.random.default_rng(1).normal(size=(DIM, DIM)).astype(np.float32)
    plain = SpanReader(folder, adapter(folder), "cpu")
    changed = SpanReader(folder, adapter(folder, changes={MATRIX: change}), "cpu")
    before = dict(plain._model.named_parameters())[f"{MATRIX}.weight"].detach().numpy()
    after = dict(changed._model.named_parameters())[f"{MATRIX}.weight"].detach().numpy()
    assert np.allclose(after - before, change, atol=1e-6)
    one, other = (r.read("When?", ["In 1998."])[0] for r in (plain, changed))
    assert one.null != pytest.approx(other.null, abs=1e-4)


def test_an_adapter_for_other_weights_is_refused(folder: Path) -> None:
    """Before anything is loaded, with what to do about it."""
    with pytest.raises(ModelError, match="other weights"):
        SpanReader(folder, adapter(folder, weights="abc"), "cpu")


def test_an_adapter_that_does_not_fit_is_refused(folder: Path) -> None:
    """A matrix that the model has not, one of another shape, and no head."""
    for name, shape in (("encoder.layer.9.output.dense", (4, 4)), (MATRIX, (4, 4))):
        learnt = adapter(folder, changes={name: np.zeros(shape, np.float32)})
        with pytest.raises(ModelError, match="has not"):
            SpanReader(folder, learnt, "cpu")
    with pytest.raises(ModelError, match="span"):
        SpanReader(folder, adapter(folder, heads={}), "cpu")
