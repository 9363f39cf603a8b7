"""The only place that chooses backends: from settings to objects ready to use.

Everything heavy is imported inside the functions, when it is needed.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from rag.answerer import Answerer
from rag.config import Config
from rag.dialogue import Respond, reply
from rag.models import MODELS, Progress, resolve
from rag.protocols import Decoding, Embedder, Generator, Message, VectorIndex, Vectors
from rag.retriever import Retriever
from rag.store import Store, index_path
from rag.testing import HashEmbedder
from rag.types import Mode
from rag.verification import OverlapVerifier

HASH = "hash"
NO_GENERATOR = "none"


def build_embedder(config: Config, report: Progress | None = None) -> Embedder:
    """Return the embedder that the settings name, its weights fetched if need be.

    Raises:
        ModelNotFound, ModelError: it can not be had, or not be loaded.
        ConfigError: device is cuda and there is none.
    """
    if config.embedder == HASH:
        return HashEmbedder()
    path = _resolve(config, config.embedder, report)
    from rag.backends.embedder import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(
        config.embedder, path, device=config.device, batch_tokens=config.batch_tokens
    )


def build_generator(config: Config, report: Progress | None = None) -> Generator | None:
    """Return the generator that the settings name, None where answers are only quoted.

    Raises:
        ModelNotFound, ModelError: it can not be had, or not be loaded.
    """
    if config.generator == NO_GENERATOR:
        return None
    path = _resolve(config, config.generator, report)
    from rag.backends.generator import TransformersGenerator

    model = MODELS.get(config.generator)
    languages = model.languages if model else ()
    return TransformersGenerator(path, config.generator, config.device, languages)


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
    generator = None if config.generator == NO_GENERATOR else DeferredGenerator(config, report)
    return Answerer(retriever, generator, OverlapVerifier(), config)


def assemble(
    config: Config, index: str, embedder: Embedder, generator: Generator | None
) -> Answerer:
    """Open an index with models that are loaded already, which several indexes may share.

    Raises:
        IndexNotFound, IndexCorrupt, IndexMismatch: see `rag.errors`.
    """
    store = Store(index_path(config.index_dir, index))
    retriever = Retriever(store, embedder, lambda matrix: _vector_index(matrix, config.device))
    return Answerer(retriever, generator, OverlapVerifier(), config)


def responder(answerer: Answerer, **options: Any) -> Respond:
    """Return what answers the turns of a conversation with an answerer.

    Args:
        options: of every search and answer, as `Answerer.answer` takes them.
    """
    ask = partial(answerer.answer, **options)
    return lambda question, history: reply(ask, question, history, answerer.generator)


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

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> Iterator[str]:
        """Yield the answer's text as it is decoded; closing the iterator stops the work."""
        return self._generator.stream(messages, decoding)


def _vector_index(matrix: Vectors, device: str) -> VectorIndex:
    from rag.backends.faiss_index import flat_index

    return flat_index(matrix, device)


def _resolve(config: Config, name: str, report: Progress | None) -> Path:
    return resolve(name, model_dir=config.model_dir, offline=config.offline, progress=report)
