"""What the settings choose, with the fakes."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from rag import build
from rag.backends.llm_judge import LlmJudge
from rag.build import (
    DeferredEmbedder,
    DeferredGenerator,
    build_embedder,
    build_generator,
    build_verifier,
    open_answerer,
)
from rag.config import Config
from rag.errors import ConfigError, GenerationError, IndexMismatch, ModelNotFound
from rag.ingest import ingest
from rag.model_commands import wanted_models
from rag.testing import HashEmbedder, ScriptedGenerator
from rag.types import Method
from rag.verification import OverlapVerifier
from tests.backends.sse_server import running, saying


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


from rag import build
from rag.backends.llm_judge import LlmJudge
from rag.build import (
    DeferredEmbedder,
    DeferredGenerator,
    build_embedder,
    build_generator,
    build_verifier,
    open_answerer,
)
from rag.config import Config
from rag.errors import ConfigError, GenerationError, IndexMismatch, ModelNotFound
