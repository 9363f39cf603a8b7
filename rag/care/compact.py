"""Write an index anew without gaps, and without a trace of what was deleted from it."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rag import derived
from rag.care import migrate, quarantine, salvage, snapshot
from rag.care.caretaker import Caretaker
from rag.schema import translating
from rag.store import DATABASE, Store, require_index
from rag.writer import write_lock


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compacting came to.

    Attributes:
        terms: how many terms of deleted documents left the vocabulary.
        before, after: bytes of the database and its log.
        log_empty: False when a reader kept the log from being emptied: the next writer does it.
        quarantined: the files in the quarantine, which is left as it is.
    """

    terms: int
    before: int
    after: int
    log_empty: bool
    quarantined: tuple[Path, ...]


def compact(path: Path) -> Compacted:
    """Compact the index in folder `path`; it answers all the while.

    Terms that no passage holds leave the vocabulary, the database is written anew, its log is
    emptied, what is derived is made anew, and what an interrupted migration or restore has left
    is deleted.

    Raises:
        IndexNotFound: there is no index.
        IndexLocked: another process is writing.
        StoreError: the disk is full: room for a copy of the database is needed.
    """
    require_index(path)
    with write_lock(path):
        before = _bytes(path)
        with closing(Caretaker(path)) as caretaker:
            with caretaker.transaction():
                caretaker.drop_unused_vectors()
                terms = caretaker.drop_unused_terms()
            emptied = caretaker.vacuum()
        with translating(path):
            for leftover in (migrate.DRAFT, salvage.DRAFT, snapshot.DRAFT):
                shutil.rmtree(path / leftover, ignore_errors=True)
        with closing(Store(path)) as store:
            derived.save(store, anew=True)
        return Compacted(terms, before, _bytes(path), emptied, tuple(quarantine.kept(path)))


def _bytes(path: Path) -> int:
    files = (path / (DATABASE + suffix) for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
