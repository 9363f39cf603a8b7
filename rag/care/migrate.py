"""Make an index over with another embedding model or other settings, from the texts it holds.

The new index grows in a folder of its own beside the old one, which answers meanwhile; a run that
is interrupted is taken up where it stopped. At the end the new one takes the place of the old one
in one transaction. The files that were ingested are not read: a migration needs none of them.
"""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rag import derived
from rag.care.caretaker import Caretaker
from rag.care.exchange import put_in_place
from rag.care.snapshot import snapshot
from rag.config import Config
from rag.documents import Prepared
from rag.errors import ConfigError, IndexCorrupt
from rag.ingest import Listener, Progress, made_with
from rag.protocols import Embedder
from rag.reference import REFERENCE
from rag.schema import translating
from rag.slabs import SLAB_PASSAGES, Slab, chunked
from rag.store import DATABASE, Store, require_index
from rag.types import Document, Parsed
from rag.writer import NewDocument, StoreWriter, write_lock

DRAFT = "migrating"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did.

    Attributes:
        before, after: the embedders' names.
        embedded: how many texts were embedded; those of an earlier, interrupted run do not count.
        kept: the snapshot of the old index; None where none was wanted.
    """

    before: str
    after: str
    documents: int
    passages: int
    embedded: int
    kept: Path | None


def migrate(
    path: Path,
    embedder: Embedder,
    config: Config,
    *,
    keep_old: Path | None = None,
    listener: Listener = lambda progress: None,
) -> Migrated:
    """Make the index in folder `path` what the embedder and the settings give.

    Documents keep their ids, and passages whose text stays the same keep theirs. An index that is
    of these already is only brought to the present schema.

    Args:
        keep_old: a file into which a snapshot of the old index goes before anything changes.
    Raises:
        IndexNotFound: there is no index.
        IndexLocked: another process is writing.
        IndexCorrupt: a stored text is damaged; see `rag repair`.
        ConfigError: the file for the old index is there already.
        StoreError: the disk is full or not writable; what was embedded is kept for the next run.
    """
    require_index(path)
    if keep_old is not None and keep_old.exists():
        raise ConfigError(f"{keep_old} is there already; name another file for the old index")
    meta = made_with(embedder, config)
    with write_lock(path):
        Caretaker(path).close()  # brings the schema up to date
        with closing(Store(path)) as store:
            before = store.meta["embedder"]
            if all(store.meta.get(key) == value for key, value in meta.items()):
                shutil.rmtree(path / DRAFT, ignore_errors=True)
                derived.save(store)  # a run may have been interrupted just before it did
                return Migrated(before, before, *store.count(), 0, None)
        embedded = _grow(path, meta, embedder, config, listener)
        if keep_old is not None:
            snapshot(path, keep_old)
        put_in_place(path, path / DRAFT / DATABASE)
        shutil.rmtree(path / DRAFT, ignore_errors=True)
        with closing(Store(path)) as store:
            derived.save(store)
            return Migrated(before, embedder.name, *store.count(), embedded, keep_old)


def _grow(
    path: Path, meta: Mapping[str, str], embedder: Embedder, config: Config, listener: Listener
) -> int:
    """Make the new index whole in its own folder; return how many texts were embedded."""
    folder = path / DRAFT
    with ExitStack() as opened:
        old = opened.enter_context(closing(Store(path)))
        writer = opened.enter_context(closing(_draft(folder, meta, embedder)))
        opened.enter_context(old.reading())
        growth = _Growth(old, folder, writer, embedder, config)
        growth.begin()
        growth.work(listener)
        growth.finish()
        return growth.embedded


def _draft(folder: Path, meta: Mapping[str, str], embedder: Embedder) -> Caretaker:
    """Open what an interrupted run has left if it is of these settings, else begin anew."""
    wanted = {**meta, "embedder": embedder.name}
    if (folder / DATABASE).exists():
        try:
            with closing(Store(folder)) as store:
                fits = all(store.meta.get(key) == value for key, value in wanted.items())
        except IndexCorrupt:
            fits = False
        if fits:
            return Caretaker(folder)
    with translating(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    StoreWriter(folder, {**wanted, "dim": str(embedder.dim)}).close()
    return Caretaker(folder)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the old index knows of a document beside its text."""

    id: str
    root: int
    source: str
    date: str
    size: int
    mtime_ns: int
    ingested_ns: int
    checksum: bytes
    loaders: int


def _stored(store: Store) -> dict[str, _Stored]:
    query = """
        SELECT id, root, source, date, size, mtime_ns, ingested_ns, checksum, loaders
        FROM documents
    """
    with store.reading() as connection:
        return {record[0]: _Stored(*record) for record in connection.execute(query)}


class _Growth:
    """The new index on its way, document by document."""

    def __init__(
        self, old: Store, folder: Path, writer: Caretaker, embedder: Embedder, config: Config
    ) -> None:
        self.old = old
        self.writer = writer
        self.embedder = embedder
        self.config = config
        self.stored = _stored(old)
        with closing(Store(folder)) as store:
            self.grown = _stored(store)
            self.roots = {root.id for root in store.roots()}
            self.has_reference = bool(store.reference())
        self.embedded = self.passages = self.done_bytes = 0

    def begin(self) -> None:
        """Take over the folders; drop documents that changed since an earlier run."""
        if not self.has_reference:
            vectors = {
                language: self.embedder.embed_passages(sentences)
                for language, sentences in REFERENCE.items()
            }
            with self.writer.transaction():
                self.writer.put_reference(vectors)
        stale = [each for each, grown in self.grown.items() if not self._same(grown)]
        with self.writer.transaction():
            self.writer.put_roots([r for r in self.old.roots() if r.id not in self.roots])
            self.writer.delete_documents(stale)
        for identity in stale:
            del self.grown[identity]

    def _same(self, grown: _Stored) -> bool:
        stored = self.stored.get(grown.id)
        return stored is not None and (stored.checksum, stored.root) == (grown.checksum, grown.root)

    def work(self, listener: Listener) -> None:
        """Chunk and embed what is not there yet, and commit whole documents in slabs."""
        left = [stored for each, stored in self.stored.items() if each not in self.grown]
        total = sum(stored.size for stored in left)
        slab = Slab()
        listener(Progress("plan", "", 0, total, 0, 0, 0))
        for done, stored in enumerate(left, start=1):
            slab.add(self._made(stored))
            self.done_bytes += stored.size
            if done == len(left) or slab.size >= SLAB_PASSAGES:
                self.embedded += slab.commit(self.writer, self.embedder)
                self.passages += slab.size
                slab = Slab()
                at = (self.done_bytes, total, done, self.passages, 0)
                listener(Progress("commit", stored.source, *at))

    def _made(self, stored: _Stored) -> Prepared:
        document = self.old.document(stored.id)
        assert document is not None, stored.id  # one transaction lists and reads
        file = (stored.date, stored.size, stored.mtime_ns)
        new = NewDocument(document, stored.root, *file, (), stored.loaders)
        spans = chunked(_parsed(document), self.embedder, self.config)
        return Prepared(new, spans, self.embedder.fingerprint)

    def finish(self) -> None:
        """Remember of the files what the old index remembers, last looks and copies included."""
        states = [(s.id, s.root, s.size, s.mtime_ns, s.ingested_ns) for s in self.stored.values()]
        with self.writer.transaction():
            self.writer.keep_files(states)
            self.writer.replace_copies(self.old.copies())


def _parsed(document: Document) -> Parsed:
    """Return a stored document as its loader read it."""
    return Parsed(
        text=document.text,
        title=document.title,
        headings=document.headings,
        pages=document.pages,
        unit=document.unit,
        metadata=document.metadata,
    )
