"""The service's own database: what it keeps, who else may read it, what survives."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.answers import Answers
from api.database import DATABASE, SCHEMA_VERSION, ServiceDatabase
from api.feedback import Feedback, Opinion, Rating, cases
from api.jobs import ATTEMPTS, Jobs, State
from api.keys import Keys, Scope
from rag.errors import ConfigError, StoreError

CITATION = {"n": 1, "document_id": "d1", "source": "a.md", "start": 0, "end": 4, "quote": "Cats"}
BODY: dict[str, Any] = {
    "asked": "And cats?",
    "question": "What do cats do?",
    "answer": "Cats sleep.",
    "abstained": False,
    "citations": [CITATION],
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServiceDatabase]:
    """A database that is not there yet."""
    database = ServiceDatabase(tmp_path / "indexes" / DATABASE)
    yield database
    database.close()


# -- the file -----------------------------------------------------------------------------------


def test_nothing_is_made_by_reading(database: ServiceDatabase) -> None:
    """A service that nobody wrote to leaves no file, so a read-only folder can be served."""
    assert Keys(database).all() == [] and not Keys(database).in_use()
    assert Jobs(database).first() is None and Answers(database, 1).get("x") is None
    assert Feedback(database).entries() == [] and not database.path.exists()


def test_only_its_owner_may_read_the_file(database: ServiceDatabase) -> None:
    """It holds questions and what keys are compared with."""
    Keys(database).create("me", [Scope.READ])
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o600


def test_a_database_of_a_later_program_is_refused(database: ServiceDatabase) -> None:
    """Not guessed at."""
    Keys(database).create("me", [Scope.READ])
    with sqlite3.connect(database.path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="a later one"):
        Keys(ServiceDatabase(database.path)).all()


def test_a_file_that_is_no_database_is_told(database: ServiceDatabase) -> None:
    """As an error of ours, naming the file; no key is taken for absent."""
    database.path.parent.mkdir(parents=True)
    database.path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=DATABASE):
        Keys(database).in_use()


def test_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    """Eight, each with a connection of its own: all write, none fails."""
    path, failures = tmp_path / DATABASE, list[Exception]()

    def work(name: str) -> None:
        try:
            Keys(ServiceDatabase(path)).create(name, [Scope.READ])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(str(i),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sorted(key.name for key in Keys(ServiceDatabase(path)).all()) == list("01234567")


def test_a_transaction_that_fails_leaves_nothing(database: ServiceDatabase) -> None:
    """All of it or none."""
    Keys(database).create("me", [Scope.READ])
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute("DELETE FROM keys")
        raise ZeroDivisionError
    assert len(Keys(database).all()) == 1


# -- keys ---------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_stored_nowhere(database: ServiceDatabase) -> None:
    """The file holds no part of the secret; the token finds its key."""
    key, token = Keys(database).create("me", [Scope.READ, Scope.WRITE], ["a", "b"])
    assert Keys(database).find(token) == key
    assert key.scopes == {Scope.READ, Scope.WRITE} and key.collections == {"a", "b"}
    secret = token.rpartition(f"{key.id}_")[2].encode()
    files = [path.read_bytes() for path in database.path.parent.iterdir()]
    assert len(secret) == 43 and not any(secret in data or token.encode() in data for data in files)


def test_only_the_whole_token_opens(database: ServiceDatabase) -> None:
    """Not the id, not another's secret, not one letter off, not half a character."""
    keys = Keys(database)
    (_, token), (_, other) = keys.create("a", [Scope.READ]), keys.create("b", [Scope.READ])
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    mixed = token[:17] + other[17:]
    for wrong in (changed, mixed, token[:-1], token + "x", token.upper(), "", "rag_", "\ud800"):
        assert keys.find(wrong) is None


def test_a_revoked_key_opens_nothing_and_keeps_the_door_shut(database: ServiceDatabase) -> None:
    """Whoever revokes the last key does not let everybody in."""
    keys = Keys(database)
    key, token = keys.create("me", [Scope.READ])
    revoked = keys.revoke(key.id)
    assert revoked.revoked and keys.find(token) is None and keys.in_use()
    assert keys.revoke(key.id) == revoked  # the first time counts
    with pytest.raises(ConfigError, match="there is no key"):
        keys.revoke("nobody")


def test_keys_that_open_nothing_are_refused(database: ServiceDatabase) -> None:
    """No scope, or a collection that can not be."""
    with pytest.raises(ConfigError, match="without scopes"):
        Keys(database).create("me", [])
    with pytest.raises(ConfigError, match="no name of a collection"):
        Keys(database).create("me", [Scope.READ], ["../x"])


# -- answers and feedback -------------------------------------------------------------------------


def test_answers_are_stored_as_they_were_sent(database: ServiceDatabase) -> None:
    """With an id that nobody can guess, the key, and what the sources were."""
    answers = Answers(database, days=30)
    body = answers.put(BODY, "default", "k1", {"d1": "hash"})
    stored = answers.get(body["id"])
    assert stored is not None and stored.body == body and body == {"id": body["id"], **BODY}
    assert (stored.key, stored.collection, stored.sources) == ("k1", "default", {"d1": "hash"})
    assert answers.get("ans_" + "0" * 32) is None


def test_answers_are_forgotten_in_time(database: ServiceDatabase) -> None:
    """When a new one comes; with 0 days none is stored at all."""
    old = Answers(database, days=30).put(BODY, "default", None, {})["id"]
    with database.writing() as connection:
        connection.execute("UPDATE answers SET created = '2020-01-01T00:00:00.000+00:00'")
    new = Answers(database, days=30).put(BODY, "default", None, {})["id"]
    assert Answers(database, 30).get(old) is None and Answers(database, 30).get(new) is not None
    assert Answers(database, days=0).put(BODY, "default", None, {})["id"] is None


def test_feedback_becomes_cases(database: ServiceDatabase) -> None:
    """A correction is the answer, a thumb up confirms one, a thumb down alone says nothing."""
    answers, feedback = Answers(database, 30), Feedback(database)

    def stored(**changes: Any) -> Any:
        return answers.get(answers.put(BODY | changes, "default", None, {})["id"])

    good, bad = stored(), stored(question="q2", answer="wrong")
    feedback.put(bad, Opinion(Rating.DOWN), None)
    feedback.put(good, Opinion(Rating.UP, comment="fine"), "k1")
    feedback.put(stored(question="q3"), Opinion(over=bad), None)
    feedback.put(bad, Opinion(correction="Szürke."), None)
    feedback.put(stored(question="Кто пьёт молоко?"), Opinion(correction=""), None)
    found = {case["question"]: case for case in cases(feedback.entries())}
    assert set(found) == {"What do cats do?", "q3", "q2", "Кто пьёт молоко?"}
    confirmed = found["What do cats do?"]
    assert confirmed["answers"] == ["Cats sleep."] and confirmed["evidence"] == ["Cats"]
    assert confirmed["sources"] == ["a.md"] and confirmed["answerable"] is True
    assert found["q2"]["answers"] == ["Szürke."] and found["q2"]["evidence"] == []
    assert found["Кто пьёт молоко?"]["answerable"] is False
    assert found["Кто пьёт молоко?"]["lang"] == "ru"
    keys = {"id", "question", "answers", "sources", "evidence", "answerable", "lang"}
    assert all(set(case) == keys for case in found.values())
    assert feedback.entries("other") == [] and len(feedback.entries("default")) == 5


# -- jobs ---------------------------------------------------------------------------------------


def test_jobs_go_from_queued_to_an_end(database: ServiceDatabase) -> None:
    """In the order in which they came."""
    jobs = Jobs(database)
    first, second = jobs.add("a", [{"id": "1"}]), jobs.add("b", [])
    assert jobs.first() == jobs.get(first.id) and first.state is State.QUEUED
    jobs.begin(first.id)
    jobs.progress(first.id, {"done_bytes": 5})
    running = jobs.get(first.id)
    assert running is not None and running.state is State.RUNNING
    assert running.progress == {"done_bytes": 5}
    jobs.done(first.id, {"passages": 3})
    jobs.failed(second.id, "storage", "full")
    done, failed = jobs.get(first.id), jobs.get(second.id)
    assert done is not None and done.report == {"passages": 3} and done.finished
    assert failed is not None and failed.error == {"code": "storage", "message": "full"}
    assert jobs.first() is None


def test_a_job_whose_process_died_goes_on_but_not_for_ever(database: ServiceDatabase) -> None:
    """After some attempts it is taken for the cause; one that was put back is no attempt."""
    jobs = Jobs(database)
    job = jobs.add("a", [])
    jobs.begin(job.id)
    jobs.put_back(job.id)
    for _ in range(ATTEMPTS):
        jobs.begin(job.id)
        jobs.recover()
    found = jobs.get(job.id)
    assert found is not None and found.state is State.FAILED
    assert found.error is not None and found.error["code"] == "interrupted"
