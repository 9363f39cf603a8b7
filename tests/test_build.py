"""What the settings choose, with the fakes."""

from pathlib import Path

import pytest

from rag import build
from rag.build import (
    DeferredEmbedder,
    DeferredGenerator,
    build_embedder,
    build_generator,
    open_answerer,
)
from rag.config import Config
from rag.errors import IndexMismatch, ModelNotFound
from rag.ingest import ingest
from rag.testing import HashEmbedder
from rag.types import Method


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """An index over one document; a generator of which there are no weights anywhere."""
    config = Config(
        index_dir=tmp_path / "indexes",
        model_dir=tmp_path / "models",
        embedder="hash",
        generator="HuggingFaceTB/SmolLM2-135M-Instruct",
        offline=True,
    )
    (tmp_path / "docs").mkdir()
    text = "Кошка каждое утро пьёт холодное молоко. Собака спит в саду."
    (tmp_path / "docs" / "cat.txt").write_text(text, encoding="utf-8")
    ingest([tmp_path / "docs"], "default", HashEmbedder(), config)
    return config


def test_the_generator_is_not_loaded_for_a_language_it_does_not_speak(config: Config) -> None:
    """A Russian question is answered by quoting, though the generator can not be had."""
    answer = open_answerer(config, "default").answer("Что кошка пьёт каждое утро?")
    assert answer.method is Method.QUOTED and "молоко" in answer.text


def test_a_deferred_generator_fails_when_it_is_needed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is told by the same error, at first use."""
    monkeypatch.setenv("HF_HUB_CACHE", str(config.model_dir))
    deferred = DeferredGenerator(config)
    assert deferred.languages == {"en"} and deferred.name == config.generator
    with pytest.raises(ModelNotFound):
        deferred.count_tokens([])


def test_no_generator(config: Config) -> None:
    """`none` is no generator, and is nothing to load."""
    assert build_generator(Config(generator="none")) is None


# -- the embedder ------------------------------------------------------------------------------


def test_an_ingest_that_finds_nothing_new_loads_no_model(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint is enough to know that the index was made with the model."""
    monkeypatch.setattr(build, "build_embedder", lambda *arguments: pytest.fail("loaded"))
    report = ingest([tmp_path / "docs"], "default", DeferredEmbedder(config), config)
    assert (report.unchanged, report.embedded) == (1, 0)


def test_an_index_of_another_model_is_refused_before_one_is_loaded(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when nothing would be embedded."""
    monkeypatch.setattr(build, "build_embedder", lambda *arguments: pytest.fail("loaded"))
    monkeypatch.setattr(HashEmbedder, "fingerprint", "hash-2")
    with pytest.raises(IndexMismatch, match="embedder_fingerprint hash-1"):
        ingest([tmp_path / "docs"], "default", DeferredEmbedder(config), config)


def test_a_deferred_embedder_is_the_embedder_once_it_is_needed(
    config: Config, tmp_path: Path
) -> None:
    """It is told of before it is loaded, once, and makes the same index."""
    told: list[str] = []
    deferred = DeferredEmbedder(config, before_loading=lambda: told.append("loading"))
    assert (deferred.name, deferred.fingerprint, told) == ("hash", "hash-1", [])
    assert ingest([tmp_path / "docs"], "other", deferred, config).embedded == 1
    answers = [open_answerer(config, index).answer("Кошка?") for index in ("default", "other")]
    assert answers[0].text == answers[1].text
    real = HashEmbedder()
    assert (deferred.dim, deferred.max_tokens) == (real.dim, real.max_tokens)
    assert (deferred.embed_queries(["a cat"]) == real.embed_queries(["a cat"])).all()
    assert told == ["loading"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_one_process_loads_a_model_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its files, or the settings that it is loaded with, have changed."""
    made: list[Path] = []

    def load(name: str, folder: Path, **options: object) -> object:
        made.append(folder)
        return object()

    monkeypatch.setattr("rag.backends.embedder.SentenceTransformerEmbedder", load)
    config = Config(embedder=str(folder))
    build._embedder.cache_clear()
    first = build_embedder(config)
    assert build_embedder(config) is first
    assert build_embedder(Config(embedder=str(folder), batch_tokens=64)) is not first
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert build_embedder(config) is not first and len(made) == 3
    build._embedder.cache_clear()
