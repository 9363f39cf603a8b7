"""Bring an index into step with folders of documents.

A run plans first (what is new, changed, gone), asks before it deletes much, then works through
the documents in slabs: load, chunk, embed what no stored vector covers, commit. Each commit
holds whole documents, so a run that dies has done a part of its work and the next does the rest.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag import derived
from rag.analysis import ANALYSIS_VERSION
from rag.chunking import CHUNKER_VERSION
from rag.config import Config
from rag.copies import Place
from rag.documents import Prepared, document_of, named, new_document
from rag.errors import ConfigError
from rag.groups import Change
from rag.parts import PART_CHARACTERS
from rag.plan import Plan, Work, copy_row, document_for, known_of
from rag.planning import known_files, make_plan, refuse_empty, with_given
from rag.protocols import Embedder
from rag.reading import CHANGED, Read, read_ahead
from rag.reference import REFERENCE
from rag.scan import File, Listing, scan
from rag.slabs import SLAB_PASSAGES, Slab, chunked, embed_missing
from rag.store import DATABASE, Store, index_path
from rag.types import Failure, IngestReport
from rag.writer import StoreWriter, write_lock

# What a document lacks, by the key of the metadata that says it.
LEFT_OUT = {
    "scanned_pages": "without its scanned pages {}, which OCR did not read",
    "broken_lines": "without its lines {}, which can not be read as JSON",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `bytes` count the files that need work."""

    stage: Literal["plan", "document", "commit"]
    source: str
    done_bytes: int
    total_bytes: int
    documents: int
    passages: int
    failed: int


Listener = Callable[[Progress], None]
Confirm = Callable[[int, int], bool]


def made_with(embedder: Embedder, config: Config) -> dict[str, str]:
    """Return what makes an index what it is; an index made with other values is refused."""
    return {
        "embedder_fingerprint": embedder.fingerprint,
        "passage_tokens": str(config.passage_tokens),
        "overlap_tokens": str(config.overlap_tokens),
        "chunker": str(CHUNKER_VERSION),
        "analysis": str(ANALYSIS_VERSION),
    }


def ingest(
    paths: Sequence[Path],
    index: str,
    embedder: Embedder,
    config: Config,
    *,
    confirm: Confirm = lambda gone, total: False,
    listener: Listener = lambda progress: None,
    keep_missing: bool = False,
) -> IngestReport:
    """Make the index agree with the given folders and files.

    A file that can not be read leaves its earlier version in the index and is reported. Files
    gone from a folder that was ingested before are deleted from the index; when that would take
    more than half of its documents, `confirm(gone, total)` decides. With `keep_missing` nothing
    is deleted.

    Raises:
        ConfigError: a path is missing or holds nothing to ingest, or the deletion was refused.
        IndexLocked: another process is writing.
        IndexMismatch: the index was made with another model or other settings.
        StoreError: the disk is full or not writable; what was committed before is kept.
    """
    started = time.perf_counter()
    path = index_path(config.index_dir, index)
    listings = [scan(given, exclude=config.index_dir) for given in paths]
    refuse_empty(listings, path)
    # Fetches a model that is not here yet: not under the lock, and before an index is made.
    meta = made_with(embedder, config)
    with write_lock(path):
        run = _Run(path, meta, embedder, config, listener)
        try:
            return run.execute(listings, None if keep_missing else confirm, started)
        finally:
            run.close()


class _Run:
    """One run over one index, under its write lock."""

    def __init__(
        self,
        path: Path,
        meta: dict[str, str],
        embedder: Embedder,
        config: Config,
        listener: Listener,
    ) -> None:
        self.collection = path.name
        self.embedder = embedder
        self.config = config
        self.listener = listener
        with ExitStack() as opened:
            self.writer = opened.enter_context(closing(_open(path, meta, embedder)))
            self.store = opened.enter_context(closing(Store(path)))
            self.store.check(**meta)
            self._opened = opened.pop_all()
        self.taken: set[str] = set()
        self.counts: Counter[Change] = Counter()
        self.reasons: dict[Place, str] = {}
        self.held: dict[Place, str] = {}
        self.done_bytes = self.total_bytes = self.documents = self.embedded = 0
        self.failed: list[Failure] = []
        self.notes: list[Failure] = []
        self.before = self.passages = self.store.count()[1]

    def close(self) -> None:
        self._opened.close()

    def execute(
        self, listings: Sequence[Listing], confirm: Confirm | None, started: float
    ) -> IngestReport:
        """Do it all; without `confirm` nothing is deleted."""
        self._remember_reference()
        known = self.store.roots()
        roots = with_given(known, listings)
        files = known_files(self.store, listings, roots)
        plan = make_plan(listings, roots, files, keep_missing=confirm is None)
        if confirm is not None:
            self._confirm_deletion(plan, confirm)
        if new := roots[len(known) :]:
            with self.writer.transaction(changes_content=False):
                self.writer.put_roots(new)
        self.failed += plan.failed
        self.total_bytes = sum(work.file.size for work in plan.work)
        self._report("plan", "")
        self._forget(plan)
        self._work_through(plan.work)
        self._put_copies(plan)
        self._touch([(each.place, each.file) for each in plan.touched if each.file])
        self.writer.finish()
        derived.save(self.store)
        return IngestReport(
            added=self.counts["added"],
            updated=self.counts["updated"] + self.counts["moved"],
            unchanged=self.counts["unchanged"] + plan.unchanged,
            deleted=len(plan.deleted),
            failed=tuple(self.failed),
            skipped=tuple(plan.skipped),
            passages=self.store.count()[1],
            embedded=self.embedded,
            seconds=time.perf_counter() - started,
            notes=tuple(self.notes),
            copies=self.counts["copy"],
        )

    def _remember_reference(self) -> None:
        if not self.store.reference():
            vectors = {
                language: self.embedder.embed_passages(sentences)
                for language, sentences in REFERENCE.items()
            }
            with self.writer.transaction():
                self.writer.put_reference(vectors)

    def _confirm_deletion(self, plan: Plan, confirm: Confirm) -> None:
        total = self.store.count()[0]
        gone = len(plan.gone)
        if gone * 2 > total and not confirm(gone, total):
            raise ConfigError(
                f"{gone} of the index's {total} documents are gone from their folder and would be "
                "deleted; nothing was changed: check the folder, or confirm with --yes"
            )

    # -- working ----------------------------------------------------------------------------

    def _forget(self, plan: Plan) -> None:
        """Delete the documents that are gone, and the copies that hold something else now."""
        if plan.gone or plan.dropped:
            with self.writer.transaction(changes_content=bool(plan.gone)):
                self.writer.delete_documents(state.document_id for state in plan.gone)
                self.writer.drop_copies((state.root, state.source) for state in plan.dropped)

    def _work_through(self, work: Sequence[Work]) -> None:
        """Read files, and store what they hold."""
        same: list[tuple[Place, File]] = []
        slab = Slab()
        for item, read in read_ahead(work, self.config.parsers, self.config.ocr):
            self._report("document", item.source)
            self.done_bytes += item.file.size
            if read is None:
                same.append(((item.root.id, item.source), item.file))
                self.counts["unchanged"] += 1
                continue
            if isinstance(read, Failure):
                self._fail(item, read)
                continue
            if by := self.held.get((item.root.id, item.source)):
                self._fail(item, Failure(item.source, f"waits for {by}, which could not be read"))
                continue
            prepared = self._prepare(item, read)
            self.counts[item.change] += 1
            if len(prepared.document.document.text) > 2 * PART_CHARACTERS:
                self._commit_long(item, prepared)
                continue
            slab.add(prepared)
            if slab.size >= SLAB_PASSAGES:
                self._commit(slab)
                slab = Slab()
        if slab.size or slab.documents:
            self._commit(slab)
        self._touch(same)

    def _fail(self, work: Work, failure: Failure) -> None:
        self.failed.append(failure)
        self.reasons[work.root.id, work.source] = failure.reason
        if work.moved and work.state is not None:
            # Its document stays where it is, with what it holds.
            self.held[work.state.root, work.state.source] = work.source

    def _put_copies(self, plan: Plan) -> None:
        """Store files with the documents that hold the same; not where that could not be read."""
        if not plan.copies and not plan.superseded:
            return
        stored = known_of(self.store.files_about({copy.of for copy in plan.copies}))
        rows = []
        for copy in plan.copies:
            if (document := document_for(copy, stored)) is not None:
                rows.append(copy_row(copy, document, self.writer.opened_ns))
                self.counts[copy.entry.change] += 1
            elif not copy.entry.unchanged:
                told = f"holds the same as {copy.of[1]}: {self.reasons.get(copy.of, CHANGED)}"
                self.failed.append(Failure(copy.entry.source, told))
        # A document that loses its file is content that changes; one that gains files is not.
        lost = any(copy.entry.state and not copy.entry.state.copy for copy in plan.copies)
        with self.writer.transaction(changes_content=lost or bool(plan.superseded)):
            self.writer.put_copies(rows)
            self.writer.delete_documents(plan.superseded)

    def _touch(self, same: Sequence[tuple[Place, File]]) -> None:
        """Remember new time stamps of files whose content is what is stored."""
        if same:
            with self.writer.transaction(changes_content=False):
                for place, file in same:
                    self.writer.touch(place, file)

    def _prepare(self, work: Work, read: Read) -> Prepared:
        """Return a document ready to be stored."""
        for key, told in LEFT_OUT.items():
            if what := read.parsed.metadata.get(key):
                self.notes.append(Failure(work.source, told.format(what)))
        identity = work.state.document_id if work.state else self._new_id(work)
        document = document_of(identity, work, read.parsed, read.content_hash)

        spans = chunked(read.parsed, self.embedder, self.config)
        return Prepared(new_document(document, work), spans, self.embedder.fingerprint)

    def _new_id(self, work: Work) -> str:
        """Return an id that no document has: one that moved away still has that of its place."""
        identity = named(self.collection, str(work.root.id), work.source)
        while identity in self.taken or self.store.holds(identity):
            identity = named(identity)
        self.taken.add(identity)
        return identity

    def _commit(self, slab: Slab) -> None:
        self.embedded += slab.commit(self.writer, self.embedder)
        self._committed(len(slab.documents), slab.documents[-1].document.source)

    def _commit_long(self, work: Work, prepared: Prepared) -> None:
        """Store a document that is too long to be held whole with its passages.

        Its vectors are committed as they come, so that a run that is stopped has them already;
        the document and its passages are committed together, at the end.
        """
        self.done_bytes -= work.file.size
        before, count = self.done_bytes, len(prepared.document.document.text)
        for offset, texts in prepared.embedded():
            self.done_bytes = before + work.file.size * offset // count
            self._report("document", work.source)
            missing, vectors = embed_missing(texts, self.writer, self.embedder)
            self.embedded += len(missing)
            if vectors is not None:
                with self.writer.transaction(changes_content=False):
                    self.writer.mark_unfinished()
                    self.writer.put_vectors(missing, vectors)
        self.done_bytes = before + work.file.size
        with self.writer.transaction():
            self.writer.put_document(prepared.document, prepared.passages())
        self._committed(1, work.source)

    def _committed(self, documents: int, source: str) -> None:
        self.documents += documents
        self.passages = self.before + self.writer.grown
        self._report("commit", source)

    def _report(self, stage: Literal["plan", "document", "commit"], source: str) -> None:
        self.listener(
            Progress(
                stage,
                source,
                self.done_bytes,
                self.total_bytes,
                self.documents,
                self.passages,
                len(self.failed),
            )
        )


def _open(path: Path, meta: dict[str, str], embedder: Embedder) -> StoreWriter:
    """Open an index for writing, making it where there is none."""
    if (path / DATABASE).exists():
        return StoreWriter(path, meta)
    # Asked for a new index only: a model tells the length of its vectors once it is loaded.
    return StoreWriter(path, {"embedder": embedder.name, "dim": str(embedder.dim)} | meta)
