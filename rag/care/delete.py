"""Delete documents from an index by name."""

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
        file: the file it was read from.
        returns: that file is there still, so an ingest of its folder reads it again.
    """

    id: str
    source: str
    file: Path
    returns: bool


def delete(path: Path, names: Sequence[str]) -> tuple[Deleted, ...]:
    """Delete the documents that are named by source or id, all of them or none.

    Text, passages, vectors and what the quarantine keeps of them go too.

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
    """Return the document of that id, or else of that source."""
    query = """
        SELECT d.id, d.source, r.path FROM documents d JOIN roots r ON r.id = d.root
        WHERE {} = ? ORDER BY r.path
    """
    with store.reading() as connection:
        try:
            found = connection.execute(query.format("d.id"), (name,)).fetchall()
            found = found or connection.execute(query.format("d.source"), (name,)).fetchall()
        except UnicodeEncodeError:
            found = []
    if not found:
        raise ConfigError(
            f"index {store.path.name!r} has no document of source or id {printable(name)!r}; a "
            "source is what a citation names; nothing was deleted"
        )
    if len(found) > 1:
        places = ", ".join(f"{identity} (in {folder})" for identity, _, folder in found)
        raise ConfigError(
            f"{len(found)} documents have the source {name!r}; name one by its id: {places}; "
            "nothing was deleted"
        )
    ((identity, source, folder),) = found
    file = Path(folder) / source
    return Deleted(identity, source, file, file.exists())
