"""The indexes that suites ask: made of a suite's own documents when first needed, and kept."""

import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rag.answerer import Answerer
from rag.config import Config
from rag.errors import ConfigError
from rag.evaluation.cases import OWN_INDEX, World, digest
from rag.fusion import Retrieval
from rag.ingest import ingest, made_with
from rag.protocols import Embedder
from rag.retriever import Retriever
from rag.store import Store
from rag.types import Filters, Mode

Assemble = Callable[[Config, str], Answerer]
"""Settings and the name of an index to what answers from it."""

MOST_OPEN = 16
# Passages asked for beside those wanted, so that a hidden document does not leave too few.
_SPARE = 20


@dataclass(frozen=True, slots=True)
class Opened:
    """An index that answers; `names` are what cases call its sources."""

    answerer: Answerer
    names: Mapping[str, str]

    def name(self, source: str) -> str:
        """Return what cases call a source of the index."""
        return self.names.get(source, source)


class Worlds:
    """Opens the index of a world, made anew where there is none; safe to share between threads."""

    def __init__(
        self,
        config: Config,
        embedder: Embedder,
        assemble: Assemble,
        place: Path,
        own: str | None = None,
    ) -> None:
        """Remember what is needed; nothing is opened yet.

        Args:
            place: where the indexes of worlds are kept.
            own: name of the user's index, for cases that bring no documents.
        """
        self._config = config
        self._embedder = embedder
        self._assemble = assemble
        self._place = place
        self._own = own
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, world: World | None) -> Opened:
        """Return a world's index, of None the user's; raises what ingesting and opening do."""
        key = OWN_INDEX if world is None else self._key(world)
        with self._lock:
            if key not in self._open:
                self._open[key] = self._user() if world is None else self._made(world, key)
                if len(self._open) > MOST_OPEN:
                    self._open.popitem(last=False)[1].answerer.retriever.store.close()
            self._open.move_to_end(key)
            return self._open[key]

    def close(self) -> None:
        """Close all that is open."""
        with self._lock:
            for opened in self._open.values():
                opened.answerer.retriever.store.close()
            self._open.clear()

    def _user(self) -> Opened:
        if self._own is None:
            raise ConfigError("these questions bring no documents; name an index with --index")
        return Opened(self._assemble(self._config, self._own), {})

    def _key(self, world: World) -> str:
        return digest([world.digest, made_with(self._embedder, self._config)])[:24]

    def _made(self, world: World, key: str) -> Opened:
        folder = self._place / key
        names = {} if world.folder else dict(_files(world))
        if not folder.exists():
            self._build(world, folder, names)
        config = replace(self._config, index_dir=folder / "indexes")
        return Opened(self._assemble(config, "world"), names)

    def _build(self, world: World, folder: Path, names: Mapping[str, str]) -> None:
        """Ingest a world beside its place, and move it there whole."""
        new = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(new, ignore_errors=True)
        documents = world.folder or new / "documents"
        if not world.folder:
            documents.mkdir(parents=True)
            for file, source in names.items():
                # A byte order mark is no part of a file's text.
                text = world.documents[source].removeprefix("\ufeff")
                (documents / file).write_text(text, encoding="utf-8", newline="")
        config = replace(self._config, index_dir=new / "indexes")
        report = ingest([documents], "world", self._embedder, config)
        if report.failed:
            shutil.rmtree(new, ignore_errors=True)
            failure = report.failed[0]
            raise ConfigError(f"{world.name}: {failure.source} can not be read: {failure.reason}")
        try:
            os.replace(new, folder)
        except OSError:  # another process was quicker
            shutil.rmtree(new, ignore_errors=True)
            if not folder.exists():
                raise


def _files(world: World) -> list[tuple[str, str]]:
    """Return a file name for each source: a source can be an address, or hold any character."""
    return [(f"{n:06d}{world.suffix}", source) for n, source in enumerate(world.documents)]


class Without(Retriever):
    """A retriever that does not see one document; the rest is that of another."""

    def __init__(self, retriever: Retriever, source: str) -> None:
        """Take the retriever, and the source that it shall not find."""
        self._retriever = retriever
        self._source = source
        self.store = retriever.store
        self.embedder = retriever.embedder

    def search(
        self, question: str, k: int, mode: Mode = Mode.HYBRID, filters: Filters | None = None
    ) -> Retrieval:
        """Find the k best passages of the other documents."""
        found = self._retriever.search(question, k + _SPARE, mode, filters)
        others = [hit for hit in found.hits if hit.passage.source != self._source]
        kept = tuple(replace(hit, rank=rank) for rank, hit in enumerate(others[:k], start=1))
        return replace(found, hits=kept)


def content_digest(store: Store) -> str:
    """Return the SHA-256 of what documents an index holds, whatever it went through."""
    with store.reading() as connection:
        rows = connection.execute("SELECT id, source, content_hash FROM documents ORDER BY id")
        return digest([[str(value) for value in row] for row in rows])
