"""Stored answers: what was said, and whether the sources still say it."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from api.database import ServiceDatabase, now
from rag.store import Store
from rag.views import Json


class SourceState(StrEnum):
    """What has become of a cited source since the answer was given.

    CHANGED covers both a document whose file holds something else and a quote that is no longer
    where it was.
    """

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent.

    Attributes:
        key: id of the key it was given to; None where none was in use.
        body: the response, `id` included.
        sources: content hash by the id of each cited document, as they were then.
    """

    id: str
    key: str | None
    collection: str
    created: str
    body: Json
    sources: Mapping[str, str]


class Answers:
    """The answers of a service, kept for some days."""

    def __init__(self, database: ServiceDatabase, days: int) -> None:
        """Take the database, and after how many days answers are forgotten; 0 stores none."""
        self._database = database
        self._days = days

    def put(self, body: Json, collection: str, key: str | None, sources: Mapping[str, str]) -> Json:
        """Store an answer and return it with its id; where none are stored, the id is None."""
        if not self._days:
            return {"id": None, **body}
        whole = {"id": "ans_" + secrets.token_hex(16), **body}
        record = (whole["id"], key, collection, now(), _dumped(whole), _dumped(sources))
        oldest = datetime.now(UTC) - timedelta(days=self._days)
        with self._database.writing() as connection:
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", record)
            connection.execute(
                "DELETE FROM answers WHERE created < ?", (oldest.isoformat("T", "milliseconds"),)
            )
        return whole

    def get(self, identity: str) -> StoredAnswer | None:
        """Return a stored answer, None where there is none of that id."""
        if not self._database.exists():
            return None
        query = "SELECT id, key, collection, created, body, sources FROM answers WHERE id = ?"
        with self._database.reading() as connection:
            record = connection.execute(query, (identity,)).fetchone()
        if record is None:
            return None
        identity, key, collection, created, body, sources = record
        return StoredAnswer(
            identity, key, collection, created, json.loads(body), json.loads(sources)
        )


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def content_hashes(store: Store, documents: Iterable[str]) -> dict[str, str]:
    """Return the content hashes of those documents that are in an index, by id."""
    wanted = sorted(set(documents))
    marks = ", ".join("?" * len(wanted))
    query = f"SELECT id, content_hash FROM documents WHERE id IN ({marks})"
    with store.reading() as connection:
        return dict(connection.execute(query, wanted))


def source_states(stored: StoredAnswer, store: Store | None) -> list[SourceState]:
    """Return, for each citation of a stored answer in order, what has become of its source.

    Args:
        store: of the collection; None where that is gone.
    """
    citations = stored.body["citations"]
    if store is None:
        return [SourceState.GONE] * len(citations)
    with store.reading():
        present = content_hashes(store, (citation["document_id"] for citation in citations))
        return [_state(citation, stored.sources, present, store) for citation in citations]


def _state(
    citation: Json, before: Mapping[str, str], present: Mapping[str, str], store: Store
) -> SourceState:
    document = citation["document_id"]
    if document not in present:
        return SourceState.GONE
    if before.get(document) != present[document]:
        return SourceState.CHANGED
    found = store.document(document)
    # An index made over with other loaders reads another text from the same file.
    here = found is not None and found.text[citation["start"] : citation["end"]]
    return SourceState.UNCHANGED if here == citation["quote"] else SourceState.CHANGED
