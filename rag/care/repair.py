"""Rebuild what is derived, and move what is damaged out of the way of the rest."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rag import derived
from rag.care import quarantine, salvage
from rag.care.caretaker import Caretaker
from rag.care.findings import Finding, Part
from rag.care.verify import verify
from rag.errors import IndexCorrupt
from rag.store import DATABASE, Store, require_index
from rag.writer import write_lock


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        database: where the database was moved; None when it stayed.
        saved: how many documents of a database that was moved are in the new one.
        documents: the files in which documents that were taken out are kept.
        mended: what was made anew.
        left: what is wrong still.
    """

    database: Path | None = None
    documents: tuple[Path, ...] = ()
    mended: tuple[Part, ...] = ()
    left: tuple[Finding, ...] = ()
    saved: int = 0

    @property
    def healthy(self) -> bool:
        """True when there is an index that answers, and nothing is wrong with it."""
        return (self.database is None or self.saved > 0) and not self.left


def repair(path: Path) -> Repaired:
    """Bring the index in folder `path` in order without its files or a model.

    A document with anything that does not match its checksum is moved to the quarantine, so that
    the rest answers and the next ingest reads its file again. A database whose pages are damaged
    is moved there whole, and the documents of it that are whole make a new one.

    Raises:
        IndexNotFound: there is no index.
        IndexLocked: another process is writing.
    """
    if not (path / salvage.DRAFT / DATABASE).exists():
        require_index(path)
    with write_lock(path):
        salvage.resume(path)
        try:
            return _repaired(path)
        except IndexCorrupt:
            return _replaced(path)


def _repaired(path: Path) -> Repaired:
    """Repair the database where it is.

    Raises:
        IndexCorrupt: that can not be done.
    """
    with closing(Caretaker(path)) as caretaker:
        mended = _rebuilt_indexes(caretaker)
    findings = verify(path).findings
    if any(finding.part is Part.DATABASE for finding in findings):
        raise IndexCorrupt(f"{path / DATABASE} has damaged pages; a new one is made")
    documents = _take_out(path, findings)
    mended += _mend(path, {finding.part for finding in findings})
    return Repaired(None, documents, mended, verify(path).findings)


def _replaced(path: Path) -> Repaired:
    """Move the database aside, and put a new one of its whole documents in its place."""
    saved = salvage.salvage(path)
    moved = quarantine.put_database(path)
    if not saved:
        return Repaired(database=moved)
    salvage.resume(path)
    with closing(Store(path)) as store:
        derived.save(store)
    return Repaired(database=moved, left=verify(path).findings, saved=saved)


def _rebuilt_indexes(caretaker: Caretaker) -> tuple[Part, ...]:
    if caretaker.sound():
        return ()
    caretaker.rebuild_indexes()
    return (Part.INDEX,)


def _take_out(path: Path, findings: Sequence[Finding]) -> tuple[Path, ...]:
    """Move the documents that can not be trusted to the quarantine."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for finding in findings:
        for identity in finding.documents:
            reasons[identity].append(f"{finding.where}: {finding.problem}")
    files = [quarantine.put_document(path, each, why) for each, why in reasons.items()]
    if files:
        with closing(Caretaker(path)) as caretaker, caretaker.transaction():
            caretaker.delete_documents(reasons)
    return tuple(files)


def _mend(path: Path, parts: set[Part]) -> tuple[Part, ...]:
    """Make anew what can be made of the rest; return what was."""
    with closing(Caretaker(path)) as caretaker:
        if parts & {Part.VECTOR, Part.REFERENCE, Part.TERMS, Part.COPY}:
            with caretaker.transaction():
                caretaker.drop_unused_vectors()
                if Part.COPY in parts:
                    caretaker.drop_damaged_copies()
                if Part.REFERENCE in parts:
                    caretaker.drop_reference()
                if Part.TERMS in parts:
                    caretaker.rebuild_terms()
    if parts:
        with closing(Store(path)) as store:
            derived.save(store, anew=True)
    return tuple(sorted(parts & {Part.REFERENCE, Part.TERMS, Part.DERIVED, Part.COPY}))
