"""What the settings choose, with the fakes."""

import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag import build
from rag.backends.llm_judge import LlmJudge
from rag.build import (
    DeferredEmbedder,
    DeferredGenerator,
    build_checker,
    build_embedder,
    build_generator,
    build_verifier,
    open_answerer,
)
from rag.checking import Checker
from rag.config import Config
from rag.errors import ConfigError, GenerationError, IndexMismatch, ModelNotFound
from rag.ingest import ingest
from rag.model_commands import wanted_models
from rag.protocols import Scorer
from rag.testing import HashEmbedder, ScriptedGenerator
from rag.types import Method, Verdict
from rag.verification import OverlapVerifier
from tests.backends.sse_server import running, saying
from tests.support_models import support_model


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


@pytest.mark.slow
def test_a_deferred_generator_fails_when_it_is_needed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is told by the same error, at first use."""
    monkeypatch.setenv("HF_HUB_CACHE", str(config.model_dir))
    deferred = DeferredGenerator(config)
    assert deferred.languages == {"en"} and deferred.name == config.generator
    with pytest.raises(ModelNotFound):
        deferred.count_tokens([])


def test_only_generators_that_run_here_can_weigh(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known before anything is loaded or asked of a server."""
    monkeypatch.setenv("HF_HUB_CACHE", str(config.model_dir))
    served = replace(config, generator="openai:m", openai_base_url="http://127.0.0.1:9/v1")
    kinds = [open_answerer(each, "default").generator for each in (config, served)]
    assert [isinstance(kind, Scorer) for kind in kinds] == [True, False]
    assert isinstance(kinds[0], Scorer)
    with pytest.raises(ModelNotFound):
        kinds[0].log_probabilities([], ["text"])


def test_no_generator(config: Config) -> None:
    """`none` is no generator, and is nothing to load."""
    assert build_generator(Config(generator="none")) is None


# -- a model behind a server ----------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_is_a_generator_of_any_language(config: Config) -> None:
    """The settings reach it, and nothing is asked of it on building."""
    found = build_generator(
        replace(
            config,
            generator="openai:org/model:7b",
            openai_base_url="http://127.0.0.1:9/v1",
            openai_window=8192,
        )
    )
    assert found is not None
    assert (found.name, found.max_tokens, found.languages) == (
        "openai:org/model:7b",
        8192,
        frozenset(),
    )


def test_a_server_must_be_named(config: Config) -> None:
    """Documents are sent to no address that the user did not write down."""
    with pytest.raises(ConfigError, match="openai_base_url is not set"):
        build_generator(replace(config, generator="openai:gpt"))


@pytest.mark.slow
def test_a_server_that_is_down_fails_the_question(config: Config) -> None:
    """One error that names the address, and no answer."""
    with socket.socket() as held:  # bound and not listening
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        served = replace(config, generator="openai:m", openai_base_url=url, openai_retries=0)
        with pytest.raises(GenerationError, match=f"'m' at {url} can not be reached"):
            open_answerer(served, "default").answer("Что кошка пьёт каждое утро?")


def test_only_models_with_weights_are_fetched(config: Config) -> None:
    """Not the fakes, nor a server's; a cross-encoder is."""
    served = replace(config, generator="openai:m", verifier="llm")
    assert wanted_models(served) == []
    assert wanted_models(replace(served, verifier="org/nli")) == ["org/nli"]


SENTENCE = "Кошка каждое утро пьёт холодное молоко"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pieces", "reason", "method"),
    [
        ([SENTENCE, " [1]."], "stop", Method.GENERATED),
        ([SENTENCE, " [1]. Собака спит в са"], "length", Method.GENERATED),
        ([SENTENCE], "length", Method.QUOTED),
        (["Кошка каждое утро пьёт горячее молоко [1]."], "stop", Method.QUOTED),
    ],
)
def test_drafts_of_a_server_are_checked_like_any(
    config: Config, pieces: list[str], reason: str, method: Method
) -> None:
    """What it supports stands, cited by us; half a sentence or a false one does not."""
    with running() as server:
        server.behave(saying(pieces, reason))
        served = replace(config, generator="openai:m", openai_base_url=server.base_url)
        answer = open_answerer(served, "default").answer("Что кошка пьёт каждое утро?")
    assert answer.method is method
    if method is Method.GENERATED:
        assert answer.text == f"{SENTENCE}. [1]"
    assert any("cut off at 96 tokens" in step for step in answer.trace) == (reason == "length")


# -- verifiers ------------------------------------------------------------------------------------


def test_the_default_verifier_needs_no_model(config: Config) -> None:
    """Overlap, unless something else is set."""
    assert isinstance(build_verifier(config, None), OverlapVerifier)


def test_features_are_weighed_with_the_embedder_at_hand(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the index is searched with; with the fake one words and numbers are compared."""
    fitted = SimpleNamespace(name="intfloat/multilingual-e5-small", embed_tokens=None)
    monkeypatch.setattr("rag.checking.load_model", support_model)
    featured = replace(config, verifier="features")
    assert isinstance(build_verifier(featured, None), OverlapVerifier)
    served = replace(featured, embedder=fitted.name)
    verifier = build_verifier(served, None, embedder=fitted)  # type: ignore[arg-type]
    assert isinstance(verifier, Checker) and verifier._embedder is fitted
    assert wanted_models(replace(served, generator="none")) == [fitted.name]
    answer = open_answerer(replace(config, verifier="features"), "default").answer(
        "Что пьёт кошка?"
    )
    assert answer.method is Method.QUOTED


def test_a_checker_loads_its_embedder_when_it_is_needed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for claims without sources, and never if it is another than the fitted one."""
    monkeypatch.setattr("rag.checking.load_model", support_model)
    monkeypatch.setattr(build, "resolve", absent)
    checker = build_checker(replace(config, embedder="intfloat/multilingual-e5-small"))
    assert checker.check("It is.", []).verdict is Verdict.UNSUPPORTED
    with pytest.raises(ModelNotFound):
        checker.check("It is.", ["It was."])
    for other in ("hash", "org/other"):
        checker = build_checker(replace(config, embedder=other))
        assert checker.check("It rains today.", ["It rains today."]).verdict is Verdict.SUPPORTED


def absent(name: str, **options: object) -> Path:
    raise ModelNotFound(name)


def test_a_judge_uses_the_generator(config: Config) -> None:
    """And can not be had without one."""
    judging = replace(config, verifier="llm")
    generator = ScriptedGenerator(["SUPPORTED"])
    judge = build_verifier(judging, generator)
    assert isinstance(judge, LlmJudge)
    judge.judge([("It is.", "It is.")])
    assert len(generator.prompts) == 1
    with pytest.raises(ConfigError, match="expected a generator that judges"):
        build_verifier(judging, None)


def test_a_cross_encoder_is_loaded_when_it_is_needed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that only quotes never needs it; what is missing is told at first use."""
    assert config.model_dir is not None
    monkeypatch.setenv("HF_HUB_CACHE", str(config.model_dir))
    absent = replace(config, verifier="org/nli", generator="none")
    answer = open_answerer(absent, "default").answer("Что кошка пьёт каждое утро?")
    assert answer.method is Method.QUOTED
    with pytest.raises(ModelNotFound, match="org/nli"):
        build_verifier(absent, None).judge([("It is.", "It is.")])


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
