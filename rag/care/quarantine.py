"""Where damaged things are put: moved out of the index, never deleted.

The folder `quarantine` of an index holds a JSON file for each document that was taken out, with
all that could be read of it, and each database that could not be opened, as it was.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.schema import translating
from rag.store import DATABASE
from rag.views import Json

FOLDER = "quarantine"
LOGS = ("-wal", "-shm")

Value = str | int | float | bytes | None


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def kept(path: Path) -> list[Path]:
    """Return the files in the quarantine of the index in folder `path`."""
    return sorted(file for file in (path / FOLDER).glob("*") if file.is_file())


def put_database(path: Path) -> Path:
    """Move the database of an index aside, with its log; return where it is."""
    folder = path / FOLDER
    with translating(folder):
        folder.mkdir(exist_ok=True)
        target = folder / f"{_stamp()}-{DATABASE}"
        # The log first: beside a database that comes later it would be taken for that one's.
        for suffix in (*LOGS, ""):
            file = path / (DATABASE + suffix)
            if file.exists():
                file.replace(target.with_name(target.name + suffix))
    return target


def put_document(path: Path, identity: str, reasons: Sequence[str]) -> Path:
    """Write what can be read of a document into the quarantine; return the file.

    It is on disk when this returns: the document may be deleted then.
    """
    folder = path / FOLDER
    with translating(folder):
        folder.mkdir(exist_ok=True)
        file = folder / f"{_stamp()}-{identity}.json"
        with closing(sqlite3.connect(path / DATABASE)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            told = {"id": identity, "reasons": list(reasons), **_read(connection, identity)}
        with file.open("w", encoding="utf-8") as written:
            json.dump(told, written, ensure_ascii=False, indent=1)
            written.flush()
            os.fsync(written.fileno())
    return file


def _read(connection: sqlite3.Connection, identity: str) -> Json:
    queries = {
        "document": """
            SELECT d.*, r.path AS folder FROM documents d LEFT JOIN roots r ON r.id = d.root
            WHERE d.id = ?
        """,
        "copies": "SELECT * FROM copies WHERE document = ? ORDER BY root, source",
        "segments": "SELECT * FROM segments WHERE document = ? ORDER BY start",
        "passages": "SELECT * FROM passages WHERE document = ? ORDER BY start",
        "vectors": """
            SELECT * FROM vectors WHERE key IN (SELECT vector_key FROM passages WHERE document = ?)
        """,
    }
    return {name: list(_rows(connection, query, identity)) for name, query in queries.items()}


def _rows(connection: sqlite3.Connection, query: str, identity: str) -> Iterator[Json]:
    try:
        cursor = connection.execute(query, (identity,))
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield {name: _plain(value) for name, value in zip(names, row, strict=True)}
    except sqlite3.DatabaseError as error:
        yield {"error": str(error)}


def _plain(value: Value) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def forget(path: Path, identities: Iterable[str]) -> list[Path]:
    """Delete what the quarantine keeps of documents; return the files that are gone."""
    wanted = set(identities)
    gone = [file for file in kept(path) if _identity(file) in wanted]
    with translating(path / FOLDER):
        for file in gone:
            file.unlink()
    return gone


def _identity(file: Path) -> str:
    return file.stem.partition("-")[2] if file.suffix == ".json" else ""
