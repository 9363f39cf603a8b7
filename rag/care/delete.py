"""Delete documents from an index by name."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rag import derived
from rag.care import quarantine
from rag.care.caretaker import Caretaker
from rag.errors import ConfigError
from rag.scan import printable
from rag.store import Store
from rag.writer import write_lock


@dataclass(frozen=True, slots=True)
class Deleted:
    """A document that was deleted.

    Attributes:
        file: one of its files that is there still, else the one it was read from.
        returns: that file is there still, so an ingest of its folder reads it again.
        also_in: the further files that held the same; it was deleted with all of them.
    """

    id: str
    source: str
    file: Path
    returns: bool
    also_in: tuple[str, ...] = ()


def delete(path: Path, names: Sequence[str]) -> tuple[Deleted, ...]:
    """Delete the documents that are named by source or id, all of them or none.

    Text, passages, vectors and what the quarantine keeps of them go too. A document that several
    files hold may be named by any of them, and is deleted whole: nothing answers with its text.

    Raises:
        IndexNotFound: there is no index.
        IndexLocked: another process is writing.
        ConfigError: a name is no document's, or the source of several.
    """
    with closing(Store(path)) as store:  # a mistake is told without the lock
        found = {each.id: each for name in names for each in [_find(store, name)]}
    with write_lock(path):
        with closing(Caretaker(path)) as caretaker, caretaker.transaction():
            caretaker.delete_documents(found)
        quarantine.forget(path, found)
        with closing(Store(path)) as store:
            derived.save(store)
    return tuple(found.values())


def _find(store: Store, name: str) -> Deleted:
    """Return the document of that id, or else that which a file of that source holds."""
    query = """
        SELECT d.id, d.source, r.path FROM documents d JOIN roots r ON r.id = d.root
        WHERE {} ORDER BY r.path, d.id
    """
    by_source = "d.source = ?1 OR d.id IN (SELECT document FROM copies WHERE source = ?1)"
    with store.reading() as connection:
        try:
            found = connection.execute(query.format("d.id = ?1"), (name,)).fetchall()
            found = found or connection.execute(query.format(by_source), (name,)).fetchall()
        except UnicodeEncodeError:
            found = []
        if not found:
            raise ConfigError(
                f"index {store.path.name!r} has no document of source or id {printable(name)!r}; "
                "a source is what a citation names; nothing was deleted"
            )
        if len(found) > 1:
            places = ", ".join(f"{identity} (in {folder})" for identity, _, folder in found)
            raise ConfigError(
                f"{len(found)} documents have the source {name!r}; name one by its id: {places}; "
                "nothing was deleted"
            )
        return _deleted(connection, *found[0])


def _deleted(connection: sqlite3.Connection, identity: str, source: str, folder: str) -> Deleted:
    query = """
        SELECT r.path, c.source FROM copies c JOIN roots r ON r.id = c.root
        WHERE c.document = ? ORDER BY c.root, c.source
    """
    further = connection.execute(query, (identity,)).fetchall()
    files = [Path(each) / name for each, name in [(folder, source), *further]]
    file = next((file for file in files if file.exists()), files[0])
    return Deleted(identity, source, file, file.exists(), tuple(name for _, name in further))
