"""The commands that care for an index, as people and programs run them."""

import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rag.progress import Reporter
from rag.store import DATABASE
from tests.cli.runner import DOCUMENTS, QUESTION, Run, finish, spawn
from tests.core.bench import sql

pytestmark = [pytest.mark.usefixtures("index"), pytest.mark.slow]
DAMAGE = "UPDATE passages SET text = replace(text, 'milk', 'beer')"


def database(place: Path) -> Path:
    """The default index's database."""
    return place / "indexes/default" / DATABASE


def test_verify_says_that_all_is_well(rag: Run) -> None:
    """Exit code 0, the numbers that were read, no findings."""
    assert rag("verify", "--json").json == {
        "healthy": True, "documents": 8, "passages": 8, "vectors": 8, "findings": [],
    }  # fmt: skip
    result = rag("verify")
    assert (result.code, result.out) == (
        0,
        "read: 8 documents, 8 passages, 8 vectors\nhealthy\n",
    )


def test_verify_names_the_damage_and_its_remedy(rag: Run, place: Path) -> None:
    """Exit code 5; for people a line each, for programs the parts of one."""
    sql(database(place), DAMAGE)
    result = rag("verify")
    assert result.code == 5
    assert "document: document animals/cats.md passage row" in result.out
    assert "'rag repair' takes the document out" in result.out
    found = rag("verify", "--json")
    (finding,) = found.json["findings"]
    assert found.code == 5 and not found.json["healthy"]
    assert finding.keys() == {"part", "where", "problem", "remedy", "documents"}


def test_repair_takes_out_what_is_damaged(rag: Run, place: Path) -> None:
    """Exit code 0, where it went, and an ingest reads the file again."""
    sql(database(place), DAMAGE)
    assert rag("ask", QUESTION).code == 5
    result = rag("repair")
    assert result.code == 0 and "moved a damaged document to" in result.out
    assert rag("verify").code == 0
    assert rag("status", "--json").json["documents"] == 7
    assert rag("ingest", "docs", "--json").json["documents"]["added"] == 1
    assert rag("ask", QUESTION).code == 0
    assert rag("repair", "--json").json == {
        "healthy": True, "database": None, "saved": 0, "documents": [], "mended": [], "left": [],
    }  # fmt: skip


def test_repair_moves_a_broken_database_aside(rag: Run, place: Path) -> None:
    """Exit code 5 and where it is: there is no index any more."""
    database(place).write_bytes(b"no database " * 999)
    result = rag("repair")
    assert result.code == 5 and "quarantine" in result.out
    assert "saved 0 of its documents\nrestore a snapshot, or ingest the folders again" in result.out
    assert rag("status").code == 4
    assert rag("ingest", "docs").code == 0


def test_snapshot_and_restore(rag: Run, place: Path) -> None:
    """There and back, and under another name; nothing is overwritten unasked."""
    assert rag("snapshot", "a.rag", "--json").json["documents"] == 8
    assert "--yes" in rag("snapshot", "a.rag").error
    assert rag("snapshot", "a.rag", "--yes").code == 0
    assert rag("delete", "animals/cats.md").code == 0
    refused = rag("restore", "a.rag")
    assert refused.code == 2 and "--yes, or restore under another name" in refused.error
    assert rag("restore", "a.rag", "--yes", "--json").json["index"] == "default"
    assert rag("restore", "a.rag", "--index", "second").code == 0
    for name in ("default", "second"):
        assert rag("status", "--index", name, "--json").json["documents"] == 8
        assert rag("verify", "--index", name).code == 0
    (place / "a.rag").write_bytes(b"PK no snapshot")
    broken = rag("restore", "a.rag", "--yes")
    assert broken.code == 5 and "nothing was changed" in broken.error


def test_delete_says_what_would_come_back(rag: Run) -> None:
    """The file is there still: the next ingest of its folder reads it again."""
    result = rag("delete", "animals/cats.md")
    assert result.out.startswith("deleted animals/cats.md\n")
    assert "the next ingest of its folder reads it again" in result.out
    identity = rag("search", "dog", "-k", "1", "--json").json["hits"][0]["document_id"]
    (deleted,) = rag("delete", identity, "--json").json["deleted"]
    assert deleted.keys() == {"id", "source", "also_in", "file", "returns"}
    assert (deleted["id"], deleted["returns"]) == (identity, True)
    unknown = rag("delete", "animals/cats.md")
    assert unknown.code == 2 and "nothing was deleted" in unknown.error
    assert rag("ingest", "docs", "--json").json["documents"]["added"] == 2


def test_compact_tells_what_it_gave_back(rag: Run) -> None:
    """Bytes before and after, and how many terms went."""
    rag("delete", "space.txt")
    view = rag("compact", "--json").json
    assert view.keys() == {
        "bytes_before", "bytes_after", "terms_deleted", "log_empty", "quarantined",
    }  # fmt: skip
    assert view["terms_deleted"] > 0 and view["log_empty"]


def test_migrate_makes_an_index_over(rag: Run, place: Path) -> None:
    """With settings that the index was refused with before; the old one is kept where wanted."""
    lengths = ("--passage-tokens", "20", "--overlap-tokens", "4")
    refused = rag("ingest", "docs", *lengths)
    assert refused.code == 5 and "rag migrate --index default" in refused.error
    view = rag("migrate", *lengths, "--keep-old", "old.rag", "--json").json
    assert view["documents"] == len(DOCUMENTS) and view["kept"] == "old.rag"
    assert rag("ingest", "docs", *lengths, "--json").json["documents"]["unchanged"] == 8
    assert rag("migrate", *lengths, "--json").json["embedded"] == 0
    assert rag("restore", "old.rag", "--yes").code == 0
    assert rag("ingest", "docs").code == 0


def test_an_index_of_an_earlier_schema_names_migrate(rag: Run, place: Path) -> None:
    """The reader's error is the command to run, and it helps."""
    with closing(sqlite3.connect(database(place))) as connection:
        connection.execute("DROP TABLE changes")
        connection.execute("DROP INDEX documents_size")
        connection.execute("ALTER TABLE documents DROP COLUMN unit")
        connection.execute("ALTER TABLE documents DROP COLUMN loaders")
        connection.execute("DROP TABLE copies")
        connection.execute("PRAGMA user_version = 1")
    refused = rag("ask", QUESTION)
    assert refused.code == 5 and "'rag migrate --index default'" in refused.error
    assert rag("migrate").code == 0
    assert rag("ask", QUESTION).code == 0
    assert rag("verify").code == 0


@pytest.mark.parametrize(
    "command",
    [("verify",), ("repair",), ("snapshot", "a"), ("delete", "x"), ("compact",), ("migrate",)],
    ids=lambda command: command[0],
)
def test_no_index_is_exit_code_4(rag: Run, place: Path, command: tuple[str, ...]) -> None:
    """And no folder is made for it."""
    result = rag(*command, "--index", "nowhere")
    assert result.code == 4 and "no index 'nowhere'" in result.error
    assert not (place / "indexes/nowhere").exists() and not (place / "a").exists()


def test_a_process_that_serves_nothing_else_cares(place: Path) -> None:
    """As a program of its own: verify needs no model and prints one line of JSON."""
    result = finish(spawn("verify", "--json"))
    assert result.code == 0 and result.json["healthy"]


def test_verify_tells_programs_how_far_it_is(rag: Run) -> None:
    """--events tells each part that is read; standard output stays one line."""
    result = rag("verify", "--json", "--events")
    events = [json.loads(line) for line in result.err.splitlines()]
    assert {event["event"] for event in events} == {"verify"} and result.json["healthy"]
    assert [event["part"] for event in events if event["part"] in ("pages", "derived files")] == [
        "pages",
        "derived files",
    ]
    assert rag("verify").err == ""


def test_verify_tells_people_how_far_it_is() -> None:
    """On a terminal: what is being read, with a bar where its number is known."""
    with Reporter(events=False) as reporter:
        shown = StringIO()
        reporter._console = Console(file=shown, force_terminal=True, width=80)
        for told in (("pages", 0, 0), ("documents", 0, 0), ("documents", 3, 12)):
            reporter.verify(*told)
    assert "reading the pages" in shown.getvalue()
    assert "reading the documents" in shown.getvalue() and "3 of 12" in shown.getvalue()
