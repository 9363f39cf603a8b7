"""A migration gives what an ingest with the new model would have given, from the stored texts."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.care.migrate import DRAFT, migrate
from rag.care.snapshot import restore
from rag.care.verify import verify
from rag.errors import ConfigError, IndexCorrupt, IndexLocked, IndexMismatch, IndexNotFound
from rag.ingest import Progress
from rag.protocols import Vectors
from rag.reference import REFERENCE
from rag.store import DATABASE
from rag.testing import HashEmbedder, WordTokenizer
from rag.types import Parsed
from rag.writer import write_lock
from tests.core.bench import ANIMALS, Bench, contents, put, sql
from tests.core.test_migrations import old

pytestmark = pytest.mark.slow


class CharacterTokenizer(WordTokenizer):
    """Counts characters."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the span of each character."""
        return [(at, at + 1) for at in range(len(text))]


class NarrowEmbedder(HashEmbedder):
    """Another model: half as many dimensions, and tokens of one character."""

    name = "narrow"
    fingerprint = "narrow-1"
    dim = 128
    tokenizer = CharacterTokenizer()


class DyingEmbedder(NarrowEmbedder):
    """Is killed after some calls."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return vectors, or die."""
        self.calls -= 1
        if self.calls < 0:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


DOGS = {f"{n}.txt": "".join(f"Dog {n} barks {m}. " for m in range(60)) for n in range(6)}


@pytest.fixture
def dogs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Six documents of several passages each, of which a migration commits one at a time."""
    monkeypatch.setattr("rag.care.migrate.SLAB_PASSAGES", 2)
    bench.write(DOGS)
    bench.ingest()
    return bench


def scratch(bench: Bench, place: Path) -> Bench:
    """Return an index of the same folder made by the new model from scratch."""
    new = Bench(place, embedder=NarrowEmbedder(), settings=bench.settings)
    new.ingest(bench.docs)
    return new


def test_a_migrated_index_is_as_one_made_from_scratch(animals: Bench, tmp_path: Path) -> None:
    """The same passages, terms, vectors and ids; documents keep theirs; nothing is left over."""
    ids = dict(animals.sql("SELECT source, id FROM documents"))
    migrated = migrate(animals.index, NarrowEmbedder(), animals.config)
    assert (migrated.before, migrated.after) == ("hash", "narrow")
    assert (migrated.documents, migrated.kept) == (4, None)
    expected = scratch(animals, tmp_path / "scratch")
    assert contents(animals.database) == contents(expected.database)
    assert dict(animals.sql("SELECT source, id FROM documents")) == ids
    assert verify(animals.index).findings == ()
    assert not (animals.index / DRAFT).exists()
    # The next ingest finds nothing to do.
    animals.embedder = NarrowEmbedder()
    report = animals.ingest()
    assert (report.unchanged, report.embedded) == (4, 0)


def test_passages_are_cut_anew_with_what_a_loader_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Headings, pages, unit, title and metadata come from the store: no file is read."""
    text = "# One\n\n" + "The cat sleeps. " * 60 + "\n\n# 二\n\n" + "狗在叫。" * 90
    parsed = Parsed(text, "T", pages=(0, 500, 900), unit="slide", metadata={"author": "Ann"})
    monkeypatch.setattr("rag.loaders.load", lambda path, *given: parsed)
    put(bench.docs / "a.txt", "x")
    bench.ingest()
    bench.settings["passage_tokens"] = 100
    made = scratch(bench, tmp_path / "scratch")
    shutil.rmtree(bench.docs)
    before = bench.store().count()[1]
    migrate(bench.index, NarrowEmbedder(), bench.config)
    assert contents(bench.database) == contents(made.database)
    assert bench.store().count()[1] > before
    assert bench.document("a.txt").unit == "slide"


def test_other_lengths_of_passages_are_a_migration_too(animals: Bench) -> None:
    """With the same model: an ingest with the new settings was refused before, and is not now."""
    animals.settings["passage_tokens"] = 16
    animals.settings["overlap_tokens"] = 4
    with pytest.raises(IndexMismatch, match="rag migrate"):
        animals.ingest()
    migrate(animals.index, animals.embedder, animals.config)
    assert animals.ingest().unchanged == 4


def test_an_index_that_is_up_to_date_is_left_as_it_is(animals: Bench) -> None:
    """Nothing is embedded, and the version stays."""
    version = animals.store().version()
    embedder = HashEmbedder()
    migrated = migrate(animals.index, embedder, animals.config)
    assert (migrated.embedded, embedder.embedded) == (0, 0)
    assert animals.store().version() == version


def test_one_interrupted_before_its_base_was_saved_is_completed(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run saves what is derived from an index that is in place already."""
    with monkeypatch.context() as patch:
        patch.setattr("rag.derived.save", _die)
        with pytest.raises(KeyboardInterrupt):
            migrate(animals.index, NarrowEmbedder(), animals.config)
    assert [finding.where for finding in verify(animals.index).findings] == ["derived"]
    migrate(animals.index, NarrowEmbedder(), animals.config)
    assert verify(animals.index).findings == ()


def _die(*given: object) -> None:
    raise KeyboardInterrupt


def test_an_earlier_schema_is_brought_up_to_date(bench: Bench) -> None:
    """What a reader of an old index is told to run does help."""
    old(bench.index, 1)
    sql(bench.database, "UPDATE reference SET vectors = vectors")
    assert migrate(bench.index, bench.embedder, bench.config).embedded == 0
    assert bench.store().count()[0] == 2


def test_the_old_index_answers_meanwhile(animals: Bench) -> None:
    """Until the switch a search finds what it found before; then another model is told."""
    retriever = animals.retriever()
    found: list[str] = []

    def ask(progress: Progress) -> None:
        found.append(retriever.search("cat milk", 1).hits[0].passage.source)

    migrate(animals.index, NarrowEmbedder(), animals.config, listener=ask)
    assert set(found) == {"animals/cats.md"} and len(found) >= 2
    with pytest.raises(IndexMismatch, match="narrow"):
        retriever.search("cat milk", 1)


@pytest.mark.parametrize("documents", [-2, 0, 1, 5])
def test_an_interrupted_migration_is_taken_up(dogs: Bench, tmp_path: Path, documents: int) -> None:
    """The old index is whole; the second run embeds only what the first has not committed."""
    before = contents(dogs.database)
    dying, fresh = DyingEmbedder(len(REFERENCE) + documents), NarrowEmbedder()
    with pytest.raises(KeyboardInterrupt):
        migrate(dogs.index, dying, dogs.config)
    assert contents(dogs.database) == before
    assert dogs.retriever().search("dog barks", 1).hits
    migrate(dogs.index, fresh, dogs.config)
    whole = scratch(dogs, tmp_path / "scratch")
    # The reference is embedded in one piece.
    committed = dying.embedded if documents >= 0 else 0
    assert fresh.embedded + committed == whole.embedder.embedded
    assert contents(dogs.database) == contents(whole.database)


def test_what_changed_since_an_interruption_is_made_anew(dogs: Bench, tmp_path: Path) -> None:
    """Edited, deleted, moved and added documents between two runs: the last state counts."""
    with pytest.raises(KeyboardInterrupt):
        migrate(dogs.index, DyingEmbedder(len(REFERENCE) + 5), dogs.config)
    assert len(sql(dogs.index / DRAFT / DATABASE, "SELECT id FROM documents")) == 5
    put(dogs.docs / "0.txt", "Edited.")
    (dogs.docs / "1.txt").unlink()
    (dogs.docs / "2.txt").rename(dogs.docs / "moved.txt")
    put(dogs.docs / "new.txt", "New.")
    dogs.ingest()
    texts = {source: row[2] for source, row in contents(dogs.database).items()}
    ids = {source: row[0] for source, row in contents(dogs.database).items()}
    migrate(dogs.index, NarrowEmbedder(), dogs.config)
    assert {source: row[2] for source, row in contents(dogs.database).items()} == texts
    assert {source: row[0] for source, row in contents(dogs.database).items()} == ids
    assert verify(dogs.index).findings == ()
    dogs.embedder = NarrowEmbedder()
    assert dogs.ingest().unchanged == 7 - 1


def test_what_another_migration_left_is_not_taken_up(animals: Bench, tmp_path: Path) -> None:
    """Begun with one model or length, gone on with another: from the beginning."""
    with pytest.raises(KeyboardInterrupt):
        migrate(animals.index, DyingEmbedder(5), animals.config)
    animals.settings["passage_tokens"] = 50
    animals.settings["overlap_tokens"] = 0
    migrate(animals.index, NarrowEmbedder(), animals.config)
    expected = scratch(animals, tmp_path / "scratch")
    assert contents(animals.database) == contents(expected.database)


def test_a_damaged_draft_is_made_anew(animals: Bench) -> None:
    """It is a copy: nothing is lost with it."""
    (animals.index / DRAFT).mkdir()
    (animals.index / DRAFT / DATABASE).write_bytes(b"no database" * 500)
    migrate(animals.index, NarrowEmbedder(), animals.config)
    assert verify(animals.index).findings == ()


def test_the_old_index_can_be_kept(animals: Bench) -> None:
    """As a snapshot, which brings it back; a file that is there is not overwritten."""
    before = contents(animals.database)
    file = animals.place / "old.rag"
    migrated = migrate(animals.index, NarrowEmbedder(), animals.config, keep_old=file)
    assert migrated.kept == file
    with pytest.raises(ConfigError, match="there already"):
        migrate(animals.index, animals.embedder, animals.config, keep_old=file)
    restore(animals.index, file, replace=True)
    assert contents(animals.database) == before


def test_a_damaged_text_ends_a_migration(animals: Bench) -> None:
    """Nothing damaged is made to look good: the old index stays as it is."""
    animals.sql("UPDATE segments SET text = replace(text, 'two', 'six')")
    with pytest.raises(IndexCorrupt, match="rag repair"):
        migrate(animals.index, NarrowEmbedder(), animals.config)
    assert dict(animals.sql("SELECT key, value FROM meta"))["embedder"] == "hash"


def test_it_needs_an_index_and_the_lock(animals: Bench, tmp_path: Path) -> None:
    """As every writer does."""
    with pytest.raises(IndexNotFound):
        migrate(tmp_path / "nowhere", NarrowEmbedder(), animals.config)
    with write_lock(animals.index), pytest.raises(IndexLocked):
        migrate(animals.index, NarrowEmbedder(), animals.config)


def test_a_file_that_was_changed_around_its_ingest_is_looked_at_again(animals: Bench) -> None:
    """When a file was read last is remembered, not when it was migrated."""
    query = "SELECT id, size, mtime_ns, ingested_ns FROM documents ORDER BY id"
    before = animals.sql(query)
    migrate(animals.index, NarrowEmbedder(), animals.config)
    assert animals.sql(query) == before
    assert sorted(animals.sources()) == sorted(ANIMALS)
