"""Ingestion jobs as they are stored: what is to be done, how far it is, what came of it."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.database import ServiceDatabase, now
from rag.views import Json

COLUMNS = "id, collection, created, state, attempts, finished, files, progress, report, error"
NOT_BEGUN: Json = {"done_bytes": 0, "total_bytes": 0, "documents": 0, "failed": 0}
# So often a job may be found begun and unfinished, before it is taken for what kills the server.
ATTEMPTS = 3


class State(StrEnum):
    """How far a job is; the last two are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


ENDS = frozenset({State.DONE, State.FAILED})


@dataclass(frozen=True, slots=True)
class Job:
    """Bringing a collection into step with what was uploaded to it.

    Attributes:
        files: `{"id", "name", "size"}` of each upload it was made for.
        progress: `NOT_BEGUN` and on.
        report: `rag.views.ingest_view` with the names of uploads; None before the end.
        error: `{"code", "message"}` of a job that failed as a whole.
    """

    id: str
    collection: str
    created: str
    state: State
    attempts: int
    finished: str | None
    files: list[Json]
    progress: Json
    report: Json | None
    error: Json | None


class Jobs:
    """The jobs of a service."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Take the database that holds them."""
        self._database = database

    def add(self, collection: str, files: Sequence[Json]) -> Job:
        """Queue a job."""
        identity, created = "job_" + secrets.token_hex(16), now()
        record = (identity, collection, created, State.QUEUED)
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO jobs(id, collection, created, state, files, progress)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*record, json.dumps(list(files)), json.dumps(NOT_BEGUN)),
            )
        return Job(*record, 0, None, list(files), NOT_BEGUN, None, None)

    def get(self, identity: str) -> Job | None:
        """Return a job, None where there is none of that id."""
        found = self._select("WHERE id = ?", (identity,))
        return found[0] if found else None

    def first(self) -> Job | None:
        """Return the oldest job that waits, None where none does."""
        found = self._select("WHERE state = 'queued' ORDER BY number LIMIT 1", ())
        return found[0] if found else None

    def _select(self, clause: str, values: tuple[Any, ...]) -> list[Job]:
        if not self._database.exists():
            return []
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT {COLUMNS} FROM jobs {clause}", values).fetchall()
        return [_job(record) for record in found]

    def begin(self, identity: str) -> None:
        """Note that a job is being worked on."""
        self._set(identity, "state = 'running', attempts = attempts + 1", ())

    def progress(self, identity: str, progress: Json) -> None:
        """Note how far it is."""
        self._set(identity, "progress = ?", (json.dumps(progress),))

    def done(self, identity: str, report: Json) -> None:
        """Note what came of it."""
        self._set(
            identity,
            "state = 'done', report = ?, finished = ?",
            (json.dumps(report), now()),
        )

    def failed(self, identity: str, code: str, message: str) -> None:
        """Note why it failed as a whole."""
        error = json.dumps({"code": code, "message": message})
        self._set(identity, "state = 'failed', error = ?, finished = ?", (error, now()))

    def put_back(self, identity: str) -> None:
        """Let a job wait again that was begun and could not go on; that is no attempt."""
        self._set(identity, "state = 'queued', attempts = max(attempts - 1, 0)", ())

    def recover(self) -> int:
        """Let jobs wait again whose process died, but those that it died of; return how many.

        Only the process that runs jobs may call this, before it begins one.
        """
        if not self._database.exists():
            return 0
        told = {
            "code": "interrupted",
            "message": f"the server ended {ATTEMPTS} times while it was being done; "
            "upload its files again, fewer at a time",
        }
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'failed', error = ?, finished = ?"
                " WHERE state = 'running' AND attempts >= ?",
                (json.dumps(told), now(), ATTEMPTS),
            )
            return connection.execute(
                "UPDATE jobs SET state = 'queued' WHERE state = 'running'"
            ).rowcount

    def _set(self, identity: str, values: str, given: tuple[Any, ...]) -> None:
        with self._database.writing() as connection:
            connection.execute(f"UPDATE jobs SET {values} WHERE id = ?", (*given, identity))


def _job(record: tuple[Any, ...]) -> Job:
    identity, collection, created, state, attempts, finished, *values = record
    files, progress, report, error = ("null" if value is None else value for value in values)
    return Job(
        identity,
        collection,
        created,
        State(state),
        attempts,
        finished,
        json.loads(files),
        json.loads(progress),
        json.loads(report),
        json.loads(error),
    )
