"""The embedder, on a network of random weights with one layer."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.backends import device, embedder
from rag.backends.embedder import SentenceTransformerEmbedder, plan_batches
from rag.errors import ConfigError, ModelError
from rag.models import e5
from tests.models.e5_file import HIDDEN, POSITIONS, e5_file

torch = pytest.importorskip("torch")

TEXTS = ["ab", "a b ab a", "b", "", "ab ab ab", "a a"]


@pytest.fixture(scope="module")
def float32() -> Iterator[None]:
    """In bfloat16, where the machine has it, vectors depend on their batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedder, "pick_dtype", lambda device: torch.float32)
        yield


@pytest.fixture(scope="module")
def folder(float32: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embedder")
    (root / "source").write_bytes(e5_file())
    (root / "model").mkdir()
    e5.convert(root / "source", root / "model")
    return root / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder("tiny", folder, device="cpu", batch_tokens=24)


def without_prompts(folder: Path, target: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "config_sentence_transformers.json":
            copy = target / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return target


def test_vectors_have_unit_length_in_float32(model: SentenceTransformerEmbedder) -> None:
    """One row for each text, and an empty list is no error."""
    vectors = model.embed_passages(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), HIDDEN) == (len(TEXTS), model.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert model.embed_passages([]).shape == (0, HIDDEN)


def test_order_and_values_do_not_depend_on_batches(
    model: SentenceTransformerEmbedder, folder: Path
) -> None:
    """A text alone, in small batches, or in one large batch has the same vector."""
    together = model.embed_passages(TEXTS)
    alone = np.concatenate([model.embed_passages([text]) for text in TEXTS])
    large = SentenceTransformerEmbedder("tiny", folder, device="cpu").embed_passages(TEXTS)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, large, atol=1e-5)


def test_vectors_are_those_of_sentence_transformers(
    model: SentenceTransformerEmbedder, folder: Path
) -> None:
    """The library's own encode, given the prompts, computes the same."""
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(folder), device="cpu")
    passages = reference.encode(TEXTS, prompt_name="passage")
    np.testing.assert_allclose(model.embed_passages(TEXTS), passages, atol=1e-5)
    queries = reference.encode(TEXTS, prompt_name="query")
    np.testing.assert_allclose(model.embed_queries(TEXTS), queries, atol=1e-5)


def test_bfloat16_gives_float32_of_unit_length(
    model: SentenceTransformerEmbedder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The norm is made good in float32, and the direction is nearly the same."""
    monkeypatch.setattr(embedder, "pick_dtype", lambda device: torch.bfloat16)
    vectors = SentenceTransformerEmbedder("tiny", folder, device="cpu").embed_passages(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (vectors * model.embed_passages(TEXTS)).sum(axis=1).min() > 0.99


def test_tokens_lie_in_their_text(model: SentenceTransformerEmbedder) -> None:
    """A unit vector for each token of the text alone, in order; an empty text has none."""
    texts = [*TEXTS, " ab  b ", "ａb\tb"]
    for text, found in zip(texts, model.embed_tokens(texts), strict=True):
        assert found.spans.dtype == np.int64 and found.vectors.dtype == np.float32
        assert found.vectors.shape == (len(found.spans), model.dim)
        np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
        starts, ends = found.spans[:, 0].tolist(), found.spans[:, 1].tolist()
        assert starts == sorted(starts) and ends == sorted(ends)
        assert all(0 <= start < end <= len(text) for start, end in found.spans.tolist())
        covered = {i for start, end in found.spans.tolist() for i in range(start, end)}
        assert covered >= {i for i, character in enumerate(text) if not character.isspace()}
    assert model.embed_tokens([]) == []


def test_tokens_do_not_depend_on_batches(model: SentenceTransformerEmbedder) -> None:
    """What else is embedded makes no difference."""
    for text, found in zip(TEXTS, model.embed_tokens(TEXTS), strict=True):
        (alone,) = model.embed_tokens([text])
        np.testing.assert_array_equal(found.spans, alone.spans)
        np.testing.assert_allclose(found.vectors, alone.vectors, atol=1e-5)


def test_the_mean_of_tokens_is_nearly_the_vector_of_the_text(folder: Path, tmp_path: Path) -> None:
    """Pooling is their mean, and that of two special tokens, which many others outweigh."""
    bare = without_prompts(folder, tmp_path)
    model = SentenceTransformerEmbedder("someone/tiny", bare, device="cpu")
    text = "ab" + " a ab" * ((model.max_tokens - 1) // 2)
    (found,) = model.embed_tokens([text])
    mean = found.vectors.mean(axis=0)
    assert mean / np.linalg.norm(mean) @ model.embed_passages([text])[0] > 0.95


def test_tokens_of_what_does_not_fit_are_refused(model: SentenceTransformerEmbedder) -> None:
    """Nothing is cut."""
    with pytest.raises(ValueError, match="fit"):
        model.embed_tokens(["ab", "ab" + " ab" * POSITIONS])


def test_what_fits_is_exact(model: SentenceTransformerEmbedder) -> None:
    """A passage of max_tokens is embedded whole; one token more than the window is refused."""
    count = model.tokenizer.count
    longest = "ab" + " ab" * (model.max_tokens - 1)
    assert count(longest) == model.max_tokens
    assert model.embed_passages([longest]).shape == (1, HIDDEN)
    with pytest.raises(ValueError, match=f"{POSITIONS - 2} fit"):
        model.embed_passages(["ab", longest + " ab" * POSITIONS])


def test_a_long_query_is_cut_at_the_window(model: SentenceTransformerEmbedder) -> None:
    """What lies beyond the window does not change the vector."""
    long = "ab" + " ab" * POSITIONS
    np.testing.assert_allclose(
        model.embed_queries([long]), model.embed_queries([long + " b b"]), atol=1e-6
    )


def test_prefixes_come_from_the_model_or_its_name(
    model: SentenceTransformerEmbedder, folder: Path, tmp_path: Path
) -> None:
    """A model that does not name its prompts gets those of its family, another gets none."""
    bare = without_prompts(folder, tmp_path)
    family = SentenceTransformerEmbedder("someone/e5-small", bare, device="cpu")
    other = SentenceTransformerEmbedder("someone/tiny", bare, device="cpu")
    np.testing.assert_allclose(family.embed_queries(["ab"]), model.embed_queries(["ab"]), atol=1e-5)
    assert other.max_tokens == POSITIONS - 2 > family.max_tokens
    assert family.fingerprint == model.fingerprint != other.fingerprint


def test_the_fingerprint_follows_the_weights(
    model: SentenceTransformerEmbedder, folder: Path, tmp_path: Path
) -> None:
    """Other weights are another model, whatever its name."""
    from safetensors.numpy import load_file, save_file

    copy = without_prompts(folder, tmp_path)
    (copy / "config_sentence_transformers.json").write_bytes(
        (folder / "config_sentence_transformers.json").read_bytes()
    )
    again = SentenceTransformerEmbedder("elsewhere", copy, device="cpu", batch_tokens=64)
    assert again.fingerprint == model.fingerprint
    weights = load_file(copy / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] = weights["embeddings.LayerNorm.bias"] + 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    changed = SentenceTransformerEmbedder("tiny", copy, device="cpu")
    assert changed.fingerprint != model.fingerprint


def test_threads_may_share_an_embedder(model: SentenceTransformerEmbedder) -> None:
    """Requests at the same time get what each would get alone."""
    expected = model.embed_queries(TEXTS)
    found: list[np.ndarray] = []

    def work() -> None:
        for _ in range(5):
            model.tokenizer.offsets("a b")
            found.append(model.embed_queries(TEXTS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_offsets_are_code_points_of_the_whole_text(model: SentenceTransformerEmbedder) -> None:
    """No special tokens, nothing cut, even beyond the window."""
    text = "ab " * 100 + "b"
    spans = model.tokenizer.offsets(text)
    assert len(spans) == model.tokenizer.count(text) > POSITIONS
    assert text[slice(*spans[-1])].strip() == "b"


def test_a_folder_that_does_not_load_is_one_line(tmp_path: Path) -> None:
    """What the libraries raise for a damaged folder becomes a ModelError."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="could not be loaded as an embedder") as caught:
        SentenceTransformerEmbedder("damaged", tmp_path, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lengths", "budget", "batches"),
    [
        ([], 100, []),
        ([5, 9, 7], 100, [[1, 2, 0]]),
        ([5, 9, 7], 18, [[1, 2], [0]]),
        ([50, 2, 2], 10, [[0], [1, 2]]),
        ([1, 1, 1], 1, [[0], [1], [2]]),
        ([0, 0], 8, [[0, 1]]),
    ],
)
def test_batches_keep_to_the_budget(
    lengths: list[int], budget: int, batches: list[list[int]]
) -> None:
    """Longest first, padding counted; a text beyond the budget goes alone."""
    assert plan_batches(lengths, budget) == batches


def test_no_text_is_lost_in_batches() -> None:
    """Every place occurs once and every batch of several keeps to the budget."""
    lengths = [(i * 37) % 90 + 1 for i in range(500)]
    batches = plan_batches(lengths, 256)
    assert sorted(place for batch in batches for place in batch) == list(range(500))
    assert all(max(lengths[i] for i in b) * len(b) <= 256 for b in batches)


def test_a_model_without_limit_has_the_positions_of_its_network() -> None:
    """RoBERTa's tokenizer may set no limit; two of its positions are its own."""
    network = type("Network", (), {"config": type("C", (), {"max_position_embeddings": 514})})
    named = {"transformers_model": network, "max_seq_length": 10**30}
    assert embedder._window(type("M", (), named)) == 512
    assert embedder._window(type("M", (), {**named, "max_seq_length": 256})) == 256
    assert embedder._window(type("M", (), {**named, "max_seq_length": None})) == 512


def test_the_device_is_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """auto takes a GPU where there is one; cuda without one is refused with the remedy."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device.pick_device("auto") == device.pick_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match="sees no NVIDIA GPU"):
        device.pick_device("cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert device.pick_device("auto") == device.pick_device("cuda") == "cuda"
    assert device.pick_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("place", "capabilities", "name"),
    [
        ("cuda", {}, "bfloat16"),
        ("cpu", {}, "float32"),
        ("cpu", {"avx2": True, "amx_bf16": False}, "float32"),
        ("cpu", {"amx_bf16": True}, "bfloat16"),
        ("cpu", {"avx512_bf16": True}, "bfloat16"),
    ],
)
def test_bfloat16_where_it_is_fast(place: str, capabilities: dict[str, object], name: str) -> None:
    """A CPU needs AMX or AVX-512 instructions for it; a GPU has them."""
    assert device.pick_dtype(place, capabilities) == getattr(torch, name)
    assert device.pick_dtype("cpu") in (torch.bfloat16, torch.float32)


def test_idle_threads_sleep() -> None:
    """torch's threads do not spin while they wait, unless the user wants them to."""
    assert os.environ["OMP_WAIT_POLICY"]
