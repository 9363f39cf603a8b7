"""The only place that chooses backends: from settings to objects ready to use.

Everything heavy is imported inside the functions, when it is needed.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

from rag.answerer import Answerer
from rag.checking import Checker
from rag.config import SERVER, Config
from rag.delegating import DelegatingEmbedder
from rag.dialogue import Respond, RespondEvents, replied, reply_events
from rag.errors import ConfigError
from rag.explaining import explain, needed
from rag.models import MODELS, Progress, fingerprint, resolve
from rag.models.adapter import shipped
from rag.protocols import (
    Decoding,
    Embedder,
    Generator,
    Message,
    Reader,
    Scorer,
    TextStream,
    VectorIndex,
    Vectors,
    Verifier,
)
from rag.provenance import Explanation
from rag.quantities import quantities
from rag.retriever import Retriever
from rag.store import Store, index_path
from rag.testing import HashEmbedder
from rag.types import Answer, Asking, Judgement, LogProbability, Mode
from rag.verification import OverlapVerifier

HASH = "hash"
NO_GENERATOR = "none"
OVERLAP = "overlap"
FEATURES = "features"
LLM = "llm"
READER = "reader"


def build_embedder(config: Config, report: Progress | None = None) -> Embedder:
    """Return the embedder that the settings name, its weights fetched if need be.

    Raises:
        ModelNotFound, ModelError: it can not be had, or not be loaded.
        ConfigError: device is cuda and there is none.
    """
    if config.embedder == HASH:
        return HashEmbedder()
    path = _resolve(config, config.embedder, report)
    made_of = fingerprint(config.embedder, path)
    return _embedder(config.embedder, path, config.device, config.batch_tokens, made_of)


def build_generator(config: Config, report: Progress | None = None) -> Generator | None:
    """Return the generator that the settings name, None where answers are only quoted.

    Raises:
        ModelNotFound, ModelError: it can not be had, or not be loaded.
        ConfigError: a server's address or key is not usable.
    """
    if config.generator == NO_GENERATOR:
        return None
    if config.generator.startswith(SERVER):
        return _server_generator(config)
    path = _resolve(config, config.generator, report)
    return _generator(config.generator, path, config.device)


def _server_generator(config: Config) -> Generator:
    if config.openai_base_url is None:
        raise ConfigError(
            f"generator is {config.generator!r}, but openai_base_url is not set; expected the"
            " address of its server, such as http://127.0.0.1:8000/v1: documents are sent nowhere"
            " that is not named"
        )
    from rag.backends.openai_server import OpenAIGenerator, Server

    server = Server(
        config.openai_base_url,
        window=config.openai_window,
        timeout=config.openai_timeout,
        retries=config.openai_retries,
    )
    return OpenAIGenerator(config.generator.removeprefix(SERVER), server)


def build_checker(config: Config, report: Progress | None = None) -> Checker:
    """Return what checks claims against given sources.

    The embedder is loaded when it is first needed: never, if it is not the one that the checker
    was fitted with.
    """
    return Checker(DeferredEmbedder(config, report))


def build_verifier(
    config: Config,
    generator: Generator | None,
    report: Progress | None = None,
    embedder: Embedder | None = None,
) -> Verifier:
    """Return the verifier that the settings name; a model of its own is loaded when first needed.

    Args:
        generator: what judges when the setting is "llm".
        embedder: what tells meaning when the setting is "features"; without one only terms count.
    Raises:
        ConfigError: the verifier is "llm" and there is no generator.
    """
    if config.verifier == OVERLAP or (config.verifier == FEATURES and config.embedder == HASH):
        return OverlapVerifier()
    if config.verifier == FEATURES:
        return Checker(embedder)
    if config.verifier == LLM:
        if generator is None:
            raise ConfigError(
                "verifier is 'llm', but generator is 'none'; expected a generator that judges:"
                " set one, or verifier overlap"
            )
        from rag.backends.llm_judge import LlmJudge

        return LlmJudge(generator, config.max_answer_tokens)
    return DeferredVerifier(config, report)


def build_reader(config: Config, report: Progress | None = None) -> Reader:
    """Return the reader that ships, its base fetched if need be.

    Raises:
        ModelNotFound, ModelError: its base can not be had, or is not what it was learnt on.
        ConfigError: device is cuda and there is none.
    """
    return _reader(_resolve(config, shipped(READER).base, report), config.device)


def open_retriever(config: Config, index: str, report: Progress | None = None) -> Retriever:
    """Open an index for searching. In mode lexical no model is loaded.

    Raises:
        IndexNotFound, IndexCorrupt, IndexMismatch: see `rag.errors`.
        ModelError: the embedding model can not be had.
    """
    store = Store(index_path(config.index_dir, index))
    embedder = None if config.mode is Mode.LEXICAL else build_embedder(config, report)
    return Retriever(store, embedder, lambda matrix: _vector_index(matrix, config.device))


def open_answerer(config: Config, index: str, report: Progress | None = None) -> Answerer:
    """Open an index for answering; raises what `open_retriever` does."""
    retriever = open_retriever(config, index, report)
    generator = _deferred_generator(config, report)
    verifier = build_verifier(config, generator, report, retriever.embedder)
    return Answerer(retriever, generator, verifier, config)


def assemble(
    config: Config,
    index: str,
    embedder: Embedder,
    generator: Generator | None,
    verifier: Verifier | None = None,
) -> Answerer:
    """Open an index with models that are loaded already, which several indexes may share.

    Args:
        verifier: by default the one that the settings name.
    Raises:
        IndexNotFound, IndexCorrupt, IndexMismatch: see `rag.errors`.
    """
    store = Store(index_path(config.index_dir, index))
    retriever = Retriever(store, embedder, lambda matrix: _vector_index(matrix, config.device))
    verifier = verifier or build_verifier(config, generator, embedder=embedder)
    return Answerer(retriever, generator, verifier, config)


class DeferredEmbedder(DelegatingEmbedder):
    """The embedder that the settings name, fetched when its fingerprint is asked for and loaded
    when it is first needed: an ingest that finds nothing new never needs it."""

    def __init__(
        self,
        config: Config,
        report: Progress | None = None,
        before_loading: Callable[[], None] = lambda: None,
    ) -> None:
        """Remember what to load; nothing is read or fetched yet."""
        self._config = config
        self._report = report
        self._before_loading = before_loading

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        return self._config.embedder

    @cached_property
    def fingerprint(self) -> str:
        """What decides the vectors; the weights are fetched for it if need be, not loaded."""
        if self.name == HASH:
            return HashEmbedder.fingerprint
        return fingerprint(self.name, _resolve(self._config, self.name, self._report))

    @cached_property
    def inner(self) -> Embedder:
        """The embedder, loaded."""
        self._before_loading()
        return build_embedder(self._config, self._report)


def responder(answerer: Answerer, **options: Any) -> Respond:
    """Return what answers the turns of a conversation with an answerer.

    Args:
        options: of every search and answer, as `Answerer.answer` takes them.
    """
    respond = event_responder(answerer, **options)
    return lambda question, history: replied(respond(question, history))


def event_responder(answerer: Answerer, **options: Any) -> RespondEvents:
    """Return what does the same claim by claim; what it ends with is the reply of `responder`."""
    events = partial(answerer.events, **options)
    asking: Asking | None = options.get("asking")
    quote_only = answerer.config.quote_only if asking is None else asking.quote_only
    # A result is no quote.
    read = None if quote_only else quantities
    return lambda question, history: reply_events(
        events, question, history, answerer.generator, read
    )


def explainer(answerer: Answerer) -> Callable[[Answer], Explanation]:
    """Return what tells where the claims of an answerer's answers come from.

    Raises:
        ConfigError: it has no generator.
    """
    return partial(explain, generator=needed(answerer.generator))


class DeferredGenerator:
    """The generator that the settings name, fetched and loaded when it is first needed: a
    question in a language that it does not speak never needs it."""

    def __init__(self, config: Config, report: Progress | None = None) -> None:
        """Remember what to load; nothing is read or fetched yet."""
        known = MODELS.get(config.generator)
        self.name = config.generator
        self.languages = known.languages if known else frozenset[str]()
        self._config = config
        self._report = report

    @cached_property
    def _generator(self) -> Generator:
        generator = build_generator(self._config, self._report)
        assert generator is not None
        return generator

    @property
    def max_tokens(self) -> int:
        """The model's window: prompt and answer together."""
        return self._generator.max_tokens

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the length of the whole prompt, chat template included."""
        return self._generator.count_tokens(messages)

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the answer's text as it is decoded; closing the iterator stops the work."""
        return self._generator.stream(messages, decoding)


class DeferredScorer(DeferredGenerator):
    """One that runs here, and so can tell how likely texts are."""

    def log_probabilities(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> list[LogProbability]:
        """Return, for each text, log p(text | prompt)."""
        generator = self._generator
        assert isinstance(generator, Scorer)
        return generator.log_probabilities(messages, continuations)


def _deferred_generator(config: Config, report: Progress | None) -> DeferredGenerator | None:
    if config.generator == NO_GENERATOR:
        return None
    if config.generator.startswith(SERVER):
        return DeferredGenerator(config, report)
    return DeferredScorer(config, report)


class DeferredVerifier:
    """The cross-encoder that the settings name, fetched and loaded when it is first needed: an
    answer that only quotes never needs it."""

    def __init__(self, config: Config, report: Progress | None = None) -> None:
        """Remember what to load; nothing is read or fetched yet."""
        self._config = config
        self._report = report
        self._lock = threading.Lock()

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis)."""
        with self._lock:  # two requests at once must not both load it
            verifier = self._verifier
        return verifier.judge(pairs)

    @cached_property
    def _verifier(self) -> Verifier:
        name = self._config.verifier
        path = _resolve(self._config, name, self._report)
        from rag.backends.cross_encoder import CrossEncoderVerifier

        return CrossEncoderVerifier(name, path, self._config.device)


# A process works with one model of a kind, which its commands and indexes share. An embedder whose
# files have changed has another fingerprint, and is loaded anew.
@lru_cache(maxsize=1)
def _embedder(name: str, path: Path, device: str, batch_tokens: int, made_of: str) -> Embedder:
    from rag.backends.embedder import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(name, path, device=device, batch_tokens=batch_tokens)


@lru_cache(maxsize=1)
def _reader(path: Path, device: str) -> Reader:
    from rag.backends.span_reader import SpanReader

    return SpanReader(path, shipped(READER), device)


@lru_cache(maxsize=1)
def _generator(name: str, path: Path, device: str) -> Generator:
    from rag.backends.generator import TransformersGenerator

    model = MODELS.get(name)
    return TransformersGenerator(path, name, device, model.languages if model else ())


def _vector_index(matrix: Vectors, device: str) -> VectorIndex:
    from rag.backends.faiss_index import flat_index

    return flat_index(matrix, device)


def _resolve(config: Config, name: str, report: Progress | None) -> Path:
    return resolve(name, model_dir=config.model_dir, offline=config.offline, progress=report)
