"""Read everything an index holds, and name each thing that is wrong."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rag import base, derived
from rag.care.contents import database_findings
from rag.care.findings import Finding, Listener, Part, Verified, silent
from rag.errors import IndexCorrupt
from rag.schema import connect
from rag.store import Store


def verify(path: Path, listener: Listener = silent) -> Verified:
    """Compare all of the index in folder `path` with what was written; nothing is changed.

    One transaction reads it all: an ingest beside it does not disturb.

    Args:
        listener: is told how far it is.
    Raises:
        IndexNotFound: there is no index.
        IndexMismatch: it has an earlier schema.
        StoreError: it can not be read for another reason than damage.
    """
    try:
        store = Store(path)
    except IndexCorrupt as error:
        return Verified(0, 0, 0, (_unreadable(path, error),))
    try:
        with closing(store), store.reading() as connection:
            findings = list(database_findings(connection, terms=True, listener=listener))
            if all(finding.part is not Part.DATABASE for finding in findings):
                listener("derived files", 0, 0)
                findings += _derived_findings(store)
            return Verified(*_counts(connection), tuple(findings))
    except IndexCorrupt as error:
        return Verified(0, 0, 0, (_unreadable(path, error),))


def verify_database(path: Path) -> tuple[Finding, ...]:
    """Return what is wrong with a database file that lies anywhere, such as in a snapshot.

    All but the terms, which a repair can make of the texts: analysing those again is most of the
    work of `verify`.
    """
    try:
        with closing(connect(path, writable=False)) as connection:
            return tuple(database_findings(connection, terms=False))
    except IndexCorrupt as error:
        return (_unreadable(path, error),)


def _unreadable(path: Path, error: Exception) -> Finding:
    return Finding(Part.DATABASE, path.name, str(error))


def _counts(connection: sqlite3.Connection) -> tuple[int, int, int]:
    tables = ("documents", "passages", "vectors")
    documents, passages, vectors = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    )
    return documents, passages, vectors


def _derived_findings(store: Store) -> Iterator[Finding]:
    try:
        for problem in derived.differences(store):
            yield Finding(Part.DERIVED, base.FOLDER, problem)
    except IndexCorrupt:
        return  # the store is damaged, which has been found: nothing can be derived from it
