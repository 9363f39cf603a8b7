"""The log of changes: which passages came and went with each commit since what is saved.

A record a commit, chained by the versions before and after it, each with a checksum: what was
derived from one version can be brought to a later one only where the chain leads from the one to
the other whole. A passage whose terms, vector or language change "comes" again. Rows are never
used twice, so what has gone never comes back, and the order within a stretch of the log tells
nothing.
"""

import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.protocols import Rows
from rag.schema import checksum

VERSION = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'version'"
RECORD = "INSERT INTO changes(before, version, came, gone, checksum) VALUES (?, ?, ?, ?, ?)"
CHAIN = """
    SELECT before, version, came, gone, checksum FROM changes
    WHERE seq >= (SELECT seq FROM changes WHERE before = ?) ORDER BY seq
"""
PRUNE = "DELETE FROM changes WHERE seq <= (SELECT seq FROM changes WHERE version = ?)"


@dataclass(slots=True)
class Commit:
    """The rows of the passages that one transaction touches, and how many of them are new."""

    came: "array[int]" = field(default_factory=lambda: array("q"))
    gone: "array[int]" = field(default_factory=lambda: array("q"))
    new: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What a stretch of the log comes to.

    Attributes:
        present: rows of passages that came and are there at its end, ascending.
        gone: rows of passages that are not, ascending; some of them came within the stretch.
    """

    present: Rows
    gone: Rows

    @property
    def touched(self) -> Rows:
        """Of these rows nothing that was derived before the stretch holds any more."""
        return np.union1d(self.present, self.gone)

    def __len__(self) -> int:
        return len(self.present) + len(self.gone)


def present_version(connection: sqlite3.Connection) -> int:
    """Return the number of the last committed change.

    Raises:
        sqlite3.DatabaseError: the database is damaged.
    """
    found = connection.execute(VERSION).fetchone()
    if found is None:
        raise sqlite3.DatabaseError("the number of its version is missing")
    return int(found[0])


def record(connection: sqlite3.Connection, before: int, commit: Commit) -> None:
    """Add to the log, in the transaction that changes the passages, what it changes.

    Args:
        before: the version that the transaction found; it has reached another by now.
    """
    fields = (before, present_version(connection), _packed(commit.came), _packed(commit.gone))
    connection.execute(RECORD, (*fields, checksum(*fields)))


def since(connection: sqlite3.Connection, version: int) -> Changes | None:
    """Return what has changed from a version to the present one.

    Returns:
        None where the log does not lead from the one to the other whole.
    """
    present = present_version(connection)
    came, gone = [_unpacked(b"")], [_unpacked(b"")]
    reached = version
    for before, after, *rows, found in connection.execute(CHAIN, (version,)):
        if before != reached or checksum(before, after, *rows) != found:
            return None
        came.append(_unpacked(rows[0]))
        gone.append(_unpacked(rows[1]))
        reached = after
    if reached != present:
        return None
    lost = np.unique(np.concatenate(gone))
    return Changes(np.setdiff1d(np.concatenate(came), lost), lost)


def prune(connection: sqlite3.Connection, version: int) -> None:
    """Forget what led to a version: something is saved for it."""
    connection.execute(PRUNE, (version,))


def forget(connection: sqlite3.Connection) -> None:
    """Forget everything: nothing that was derived before can be brought up to date."""
    connection.execute("DELETE FROM changes")


def _packed(rows: Sequence[int]) -> bytes:
    return np.array(rows, dtype="<i8").tobytes()


def _unpacked(rows: bytes) -> Rows:
    return np.frombuffer(rows, dtype="<i8").astype(np.int64)
