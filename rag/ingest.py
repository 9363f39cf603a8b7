"""Bring an index into step with folders of documents.

A run plans first (what is new, changed, gone), asks before it deletes much, then works through
the documents in slabs: load, chunk, embed what no stored vector covers, commit. Each commit
holds whole documents, so a run that dies has done a part of its work and the next does the rest.
"""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rag import derived, loaders
from rag.analysis import ANALYSIS_VERSION, language, terms
from rag.chunking import CHUNKER_VERSION, chunk, embedded_text, page_of
from rag.config import Config
from rag.errors import ConfigError, IndexNotFound, LoadError
from rag.protocols import Embedder
from rag.reference import REFERENCE
from rag.scan import File, Listing, printable, scan
from rag.store import FileState, Root, Store, index_path
from rag.types import Document, Failure, IngestReport, Parsed, Span
from rag.writer import NewDocument, NewPassage, StoreWriter, write_lock

# Embedded and committed together: enough to sort by length, few enough to lose little work.
SLAB_PASSAGES = 192
# A file changed within this time of its ingestion may change again without a new time stamp.
RACY_NS = 2_000_000_000
LANGUAGE_SAMPLE = 20_000
LANGUAGE_TAG = re.compile(r"\s*([a-z]{2})(?![a-z])")


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


@dataclass(frozen=True, slots=True)
class _Work:
    """A file that has to be read, and what is stored of it.

    `moved`: what is stored is of another file, now gone, that held the same bytes.
    """

    file: File
    root: Root
    source: str
    state: FileState | None
    moved: bool = False


@dataclass(slots=True)
class _Plan:
    work: list[_Work] = field(default_factory=list)
    unchanged: int = 0
    gone: list[FileState] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def index_meta(embedder: Embedder, config: Config) -> dict[str, str]:
    """Return what makes an index what it is; an index made with other values is refused."""
    return {
        "embedder": embedder.name,
        "embedder_fingerprint": embedder.fingerprint,
        "dim": str(embedder.dim),
        "passage_tokens": str(config.passage_tokens),
        "overlap_tokens": str(config.overlap_tokens),
        "chunker": str(CHUNKER_VERSION),
        "loaders": str(loaders.LOADERS_VERSION),
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
) -> IngestReport:
    """Make the index agree with the given folders and files.

    A file that can not be read leaves its earlier version in the index and is reported. Files
    gone from a folder that was ingested before are deleted from the index; when that would take
    more than half of its documents, `confirm(gone, total)` decides.

    Raises:
        ConfigError: a path is missing or holds nothing to ingest, or the deletion was refused.
        IndexLocked: another process is writing.
        IndexMismatch: the index was made with another model or other settings.
        StoreError: the disk is full or not writable; what was committed before is kept.
    """
    started = time.perf_counter()
    path = index_path(config.index_dir, index)
    listings = [scan(given, exclude=config.index_dir) for given in paths]
    _refuse_empty(listings, path)
    with write_lock(path):
        run = _Run(path, embedder, config, listener)
        try:
            return run.execute(listings, confirm, started)
        finally:
            run.close()


def _refuse_empty(listings: Sequence[Listing], path: Path) -> None:
    """An empty folder is a mistake, unless it is one that held documents before."""
    if not any(listing.files for listing in listings) and not _held_before(listings, path):
        names = ", ".join(printable(str(listing.root)) for listing in listings)
        skipped = sum(len(listing.skipped) for listing in listings)
        raise ConfigError(
            f"{names} holds no file that can be ingested ({skipped} skipped); expected "
            f"{', '.join(sorted(loaders.LOADERS))}"
        )


def _held_before(listings: Sequence[Listing], path: Path) -> bool:
    try:
        store = Store(path)
    except IndexNotFound:
        return False
    with closing(store):
        roots = store.roots()
        places = [root.path for root in roots]
        places += [root.path / source for root in roots for source in store.files(root.id)]
    # In a folder, or the folder itself: a file that is given alone tells nothing of others.
    return any(
        listing.whole and place.is_relative_to(listing.root)
        for listing in listings
        for place in places
    )


class _Run:
    """One run over one index, under its write lock."""

    def __init__(self, path: Path, embedder: Embedder, config: Config, listener: Listener) -> None:
        meta = index_meta(embedder, config)
        self.collection = path.name
        self.embedder = embedder
        self.config = config
        self.listener = listener
        with ExitStack() as opened:
            self.writer = opened.enter_context(closing(StoreWriter(path, meta)))
            self.store = opened.enter_context(closing(Store(path)))
            self.store.check(**{k: v for k, v in meta.items() if k != "embedder"})
            self._opened = opened.pop_all()
        self.taken: set[str] = set()
        self.done_bytes = self.total_bytes = self.documents = self.embedded = 0
        self.failed: list[Failure] = []
        self.passages = self.store.count()[1]

    def close(self) -> None:
        self._opened.close()

    def execute(
        self, listings: Sequence[Listing], confirm: Confirm, started: float
    ) -> IngestReport:
        self._remember_reference()
        known = self.store.roots()
        roots = _with_given(known, listings)
        plan = self._plan(listings, roots)
        self._confirm_deletion(plan, confirm)
        if new := roots[len(known) :]:
            with self.writer.transaction(changes_content=False):
                self.writer.put_roots(new)
        self.failed += plan.failed
        self.total_bytes = sum(work.file.size for work in plan.work)
        self._report("plan", "")
        if plan.gone:
            with self.writer.transaction():
                self.writer.delete_documents(state.document_id for state in plan.gone)
        added, updated, touched = self._work_through(plan.work)
        derived.save(self.store)
        return IngestReport(
            added=added,
            updated=updated,
            unchanged=plan.unchanged + touched,
            deleted=len(plan.gone),
            failed=tuple(self.failed),
            skipped=tuple(plan.skipped),
            passages=self.store.count()[1],
            embedded=self.embedded,
            seconds=time.perf_counter() - started,
        )

    # -- planning ---------------------------------------------------------------------------

    def _remember_reference(self) -> None:
        if not self.store.reference():
            vectors = {
                language: self.embedder.embed_passages(sentences)
                for language, sentences in REFERENCE.items()
            }
            with self.writer.transaction():
                self.writer.put_reference(vectors)

    def _plan(self, listings: Sequence[Listing], roots: Sequence[Root]) -> _Plan:
        plan = _Plan()
        known = {root.id: self.store.files(root.id) for root in roots}
        self.taken = {state.document_id for files in known.values() for state in files.values()}
        seen: set[tuple[int, str]] = set()
        for listing in listings:
            plan.skipped += listing.skipped
            plan.failed += listing.failed
            for file in listing.files:
                root = _owner(file.path, roots)
                source = file.path.relative_to(root.path).as_posix()
                if (root.id, source) not in seen:
                    seen.add((root.id, source))
                    self._plan_file(_Work(file, root, source, known[root.id].get(source)), plan)
        for root in roots:
            for source, state in known[root.id].items():
                if (root.id, source) not in seen and _is_gone(root.path / source, listings):
                    plan.gone.append(state)
        _find_moved(plan)
        return plan

    def _plan_file(self, work: _Work, plan: _Plan) -> None:
        state = work.state
        settled = state is not None and work.file.mtime_ns < state.ingested_ns - RACY_NS
        if (
            state is not None
            and settled
            and (work.file.size, work.file.mtime_ns) == (state.size, state.mtime_ns)
        ):
            plan.unchanged += 1
        else:
            plan.work.append(work)

    def _confirm_deletion(self, plan: _Plan, confirm: Confirm) -> None:
        total = self.store.count()[0]
        gone = len(plan.gone)
        if gone * 2 > total and not confirm(gone, total):
            raise ConfigError(
                f"{gone} of the index's {total} documents are gone from their folder and would be "
                "deleted; nothing was changed: check the folder, or confirm with --yes"
            )

    # -- working ----------------------------------------------------------------------------

    def _work_through(self, work: Sequence[_Work]) -> tuple[int, int, int]:
        """Return how many documents were added, updated, and found to be the same after all."""
        added = updated = 0
        same: list[_Work] = []
        slab: list[tuple[_Work, NewDocument, list[str]]] = []
        for item in work:
            self._report("document", item.source)
            prepared = self._prepare(item)
            self.done_bytes += item.file.size
            if isinstance(prepared, FileState):
                same.append(item)
            elif prepared is not None:
                slab.append((item, *prepared))
                added += item.state is None
                updated += item.state is not None
            if sum(len(new.passages) for _, new, _ in slab) >= SLAB_PASSAGES:
                self._commit(slab)
                slab.clear()
        if slab:
            self._commit(slab)
        self._touch(same)
        return added, updated, len(same)

    def _touch(self, same: Sequence[_Work]) -> None:
        """Remember new time stamps of files whose content is what is stored."""
        if same:
            with self.writer.transaction(changes_content=False):
                for work in same:
                    self.writer.touch(work.source, work.root.id, work.file)

    def _prepare(self, work: _Work) -> tuple[NewDocument, list[str]] | FileState | None:
        """Return a document with its embedded texts; its state if unchanged; None if it failed."""
        try:
            content_hash = _hash_file(work.file.path)
            same = work.state is not None and work.state.content_hash == content_hash
            if work.state is not None and same and not work.moved:
                return work.state
            parsed = loaders.load(work.file.path)
        except (LoadError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            self.failed.append(Failure(work.source, reason or str(error)))
            return None
        spans = chunk(
            parsed,
            self.embedder.tokenizer,
            max_tokens=self.config.passage_tokens,
            overlap_tokens=self.config.overlap_tokens,
            embedded_tokens=self.embedder.max_tokens,
        )
        return self._new_document(work, parsed, content_hash, spans)

    def _new_document(
        self, work: _Work, parsed: Parsed, content_hash: str, spans: Sequence[Span]
    ) -> tuple[NewDocument, list[str]]:
        identity = work.state.document_id if work.state else self._new_id(work)
        document = Document(
            id=identity,
            source=work.source,
            title=parsed.title,
            text=parsed.text,
            headings=parsed.headings,
            pages=parsed.pages,
            language=_language(parsed),
            metadata=parsed.metadata,
            content_hash=content_hash,
        )
        texts = [embedded_text(span.section, parsed.text[span.start : span.end]) for span in spans]
        passages = tuple(self._passages(document, spans, texts))
        date = parsed.metadata.get("date") or _date(work.file.mtime_ns)
        new = NewDocument(
            document, work.root.id, date, work.file.size, work.file.mtime_ns, passages
        )
        return new, texts

    def _new_id(self, work: _Work) -> str:
        """Return an id that no document has: one that moved away still has that of its place."""
        identity = _digest(self.collection, str(work.root.id), work.source)
        while identity in self.taken:
            identity = _digest(identity)
        self.taken.add(identity)
        return identity

    def _passages(
        self, document: Document, spans: Sequence[Span], texts: Sequence[str]
    ) -> Iterator[NewPassage]:
        seen: Counter[str] = Counter()
        for span, embedded in zip(spans, texts, strict=True):
            text = document.text[span.start : span.end]
            seen[text] += 1
            yield NewPassage(
                id=_digest(document.id, text, str(seen[text])),
                start=span.start,
                end=span.end,
                page=page_of(document.pages, span.start),
                page_starts=tuple(at for at in document.pages if span.start < at < span.end),
                section=span.section,
                text=text,
                vector_key=bytes.fromhex(_digest(self.embedder.fingerprint, embedded)),
                terms=Counter(terms(f"{document.title}\n{embedded}")),
            )

    def _commit(self, slab: Sequence[tuple[_Work, NewDocument, list[str]]]) -> None:
        wanted = {
            passage.vector_key: text
            for _, new, texts in slab
            for passage, text in zip(new.passages, texts, strict=True)
        }
        known = self.writer.known_vectors(list(wanted))
        missing = {key: text for key, text in wanted.items() if key not in known}
        vectors = self.embedder.embed_passages(list(missing.values())) if missing else None
        with self.writer.transaction():
            if vectors is not None:
                self.writer.put_vectors(list(missing), vectors)
            for _, new, _ in slab:
                self.writer.put_document(new)
        self.embedded += len(missing)
        self.documents += len(slab)
        self.passages = self.store.count()[1]
        self._report("commit", slab[-1][0].source)

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


def _owner(path: Path, roots: Sequence[Root]) -> Root:
    """Return the deepest root above the path: a file belongs to one root only."""
    above = [root for root in roots if path.is_relative_to(root.path)]
    return max(above, key=lambda root: len(root.path.parts))


def _with_given(known: Sequence[Root], listings: Sequence[Listing]) -> list[Root]:
    """Return the known folders, then the given ones that lie inside none before them."""
    roots = list(known)
    following = max((root.id for root in known), default=0) + 1
    for listing in listings:
        if not any(listing.root.is_relative_to(root.path) for root in roots):
            roots.append(Root(following, listing.root))
            following += 1
    return roots


def _is_gone(path: Path, listings: Sequence[Listing]) -> bool:
    """Tell whether a listing that would have come upon a path does not list it."""
    return any(
        listing.whole
        and path.is_relative_to(listing.root)
        and not any(path.is_relative_to(folder) for folder in listing.unread)
        and not any(part.startswith(".") for part in path.relative_to(listing.root).parts)
        for listing in listings
    )


def _find_moved(plan: _Plan) -> None:
    """Let new files take over the documents of files that are gone and held the same bytes."""
    gone = {(state.size, state.content_hash): state for state in plan.gone}
    sizes = {size for size, _ in gone}
    for i, work in enumerate(plan.work):
        if work.state is None and work.file.size in sizes:
            try:
                key = (work.file.size, _hash_file(work.file.path))
            except OSError:  # told when it is read
                continue
            if state := gone.pop(key, None):
                plan.work[i] = replace(work, state=state, moved=True)
                plan.gone.remove(state)


def _digest(*parts: str) -> str:
    """Return 32 hex digits that name the parts."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8"), digest_size=16).hexdigest()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _language(parsed: Parsed) -> str:
    """Return the language that the file names, if it names one, else the one it is written in."""
    named = LANGUAGE_TAG.match(parsed.metadata.get("lang", "").lower())
    return named[1] if named else language(parsed.text[:LANGUAGE_SAMPLE])


def _date(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).date().isoformat()
