"""Collections: each is an index of its own, so nothing of one is ever ranked in another."""

import secrets
import shutil
from contextlib import closing
from pathlib import Path

from fastapi import HTTPException

from api.access import caller
from api.database import ServiceDatabase
from rag.config import Config
from rag.errors import RagError
from rag.ingest import made_with
from rag.protocols import Embedder
from rag.store import DATABASE, NAME, Store, index_path, not_found, require_index
from rag.views import Json
from rag.writer import StoreWriter, write_lock


def reach(index_dir: Path, name: str) -> Path:
    """Return the folder of a collection, if it is there for whoever asks.

    Raises:
        ConfigError: the name is not usable.
        IndexNotFound: there is none of that name, or the caller's key does not reach it: which of
            the two is not told.
    """
    path = index_path(index_dir, name)
    if not caller().reaches(name):
        raise not_found(path)
    require_index(path)
    return path


def names(index_dir: Path) -> list[str]:
    """Return the collections that the caller may know of."""
    who = caller()
    found = (path.parent.name for path in index_dir.glob(f"*/{DATABASE}"))
    return sorted(name for name in found if NAME.fullmatch(name) and who.reaches(name))


def collection_view(path: Path) -> Json:
    """Return what a collection holds; one that is damaged says so in place of numbers."""
    try:
        with closing(Store(path)) as store:
            documents, passages = store.count()
    except RagError as error:
        return {"name": path.name, "documents": None, "passages": None, "problem": error.code}
    return {"name": path.name, "documents": documents, "passages": passages, "problem": None}


def create(config: Config, name: str, embedder: Embedder) -> Path:
    """Make an empty collection.

    Raises:
        ConfigError: the name is not usable.
        HTTPException: 403 the caller's key does not reach the name, 409 it is taken.
    """
    path = index_path(config.index_dir, name)
    if not caller().reaches(name):
        raise HTTPException(403, "this key may not use that name")
    meta = made_with(embedder, config)
    with write_lock(path):
        if (path / DATABASE).exists():
            raise HTTPException(409, f"there is a collection {name!r} already")
        full = {"embedder": embedder.name, "dim": str(embedder.dim)} | meta
        StoreWriter(path, full).close()
    return path


def delete(config: Config, name: str, database: ServiceDatabase) -> None:
    """Delete a collection: its index, its uploads, its answers, feedback and jobs.

    Raises:
        IndexNotFound: there is none, for the caller.
        IndexLocked: it is being written.
    """
    path = reach(config.index_dir, name)
    grave = config.index_dir / f".deleted-{secrets.token_hex(8)}"
    with write_lock(path):
        path.rename(grave)  # at once; readers go on with the files they have open
    if database.exists():
        with database.writing() as connection:
            for table in ("answers", "feedback", "uploads", "jobs"):
                connection.execute(f"DELETE FROM {table} WHERE collection = ?", (name,))
    shutil.rmtree(grave, ignore_errors=True)
