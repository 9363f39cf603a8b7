"""What answers requests: models loaded once, indexes opened when they are first asked for."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from api.access import caller
from rag.answerer import Answerer
from rag.batching import BatchingEmbedder
from rag.build import assemble, build_embedder, build_generator, build_verifier
from rag.checking import Checker
from rag.config import SERVER, Config
from rag.errors import IndexNotFound, ModelError, RagError
from rag.protocols import Decoding, Embedder, Generator, Message
from rag.store import DATABASE, index_path, not_found

logger = logging.getLogger(__name__)

OpenIndex = Callable[[str], Answerer]
# A request that comes while the models are being loaded waits so long for them.
PATIENCE = 120.0
# Readiness is told so much later than asked for, rather than wrongly just after the start.
MOMENT = 0.5
DAMAGED = "the database of the default index is damaged; see what is wrong with 'rag verify'"


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open index, and which file it was: one made anew under its name is another."""

    answerer: Answerer
    file: tuple[int, int] | None


class Engine:
    """Serves any index of the index folder; safe to share between threads."""

    def __init__(self, config: Config, index: str, open_index: OpenIndex | None = None) -> None:
        """Take the settings, the default index, and what opens indexes (by default with models).

        Nothing is loaded before `start`.
        """
        self.config = config
        self.index = index
        self._open = open_index
        self._loaded = threading.Event()
        self._verified = threading.Event()
        if open_index is not None:
            self._loaded.set()
            self._verified.set()
        self._failure = ""
        self._embedder: Embedder | None = None
        self._damaged = False
        self._checker: Checker | None = None
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to load the models, in a thread of its own: the service answers meanwhile."""
        if not self._loaded.is_set():
            threading.Thread(target=self._load, name="load-models", daemon=True).start()

    def _load(self) -> None:
        try:
            wait = self.config.batch_wait_ms / 1000
            embedder = BatchingEmbedder(build_embedder(self.config), wait)
            generator = build_generator(self.config)
            self._warm(embedder, generator)
            self._open = self._opener(embedder, generator)
            self._embedder = embedder
        except Exception as error:
            # Kept and told: a server whose models fail stays up to say so.
            logger.exception("the models could not be loaded")
            self._failure = str(error) if isinstance(error, RagError) else type(error).__name__
        finally:
            self._loaded.set()
        self._verify()
        self._verified.set()

    def _warm(self, embedder: Embedder, generator: Generator | None) -> None:
        """Use the models once: what they set up at their first use is not the first asker's."""
        embedder.embed_queries(["warm"])
        if generator is not None and not self.config.generator.startswith(SERVER):
            for _ in generator.stream([Message("user", "Hello")], Decoding(max_tokens=1)):
                pass

    def _verify(self) -> None:
        """Look through the default index, so that readiness says what is known of it."""
        try:
            self._damaged = not self.answerer(self.index).retriever.store.healthy()
        except RagError:
            pass  # told by `missing`, each time it is asked
        except Exception:
            logger.exception("the default index could not be verified")

    def _opener(self, embedder: Embedder, generator: Generator | None) -> OpenIndex:
        verifier = build_verifier(self.config, generator, embedder=embedder)
        return lambda name: assemble(self.config, name, embedder, generator, verifier)

    def answerer(self, name: str | None) -> Answerer:
        """Return what answers over an index, the default one for None.

        Raises:
            ConfigError: the name is not usable.
            IndexNotFound: there is none, or whoever asks may not know of it.
            IndexCorrupt, IndexMismatch: see `rag.errors`.
            ModelError: the models are not loaded.
        """
        name = self.index if name is None else name
        if not caller().reaches(name):
            raise not_found(index_path(self.config.index_dir, name))
        file = self._file(name)
        opened = self._opened.get(name)
        if opened is None or opened.file != file:
            open_index = self._ready(PATIENCE)
            # One at a time: two requests for a new index must not both read it.
            with self._lock:
                opened = self._opened.get(name)
                if opened is None or opened.file != file:
                    opened = _Opened(open_index(name), file)
                    self._opened[name] = opened
        return opened.answerer

    def checker(self) -> Checker:
        """Return what checks claims; it needs no index.

        Raises:
            ModelError: the models are not loaded.
        """
        self._ready(PATIENCE)
        with self._lock:
            if self._checker is None:
                self._checker = Checker(self._embedder)
        return self._checker

    def embedder(self) -> Embedder:
        """Return what embeds passages.

        Raises:
            ModelError: the models are not loaded.
        """
        self._ready(PATIENCE)
        with self._lock:
            if self._embedder is None:  # indexes are opened by other means than ours
                self._embedder = build_embedder(self.config)
        return self._embedder

    @property
    def cached(self) -> tuple[int, int]:
        """How many texts needed no embedding, and how many did."""
        return self._embedder.cached if isinstance(self._embedder, BatchingEmbedder) else (0, 0)

    def forget(self, name: str) -> None:
        """Let go of an index that was deleted."""
        with self._lock:
            self._opened.pop(name, None)

    def _ready(self, patience: float) -> OpenIndex:
        if not self._loaded.wait(patience):
            raise ModelError("the models are still being loaded; try again soon")
        if self._open is None:
            raise ModelError(f"the models could not be loaded: {self._failure}")
        return self._open

    def _file(self, name: str) -> tuple[int, int] | None:
        try:
            status = os.stat(index_path(self.config.index_dir, name) / DATABASE)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def missing(self) -> str | None:
        """Return why requests to the default index can not be answered, None when they can.

        An index that is not there yet is not missing: it may be ingested at any time.
        """
        try:
            self._ready(patience=0)
            if not self._verified.wait(MOMENT):
                return "the default index is being verified"
            opened = self.answerer(self.index)
            if self._damaged:  # it may have been repaired
                self._damaged = not opened.retriever.store.healthy()
        except IndexNotFound:
            return None
        except RagError as error:
            return str(error)
        except Exception as error:
            logger.exception("the default index could not be opened")
            return f"{type(error).__name__} on opening the default index"
        return DAMAGED if self._damaged else None
