"""The store gives back what was written, whole, or says that it can not."""

import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.analysis import terms
from rag.errors import (
    ConfigError,
    IndexCorrupt,
    IndexLocked,
    IndexMismatch,
    IndexNotFound,
    StoreError,
)
from rag.schema import SCHEMA_VERSION, checksum
from rag.store import DATABASE, Root, Store, index_path
from rag.testing import HashEmbedder
from rag.types import Document, Filters, Heading
from rag.writer import SEGMENT_CHARACTERS, NewDocument, NewPassage, StoreWriter, write_lock
from tests.core.bench import Bench, check, document, program, read_all, run, sql

META = {"embedder": "hash", "dim": str(HashEmbedder.dim)}
EMBEDDER = HashEmbedder()
LINES = ["The cat sleeps.", "狗在叫。", "Кошка пьёт молоко.", "𝔘𝔫𝔦 😀 x", "A", "The cat sleeps"]

Puts = dict[str, list[str]]


def new(identity: str, lines: list[str], *, source: str = "", root: int = 1) -> NewDocument:
    """Make a document whose lines are its passages."""
    text = "\n".join(lines)
    passages: list[NewPassage] = []
    seen: Counter[str] = Counter()
    at = 0
    for line in lines:
        seen[line] += 1
        passages.append(
            NewPassage(
                id=checksum(identity, line, seen[line]).hex(),
                start=at,
                end=at + len(line),
                page=None,
                page_starts=(),
                section="",
                text=line,
                vector_key=checksum(line),
                terms=Counter(terms(line)),
            )
        )
        at += len(line) + 1
    described = Document(
        id=identity,
        source=source or f"{identity}.txt",
        title=f"Title of {identity}",
        text=text,
        headings=(Heading(0, 1, "Top"),),
        pages=(),
        language="en",
        metadata={"author": "Ann"},
        content_hash=checksum(text).hex(),
    )
    return NewDocument(described, root, "2024-05-01", len(text), 1, tuple(passages), 1)


def put(writer: StoreWriter, documents: list[NewDocument]) -> None:
    """Put documents in one transaction, with the vectors that are missing, as an ingest does."""
    wanted = {p.vector_key: p.text for item in documents for p in item.passages}
    known = writer.known_vectors(list(wanted))
    missing = [key for key in wanted if key not in known]
    with writer.transaction():
        vectors = EMBEDDER.embed_passages([wanted[key] for key in missing])
        writer.put_vectors(missing, vectors)
        for item in documents:
            writer.put_document(item)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreWriter]:
    """An index in the making, with one root."""
    with closing(opened(tmp_path / "index")) as writer:
        yield writer


def opened(path: Path) -> StoreWriter:
    """Open a writer for a new index with one root."""
    path.mkdir(exist_ok=True)
    writer = StoreWriter(path, META)
    with writer.transaction():
        writer.put_roots([Root(1, Path("/docs"))])
    return writer


# -- what is written is what is read ---------------------------------------------------------

EDITS = st.lists(
    st.one_of(
        st.dictionaries(
            st.sampled_from("abc"), st.lists(st.sampled_from(LINES), max_size=4), min_size=1
        ),
        st.sets(st.sampled_from("abc"), min_size=1),
    ),
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
def test_any_edits_leave_passages_in_their_text_and_vectors_in_use(
    edits: list[Puts | set[str]],
) -> None:
    """After each of any puts and deletions: texts as given, rows kept, no vector too many."""
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder))) as writer:
        expected: Puts = {}
        rows: dict[str, int] = {}
        with closing(Store(Path(folder))) as store:
            for edit in edits:
                if isinstance(edit, dict):
                    put(writer, [new(name, lines) for name, lines in edit.items()])
                    expected |= edit
                else:
                    with writer.transaction():
                        writer.delete_documents(edit)
                    expected = {k: v for k, v in expected.items() if k not in edit}
                check(store)
                documents, passages, vectors = read_all(store)
                assert {k: d.text for k, d in documents.items()} == {
                    k: "\n".join(lines) for k, lines in expected.items()
                }
                assert Counter(p.text for p in passages.values()) == Counter(
                    line for lines in expected.values() for line in lines
                )
                for row, passage in passages.items():
                    assert rows.setdefault(passage.id, row) == row
                rows = {passage.id: row for row, passage in passages.items()}
                assert len(vectors) == len(rows)


def test_one_vector_serves_every_passage_of_the_same_text(writer: StoreWriter) -> None:
    """Three passages of one text have one vector, which goes with the last of them."""
    put(writer, [new("a", ["same", "same", "other"]), new("b", ["same"])])
    assert sql(writer.database, "SELECT count(*) FROM vectors") == [(2,)]
    with writer.transaction():
        writer.delete_documents(["a"])
    assert sql(writer.database, "SELECT key FROM vectors") == [(checksum("same"),)]
    with writer.transaction():
        writer.delete_documents(["b"])
    assert sql(writer.database, "SELECT key FROM vectors") == []


def test_a_text_that_changes_documents_in_one_commit_keeps_its_vector(
    writer: StoreWriter,
) -> None:
    """Cut from one document and pasted into another that is written after it."""
    put(writer, [new("a", ["stays", "wanders"])])
    put(writer, [new("a", ["stays"]), new("b", ["wanders"])])
    check(Store(writer.database.parent))


def test_an_edit_keeps_the_rows_and_ids_of_what_did_not_change(writer: StoreWriter) -> None:
    """Only the passage whose text changed gets another row, and that row was never used."""
    put(writer, [new("a", ["one", "two", "three"])])
    before = dict(sql(writer.database, "SELECT text, row FROM passages"))
    put(writer, [new("a", ["zero", "one", "three"])])
    after = dict(sql(writer.database, "SELECT text, row FROM passages"))
    assert (after["one"], after["three"]) == (before["one"], before["three"])
    assert after["zero"] > max(before.values())
    found = Store(writer.database.parent).passages([after["three"]])[after["three"]]
    assert (found.start, found.end) == (9, 14)


def test_a_document_keeps_its_id_under_another_name_and_root(writer: StoreWriter) -> None:
    """Written again with another source and root, it is the same document there."""
    with writer.transaction():
        writer.put_roots([Root(2, Path("/other"))])
    put(writer, [new("a", ["one"], source="old.txt")])
    put(writer, [new("a", ["one"], source="new.txt", root=2)])
    store = Store(writer.database.parent)
    check(store)
    assert [state.place for state in store.files()] == [(2, "new.txt")]
    assert document(store, "a").source == "new.txt"


def test_all_that_describes_a_document_comes_back(writer: StoreWriter) -> None:
    """Headings, pages, metadata, language and hash, and a passage's page and section."""
    made = new("a", ["first page", "second page"])
    passages = (
        replace(made.passages[0], page=1, page_starts=(5, 8), section="A > B"),
        replace(made.passages[1], page=3),
    )
    described = replace(made.document, pages=(0, 5, 8), language="hu", metadata={"ő": "ű\n"})
    put(writer, [replace(made, document=described, passages=passages)])
    store = Store(writer.database.parent)
    assert document(store, "a") == described
    found = store.passages(store.rows()[0].tolist())
    first, second = (found[row] for row in sorted(found))
    assert (first.section, first.language, first.title) == ("A > B", "hu", "Title of a")
    assert [first.page_at(at) for at in (0, 4, 5, 7, 8, 10)] == [1, 1, 2, 2, 3, 3]
    assert second.page_at(second.start) == 3


def test_a_passage_without_pages_has_none_anywhere(writer: StoreWriter) -> None:
    """Formats without pages give no page, neither at its start nor inside."""
    put(writer, [new("a", ["text"])])
    store = Store(writer.database.parent)
    (passage,) = store.passages(store.rows()[0].tolist()).values()
    assert passage.page is None and passage.page_at(2) is None


@pytest.mark.parametrize(
    "length", [0, 1, SEGMENT_CHARACTERS - 1, SEGMENT_CHARACTERS, SEGMENT_CHARACTERS + 1, 200_003]
)
def test_long_texts_come_back_whole(writer: StoreWriter, length: int) -> None:
    """Texts of any length, with characters of one to four bytes, are as they were written."""
    text = ("a é 猫 😀 𝔘\n" * (length // 9 + 1))[:length]
    made = new("a", ["x"])
    put(writer, [replace(made, document=replace(made.document, text=text), passages=())])
    assert document(Store(writer.database.parent), "a").text == text
    segments = sql(writer.database, "SELECT length(text) FROM segments ORDER BY start")
    assert all(0 < size <= SEGMENT_CHARACTERS for (size,) in segments)


STRETCH = st.tuples(*[st.integers(0, 3 * SEGMENT_CHARACTERS)] * 2).map(sorted)


@given(st.lists(STRETCH, min_size=1, max_size=5))
def test_any_stretch_of_a_text_is_that_stretch(stretches: list[list[int]]) -> None:
    """Within a piece of the text as it is stored, over several, and beyond the end."""
    text = "a é 猫 😀 𝔘\n" * (5 * SEGMENT_CHARACTERS // 18)
    made = new("a", ["x"])
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder))) as writer:
        put(writer, [replace(made, document=replace(made.document, text=text), passages=())])
        with closing(Store(writer.database.parent)) as store:
            for start, end in stretches:
                assert store.text("a", start, end) == text[start:end]
                assert store.text("nobody", start, end) == ""


def test_an_unknown_document_is_none(writer: StoreWriter) -> None:
    """An id that the index has not, as after a deletion."""
    assert Store(writer.database.parent).document("nobody") is None


@pytest.mark.slow
def test_many_rows_are_read_in_batches(writer: StoreWriter) -> None:
    """More passages than SQLite takes variables are all found."""
    put(writer, [new("a", [f"line {n}" for n in range(1200)])])
    store = Store(writer.database.parent)
    rows = store.rows()[0].tolist()
    assert sorted(store.passages([*rows, 99_999])) == rows
    assert len(store.term_ids([*map(str, range(1200)), "no such term"])) == 1200


def test_a_transaction_that_fails_leaves_nothing(writer: StoreWriter) -> None:
    """What was written before an error inside a transaction is not kept."""
    put(writer, [new("a", ["kept"])])
    version = Store(writer.database.parent).version()
    with pytest.raises(RuntimeError), writer.transaction():
        writer.delete_documents(["a"])
        raise RuntimeError
    store = Store(writer.database.parent)
    assert document(store, "a").text == "kept" and store.version() == version
    check(store)


def test_every_change_of_content_gives_a_version_of_its_own(writer: StoreWriter) -> None:
    """Commits raise the version; remembering a file's time does not."""
    store = Store(writer.database.parent)
    versions = [store.version()]
    for n in range(5):
        put(writer, [new("a", [f"text {n}"])])
        versions.append(store.version())
    assert versions == sorted(set(versions))
    with writer.transaction(changes_content=False):
        pass
    assert store.version() == versions[-1]


def test_two_indexes_made_alike_differ_in_version(tmp_path: Path) -> None:
    """An index made anew is not taken for the one that was there before."""
    stores = []
    for name in "ab":
        with closing(opened(tmp_path / name)) as writer:
            put(writer, [new("a", ["text"])])
        stores.append(Store(tmp_path / name))
    assert stores[0].version() != stores[1].version()


def test_one_transaction_reads_one_version(writer: StoreWriter) -> None:
    """What is committed meanwhile is not seen by who is reading."""
    put(writer, [new("a", ["old"])])
    store = Store(writer.database.parent)
    with store.reading():
        assert document(store, "a").text == "old"
        put(writer, [new("a", ["new"])])
        assert document(store, "a").text == "old"
    assert document(store, "a").text == "new"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(source="*.txt"), "ab"),
        (Filters(source="a.*"), "a"),
        (Filters(source="A.*"), ""),
        (Filters(title="TITLE OF B"), "b"),
        (Filters(title="100%_"), ""),
        (Filters(language="en"), "ab"),
        (Filters(language="de"), ""),
        (Filters(since="2024-05-01"), "ab"),
        (Filters(since="2024-05-02"), ""),
        (Filters(until="2024-05-01"), "ab"),
        (Filters(until="2024-04-30"), ""),
        (Filters(metadata={"author": "Ann"}), "ab"),
        (Filters(metadata={"author": "ann"}), ""),
        (Filters(metadata={"author": "Ann", "year": "1"}), ""),
        (Filters(source="b*", language="en", metadata={"author": "Ann"}), "b"),
        (Filters(source="' OR 1 --"), ""),
        (Filters(), "ab"),
    ],
)
def test_filters_allow_documents_that_pass_all_of_them(
    writer: StoreWriter, filters: Filters, found: str
) -> None:
    """Rows of the documents that pass, ascending; dates are inclusive, titles fold case."""
    put(writer, [new("a", ["a 1", "a 2"]), new("b", ["b 1"])])
    store = Store(writer.database.parent)
    rows = store.allowed(filters)
    assert rows.dtype == np.int64 and np.all(np.diff(rows) > 0)
    assert {p.document_id for p in store.passages(rows.tolist()).values()} == set(found)


# -- damage ----------------------------------------------------------------------------------

DAMAGE = {
    "a document's title": "UPDATE documents SET title = 'Other'",
    "a document's source": "UPDATE documents SET source = 'other.txt'",
    "a document's language": "UPDATE documents SET language = 'de'",
    "a document's metadata": "UPDATE documents SET metadata = '{}'",
    "a document's headings": "UPDATE documents SET headings = '[]'",
    "a document's pages": "UPDATE documents SET pages = '[0]'",
    "a document's hash": "UPDATE documents SET content_hash = 'x'",
    "a document's checksum": "UPDATE documents SET checksum = zeroblob(8)",
    "a segment's text": "UPDATE segments SET text = replace(text, 'cat', 'rat')",
    "a segment's bytes": "UPDATE segments SET text = CAST(x'54ff41' AS TEXT)",
    "a segment's start": "UPDATE segments SET start = start + 1",
    "a segment's checksum": "UPDATE segments SET checksum = zeroblob(8)",
    "a lost segment": "DELETE FROM segments WHERE start > 0",
    "all segments lost": "DELETE FROM segments",
    "a passage's text": "UPDATE passages SET text = replace(text, 'cat', 'rat')",
    "a passage's bytes": "UPDATE passages SET text = CAST(x'54ff41' AS TEXT)",
    "a passage's start": "UPDATE passages SET start = start + 1",
    "a passage's end": 'UPDATE passages SET "end" = "end" - 1',
    "a passage's page": "UPDATE passages SET page = 7",
    "a passage's pages": "UPDATE passages SET page_starts = '[1]'",
    "a passage's section": "UPDATE passages SET section = 'Elsewhere'",
    "a passage's id": "UPDATE passages SET id = 'x' || row",
    "a passage's terms": "UPDATE passages SET terms = zeroblob(length(terms))",
    "terms cut short": "UPDATE passages SET terms = substr(terms, 1, 7)",
    "a passage's vector key": "UPDATE passages SET vector_key = zeroblob(8)",
    "a passage's checksum": "UPDATE passages SET checksum = zeroblob(8)",
    "a vector": "UPDATE vectors SET vector = zeroblob(length(vector))",
    "a vector cut short": "UPDATE vectors SET vector = substr(vector, 1, 8)",
    "a vector's checksum": "UPDATE vectors SET checksum = zeroblob(8)",
    "a lost vector": "DELETE FROM vectors",
    "a lost table": "DROP TABLE segments",
    "a lost column": "ALTER TABLE passages DROP COLUMN section",
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_rows_are_never_read_as_if_they_were_whole(
    writer: StoreWriter, damage: str
) -> None:
    """Whatever is changed in a row behind the store's back, reading it says so in one line."""
    lines = ["The cat sleeps.", "x" * SEGMENT_CHARACTERS]
    put(writer, [new("a", lines)])
    writer.close()
    sql(writer.database, damage)
    with pytest.raises(IndexCorrupt) as caught:
        read_all(Store(writer.database.parent))
    assert str(writer.database) in str(caught.value) and "\n" not in str(caught.value)


def test_a_hit_does_not_show_a_damaged_title(writer: StoreWriter) -> None:
    """What a passage shows of its document is checked when the passage is read."""
    put(writer, [new("a", ["text"])])
    sql(writer.database, "UPDATE documents SET title = 'Other'")
    store = Store(writer.database.parent)
    with pytest.raises(IndexCorrupt):
        store.passages(store.rows()[0].tolist())


def truncated(data: bytes) -> bytes:
    """The first half."""
    return data[: len(data) // 2]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "half": truncated,
    "a page and a half": lambda data: data[:6144],
    "all but the last page": lambda data: data[:-4096],
    "zeros": lambda data: bytes(len(data)),
    "zeros at the end": lambda data: truncated(data) + bytes(len(data) // 2),
    "junk": lambda data: random.Random(1).randbytes(len(data)),
    "junk after the header": lambda data: data[:100] + random.Random(1).randbytes(len(data)),
    "text": lambda data: b"This is no database.\n" * 500,
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_database_file_is_told(
    writer: StoreWriter, change: Callable[[bytes], bytes]
) -> None:
    """Cut off, zeroed or overwritten: IndexCorrupt on opening or reading, for writers too."""
    put(writer, [new(f"d{n}", [f"line {n} {m} " * 9 for m in range(9)]) for n in range(9)])
    writer.close()
    writer.database.write_bytes(change(writer.database.read_bytes()))
    with pytest.raises(IndexCorrupt):
        read_all(Store(writer.database.parent))
    with pytest.raises(IndexCorrupt), closing(StoreWriter(writer.database.parent, META)) as again:
        put(again, [new(f"d{n}", ["x"]) for n in range(9)])


@pytest.mark.slow
def test_a_flipped_byte_anywhere_never_gives_a_wrong_text(tmp_path: Path) -> None:
    """Of 200 copies with one byte changed, each reads as written or is refused."""
    with closing(opened(tmp_path / "index")) as writer:
        lines = ["The cat sleeps.", "狗在叫。", "A dog barks at strangers " * 20]
        put(writer, [new(name, [f"{line} {name}" for line in lines]) for name in "abcd"])
    with closing(Store(tmp_path / "index")) as store:
        documents, passages, vectors = read_all(store)
    data = (tmp_path / "index" / DATABASE).read_bytes()
    chance = random.Random(7)
    copy = tmp_path / "copy"
    told = 0
    for _ in range(200):
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        at = chance.randrange(len(data))
        changed = bytes([data[at] ^ chance.randint(1, 255)])
        (copy / DATABASE).write_bytes(data[:at] + changed + data[at + 1 :])
        try:
            with closing(Store(copy)) as store:
                found = read_all(store)
        except (IndexCorrupt, IndexMismatch):  # a byte of the header may make it another program's
            told += 1
            continue
        # A damaged page may lose rows; those that are read are what was written.
        assert found[0].items() <= documents.items(), at
        assert {p.id: p for p in found[1].values()}.items() <= {
            p.id: p for p in passages.values()
        }.items(), at
        assert set(found[2]) <= set(vectors), at
    assert told > 20


def test_another_schema_version_is_refused(writer: StoreWriter) -> None:
    """An index of a version that this program does not know, with the remedy."""
    writer.close()
    sql(writer.database, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(IndexMismatch, match=f"version {SCHEMA_VERSION + 1}, a later.*the program"):
        Store(writer.database.parent)
    with pytest.raises(IndexMismatch):
        StoreWriter(writer.database.parent, META)


@pytest.mark.slow
def test_health_is_what_sqlite_finds(writer: StoreWriter) -> None:
    """healthy() is true of a good file and false of one whose pages are out of order."""
    put(writer, [new("a", ["line " * 500 + str(n) for n in range(40)])])
    writer.close()
    store = Store(writer.database.parent)
    assert store.healthy()
    store.close()
    data = writer.database.read_bytes()
    writer.database.write_bytes(data[:8192] + bytes(4096) + data[12288:])
    assert not Store(writer.database.parent).healthy()


def test_there_is_no_index_where_none_was_made(tmp_path: Path) -> None:
    """A folder that is missing or empty: IndexNotFound, with the command that makes one."""
    (tmp_path / "empty").mkdir()
    for name in ("missing", "empty"):
        with pytest.raises(IndexNotFound, match=f"rag ingest FOLDER --index {name}"):
            Store(tmp_path / name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\0", "-a", "ä", "a" * 65, "a\n"])
def test_index_names_can_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    """Only plain names are index names."""
    with pytest.raises(ConfigError, match="not usable"):
        index_path(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "A.b-c_1", "0", "a" * 64])
def test_plain_index_names_are_folders(tmp_path: Path, name: str) -> None:
    """A plain name is a folder in the index folder."""
    assert index_path(tmp_path, name) == tmp_path / name


# -- deletion --------------------------------------------------------------------------------

SECRET = "the treasure lies under the old oak"


def holding(folder: Path) -> list[str]:
    """Return the names of the files in which the secret can be read."""
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    )


@pytest.mark.slow
def test_deleted_text_is_nowhere_when_the_index_is_closed(bench: Bench) -> None:
    """secure_delete: after an ingest that deletes a document no file of the index holds it."""
    bench.write({"a.txt": f"Know that {SECRET}.\n" * 40, "b.txt": "Other.", "c.txt": "More."})
    bench.ingest()
    assert holding(bench.index) == [DATABASE]
    (bench.docs / "a.txt").unlink()
    assert bench.ingest().deleted == 1
    assert holding(bench.index) == []


@pytest.mark.slow
def test_text_that_an_edit_removed_is_nowhere(bench: Bench) -> None:
    """The old version of an edited document is gone from every file too."""
    bench.write({"a.txt": f"Know that {SECRET}.\n" * 40, "b.txt": "Other."})
    bench.ingest()
    bench.write({"a.txt": "Nothing to see."})
    bench.ingest()
    assert holding(bench.index) == []


@pytest.mark.slow
def test_deleted_text_leaves_the_log_while_a_reader_has_the_index_open(bench: Bench) -> None:
    """With a server running, SQLite keeps its log file; what was deleted is not in that either."""
    bench.write({"a.txt": f"Know that {SECRET}.\n" * 40, "b.txt": "Other.", "c.txt": "More."})
    bench.ingest()
    with closing(bench.store()) as server:
        assert server.count()[0] == 3
        (bench.docs / "a.txt").unlink()
        bench.ingest()
        assert server.count()[0] == 2
        assert holding(bench.index) == []


@pytest.mark.slow
def test_a_reader_in_the_middle_keeps_the_log_and_no_one_waits_for_it(bench: Bench) -> None:
    """Pages that an open transaction still reads stay in the log until the next run."""
    bench.write({"a.txt": f"Know that {SECRET}.\n" * 40, "b.txt": "Other.", "c.txt": "More."})
    bench.ingest()
    with closing(bench.store()) as server:
        with server.reading():
            server.count()
            (bench.docs / "a.txt").unlink()
            report = bench.ingest()
        assert report.deleted == 1 and report.seconds < 5
        bench.write({"b.txt": "Other words."})
        bench.ingest()
        assert holding(bench.index) == []


# -- the lock, the disk ----------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from rag.writer import write_lock
with write_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
TRY = """
import sys, time
from pathlib import Path
from rag.errors import IndexLocked
from rag.writer import write_lock
started = time.monotonic()
try:
    with write_lock(Path(sys.argv[1])):
        print("held")
except IndexLocked as error:
    assert time.monotonic() - started < 1
    print(error)
"""


@pytest.mark.slow
def test_one_process_writes_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    """A second writer is refused at once; after SIGKILL of the first it has the lock."""
    with program(HOLD, tmp_path) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            with pytest.raises(IndexLocked, match="by another process"), write_lock(tmp_path):
                pass
        finally:
            holder.kill()
        holder.wait()
    with write_lock(tmp_path):
        assert "being written by another process" in run(TRY, tmp_path)


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    """Whatever ends the work, the lock is let go."""
    with suppress(RuntimeError), write_lock(tmp_path):
        raise RuntimeError
    with write_lock(tmp_path):
        pass


def test_a_full_disk_is_told_and_loses_nothing(writer: StoreWriter) -> None:
    """The commit that finds no space is undone; the earlier ones stay and can be read."""
    put(writer, [new("a", ["kept"])])
    (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StoreError, match="full; free some space") as caught:
        put(writer, [new("b", ["x" * 3000 + str(n) for n in range(40)])])
    assert not isinstance(caught.value, IndexCorrupt)
    store = Store(writer.database.parent)
    check(store)
    assert list(read_all(store)[0]) == ["a"]


def test_a_half_made_database_is_made_anew(tmp_path: Path) -> None:
    """A process that died while making the file leaves a draft, which is no index."""
    (tmp_path / "store.new").write_bytes(b"half")
    with pytest.raises(IndexNotFound):
        Store(tmp_path)
    StoreWriter(tmp_path, META).close()
    assert Store(tmp_path).count() == (0, 0)
    assert not (tmp_path / "store.new").exists()


def test_an_index_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    """Where the folder should be lies a file: an error of ours that names it."""
    (tmp_path / "index").write_text("in the way")
    with pytest.raises(StoreError, match="index"), write_lock(tmp_path / "index"):
        pass


def test_readers_can_not_write(writer: StoreWriter) -> None:
    """A store's connections refuse to change anything."""
    with pytest.raises(StoreError), Store(writer.database.parent).reading() as connection:
        connection.execute("DELETE FROM meta")
    assert sqlite3.connect(writer.database).execute("SELECT count(*) FROM meta").fetchone()[0]
