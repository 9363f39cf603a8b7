"""What people thought of answers: stored, and exported as questions to evaluate with."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from api.answers import StoredAnswer
from api.database import ServiceDatabase, now
from rag.analysis import language
from rag.views import Json


class Rating(StrEnum):
    """A thumb."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thought of an answer; at least one of the three is given.

    Attributes:
        over: the answer that this one was preferred to.
        correction: what the answer should have been; "" that there is none in the documents.
    """

    rating: Rating | None = None
    over: StoredAnswer | None = None
    correction: str | None = None
    comment: str = ""


class Feedback:
    """The feedback of a service. Each entry keeps what it needs of its answer, which may go."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Take the database that holds it."""
        self._database = database

    def put(self, answer: StoredAnswer, opinion: Opinion, key: str | None) -> str:
        """Store an opinion of an answer and return its id."""
        identity = "fb_" + secrets.token_hex(16)
        body = {
            "rating": opinion.rating,
            "correction": opinion.correction,
            "comment": opinion.comment,
            "answer": _kept(answer),
            "over": None if opinion.over is None else _kept(opinion.over),
        }
        record = (identity, key, answer.collection, now(), answer.id, json.dumps(body))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO feedback(id, key, collection, created, answer, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                record,
            )
        return identity

    def entries(self, collection: str | None = None) -> list[Json]:
        """Return what was stored, the oldest first: of one collection, or of all."""
        if not self._database.exists():
            return []
        query = """
            SELECT id, collection, created, body FROM feedback
            WHERE ?1 IS NULL OR collection = ?1 ORDER BY number
        """
        with self._database.reading() as connection:
            found = connection.execute(query, (collection,)).fetchall()
        return [
            {"id": identity, "collection": name, "created": created, **json.loads(body)}
            for identity, name, created, body in found
        ]


def _kept(stored: StoredAnswer) -> Json:
    names = ("asked", "question", "answer", "abstained", "citations")
    return {"id": stored.id, **{name: stored.body[name] for name in names}}


def cases(entries: list[Json]) -> Iterator[Json]:
    """Yield the questions to evaluate with that feedback holds: one a question, the last counts.

    A correction is the answer; else an answer that was thought good or preferred. One that was
    thought bad says what is wrong and not what is right, so it makes no case.
    """
    found: dict[tuple[str, str], Json] = {}
    for entry in entries:
        case = _case(entry)
        if case is not None:
            found[entry["collection"], case["question"]] = case
    yield from found.values()


def _case(entry: Json) -> Json | None:
    answer, correction = entry["answer"], entry["correction"]
    good = entry["rating"] == Rating.UP or entry["over"] is not None
    if correction is None and not good:
        return None
    # Evidence of an answer that was corrected may be the wrong one.
    cited = answer["citations"] if correction is None else []
    right = answer["answer"] if correction is None else correction
    answerable = not answer["abstained"] if correction is None else bool(correction)
    return {
        "id": entry["id"],
        "question": answer["question"],
        "answers": [right] if answerable else [],
        "sources": sorted({citation["source"] for citation in cited}),
        "evidence": [citation["quote"] for citation in cited],
        "answerable": answerable,
        "lang": language(answer["question"]),
    }
