"""An index of any earlier schema becomes one of the present schema, and says what it said.

`schema_N.sql` is an index of schema version N, dumped from one that the program of that time made.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import rag.migrations
from rag.errors import IndexCorrupt, IndexMismatch
from rag.schema import SCHEMA_VERSION, connect, create
from rag.store import DATABASE, Store
from rag.types import Parsed
from rag.writer import StoreWriter, write_lock
from tests.core.bench import Bench, check, put, sql

HERE = Path(__file__).parent
EARLIER = range(1, SCHEMA_VERSION)


def old(folder: Path, version: int) -> Path:
    """Make an index of an earlier schema version in folder and return it."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.executescript((HERE / f"schema_{version}.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return folder


def tables(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the columns of each table."""
    names = sql(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {name: sql(database, f"PRAGMA table_info({name})") for (name,) in names}


@pytest.mark.parametrize("version", EARLIER)
def test_every_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    """Opened for writing: the tables of a new index, every row as it was, all checksums good."""
    index = old(tmp_path / "old", version)
    before = sql(index / DATABASE, "SELECT id, source, title, checksum FROM documents")
    with write_lock(index):
        StoreWriter(index, {}).close()
    create(tmp_path / DATABASE, {})
    assert tables(index / DATABASE) == tables(tmp_path / DATABASE)
    assert sql(index / DATABASE, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert sql(index / DATABASE, "SELECT id, source, title, checksum FROM documents") == before
    with closing(Store(index)) as store:
        check(store)
        assert {store.document(row[0]).unit for row in before} == {"page"}  # type: ignore[union-attr]


@pytest.mark.parametrize("version", EARLIER)
def test_a_reader_names_the_command_and_changes_nothing(tmp_path: Path, version: int) -> None:
    """A reader does not hold the write lock: it refuses, with the remedy."""
    index = old(tmp_path / "old", version)
    data = (index / DATABASE).read_bytes()
    with pytest.raises(IndexMismatch, match=f"version {version}.*'rag migrate --index old'"):
        Store(index)
    assert (index / DATABASE).read_bytes() == data


def test_a_migration_that_fails_leaves_the_old_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps are one transaction: what the first has done is taken back."""

    def fails(connection: sqlite3.Connection) -> None:
        rag.migrations._units(connection)
        raise OSError("the disk is gone")

    index = old(tmp_path / "old", 1)
    before = tables(index / DATABASE)
    monkeypatch.setattr(rag.migrations, "MIGRATIONS", {1: fails})
    with (
        closing(sqlite3.connect(index / DATABASE, isolation_level=None)) as connection,
        pytest.raises(OSError, match="disk is gone"),
    ):
        rag.migrations.migrate(connection, 2)
    assert tables(index / DATABASE) == before
    assert sql(index / DATABASE, "PRAGMA user_version") == [(1,)]


def test_there_is_a_step_and_an_index_for_every_version() -> None:
    """From 1 to the present without a gap, each with its index to test it with."""
    assert sorted(rag.migrations.MIGRATIONS) == list(EARLIER)
    assert sorted(path.name for path in HERE.glob("schema_*.sql")) == [
        f"schema_{version}.sql" for version in EARLIER
    ]


def test_two_programs_that_open_an_old_index_migrate_it_once(tmp_path: Path) -> None:
    """The second finds the version that the first has left, and does nothing."""
    index = old(tmp_path / "old", 1)
    for _ in range(2):
        connect(index / DATABASE, writable=True).close()
    with closing(sqlite3.connect(index / DATABASE, isolation_level=None)) as connection:
        rag.migrations.migrate(connection, SCHEMA_VERSION)
    assert sql(index / DATABASE, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_an_old_index_is_ingested_into(bench: Bench) -> None:
    """`rag ingest` brings it up to date by itself: its documents stay, others come."""
    old(bench.index, 1)
    put(bench.docs / "new.txt", "A new document.")
    assert bench.ingest().added == 1
    assert bench.sources() == ["cats.md", "new.txt", "кошка.txt"]
    check(bench.store())


def test_documents_of_an_old_index_that_hold_the_same_are_joined(bench: Bench) -> None:
    """The first ingest after the migration makes copies of them, whether it sees them or not."""
    old(bench.index, 2)
    put(bench.docs / "new.txt", "A new document.")
    assert bench.ingest().added == 1
    assert bench.copies() == {"cats.md": ["copy/cats.md"]} and bench.store().count()[0] == 3
    check(bench.store())


@pytest.mark.parametrize("version", EARLIER)
def test_an_old_index_knows_which_loaders_read_it(tmp_path: Path, version: int) -> None:
    """What was said of the whole index is said of each document."""
    index = old(tmp_path / "old", version)
    connect(index / DATABASE, writable=True).close()
    assert set(sql(index / DATABASE, "SELECT loaders FROM documents")) == {(version,)}
    assert sql(index / DATABASE, "SELECT value FROM meta WHERE key = 'loaders'") == []


def test_the_unit_of_pages_goes_from_loader_to_hit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a loader calls its pages is stored, covered by the checksums, and comes with a hit."""
    parsed = Parsed("Milk on the first.\n\nTea on the second.", "T", pages=(0, 20), unit="slide")
    monkeypatch.setattr("rag.loaders.load", lambda path, *given: parsed)
    put(bench.docs / "a.txt", "x")
    bench.ingest()
    assert bench.document("a.txt").unit == "slide"
    (hit,) = bench.retriever().search("tea second", 1).hits
    assert (hit.passage.unit, hit.passage.page) == ("slide", 1)
    assert hit.passage.page_at(20) == 2
    check(bench.store())


@pytest.mark.parametrize("unit", ["page", "cell"])
def test_a_changed_unit_is_damage(bench: Bench, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """The checksums of document and passage cover it, also when it becomes the usual one."""
    parsed = Parsed("Milk on the first.", "T", pages=(0,), unit="slide")
    monkeypatch.setattr("rag.loaders.load", lambda path, *given: parsed)
    put(bench.docs / "a.txt", "x")
    bench.ingest()
    bench.sql("UPDATE documents SET unit = ?", unit)
    with pytest.raises(IndexCorrupt, match=r"document a\.txt"):
        bench.document("a.txt")
    with pytest.raises(IndexCorrupt, match="passage row"):
        bench.retriever().search("milk", 1)
