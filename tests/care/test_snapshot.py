"""A snapshot is a whole copy in one file, or none; a restore puts it in place, or does nothing."""

import hashlib
import json
import random
import threading
import zipfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from rag.care import quarantine
from rag.care.findings import Part
from rag.care.package import MANIFEST, Manifest, file_digest
from rag.care.snapshot import restore, snapshot
from rag.care.verify import verify
from rag.errors import ConfigError, IndexCorrupt, IndexLocked, IndexMismatch, StoreError
from rag.retriever import Retriever
from rag.store import DATABASE, Store
from rag.testing import HashEmbedder
from rag.vectors import ExactIndex
from rag.writer import write_lock
from tests.core.bench import ANIMALS, Bench, check, contents, put, sql
from tests.core.test_migrations import old


class OtherEmbedder(HashEmbedder):
    """The same vectors under another name."""

    name = "other"
    fingerprint = "other-1"


def stored(bench: Bench) -> Path:
    """Write a snapshot and return it."""
    file = bench.place / "animals.rag"
    snapshot(bench.index, file)
    return file


def test_a_snapshot_is_one_file_that_says_what_it_holds(animals: Bench) -> None:
    """No draft stays beside it, and the manifest tells index, model and numbers."""
    before = sorted(animals.place.rglob("*"))
    manifest = snapshot(animals.index, animals.place / "animals.rag")
    after = [path for path in sorted(animals.place.rglob("*")) if "-wal" not in path.name]
    new = [path for path in after if path not in before and "-shm" not in path.name]
    assert new == [animals.place / "animals.rag"]
    assert (manifest.index, manifest.embedder) == ("default", "hash")
    assert (manifest.documents, manifest.passages) == (4, 4)
    with zipfile.ZipFile(new[0]) as archive:
        assert archive.namelist() == [MANIFEST, DATABASE]
        assert Manifest(**json.loads(archive.read(MANIFEST))) == manifest


def test_what_is_restored_is_what_was_copied(animals: Bench) -> None:
    """Later changes are gone, all is in order, and what is derived is saved."""
    before = contents(animals.database)
    file = stored(animals)
    (animals.docs / "music.txt").unlink()
    animals.write({"new.txt": "A new one."})
    animals.ingest()
    assert contents(animals.database) != before
    assert restore(animals.index, file, replace=True).moved is None
    assert contents(animals.database) == before
    assert verify(animals.index).findings == ()
    assert sorted(path.name for path in animals.index.iterdir() if path.is_dir()) == ["derived"]


def test_a_snapshot_is_restored_under_another_name(animals: Bench) -> None:
    """Where no index was; the one it was made of stays."""
    file = stored(animals)
    restore(animals.index.parent / "other", file)
    assert contents(animals.index.parent / "other" / DATABASE) == contents(animals.database)
    check(Store(animals.index.parent / "other"))


def test_an_index_is_not_overwritten_unasked(animals: Bench) -> None:
    """Nor is a file; both name what confirms it."""
    file = stored(animals)
    data = animals.database.read_bytes()
    with pytest.raises(ConfigError, match="--yes, or restore under another name"):
        restore(animals.index, file)
    assert animals.database.read_bytes() == data
    with pytest.raises(ConfigError, match="--yes"):
        snapshot(animals.index, file)
    snapshot(animals.index, file, replace=True)
    with pytest.raises(ConfigError, match="inside the index"):
        snapshot(animals.index, animals.index / "copy")


def test_the_version_is_one_that_was_never_used(animals: Bench) -> None:
    """Higher than that of the index and that of the snapshot, however often it is restored."""
    file = stored(animals)
    versions = [animals.store().version()]
    for _ in range(3):
        restore(animals.index, file, replace=True)
        versions.append(animals.store().version())
    restore(animals.index.parent / "other", file)
    versions.append(Store(animals.index.parent / "other").version())
    assert len(set(versions)) == 5 and versions[:4] == sorted(versions[:4])


def test_whoever_has_the_index_open_follows(animals: Bench) -> None:
    """A search after a restore is of the restored index; the file is the same one."""
    file = stored(animals)
    inode = animals.database.stat().st_ino
    with closing(animals.store()) as store:
        retriever = Retriever(store, animals.embedder, ExactIndex)
        animals.write({"parrots.txt": "Parrots talk loudly."})
        animals.ingest()
        assert retriever.search("parrots talk", 1).hits[0].passage.source == "parrots.txt"
        restore(animals.index, file, replace=True)
        sources = {hit.passage.source for hit in retriever.search("parrots talk", 9).hits}
        assert sources == set(ANIMALS)
    assert animals.database.stat().st_ino == inode


def test_an_index_of_another_model_is_not_searched(animals: Bench, tmp_path: Path) -> None:
    """Restored in the place of one that is open: refused, until the old one is back."""
    mine = stored(animals)
    other = Bench(tmp_path / "second", embedder=OtherEmbedder())
    other.write({"a.txt": "Milk of another model."})
    other.ingest()
    theirs = tmp_path / "theirs"
    snapshot(other.index, theirs)
    retriever = animals.retriever()
    restore(animals.index, theirs, replace=True)
    for _ in range(2):
        with pytest.raises(IndexMismatch, match=r"other-1 .*rag migrate"):
            retriever.search("milk", 1)
    restore(animals.index, mine, replace=True)
    assert retriever.search("cat milk", 1).hits[0].passage.source == "animals/cats.md"


def test_a_snapshot_is_made_while_another_writes(animals: Bench) -> None:
    """The write lock is not taken; what is not committed is not in it."""
    version = animals.store().version()
    with write_lock(animals.index):
        file = stored(animals)
    restore(animals.index.parent / "other", file)
    assert contents(animals.index.parent / "other" / DATABASE) == contents(animals.database)
    assert animals.store().version() == version


@pytest.mark.slow
def test_snapshots_beside_an_ingest_are_each_of_one_commit(bench: Bench) -> None:
    """Taken while documents come and go: every one is whole, and can be restored."""
    bench.write({f"{n}.txt": f"The dog {n} barks. " * 20 for n in range(4)})
    bench.ingest()
    stop = threading.Event()

    def edits() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            put(bench.docs / f"{n % 4}.txt", f"The dog {n} barks again. " * 20)
            bench.ingest()

    writer = threading.Thread(target=edits)
    writer.start()
    try:
        for n in range(8):
            snapshot(bench.index, bench.place / f"{n}.rag")
    finally:
        stop.set()
        writer.join()
    for n in range(8):
        restore(bench.index.parent / f"copy{n}", bench.place / f"{n}.rag")
        found = verify(bench.index.parent / f"copy{n}")
        assert (found.documents, found.findings) == (4, ())


@pytest.mark.slow
def test_no_damaged_snapshot_is_restored(animals: Bench) -> None:
    """Of 150 copies with a byte changed or cut short each is refused, or restores what was."""
    file = stored(animals)
    data, before = file.read_bytes(), contents(animals.database)
    state, chance, refused = animals.database.read_bytes(), random.Random(5), 0
    for n in range(150):
        at = chance.randrange(len(data))
        cut = data[:at] if n % 5 == 0 else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        file.write_bytes(cut)
        place = animals.index.parent / f"copy{n}"
        try:
            restore(place, file)
        except (IndexCorrupt, StoreError):
            refused += 1
            assert not (place / DATABASE).exists() and not (place / "restoring").exists()
            with pytest.raises(StoreError):
                restore(animals.index, file, replace=True)
            assert animals.database.read_bytes() == state
        else:
            assert contents(place / DATABASE) == before
    assert refused > 120


def _archive(file: Path, manifest: object, database: bytes) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        archive.writestr(DATABASE, database)
    return file


@pytest.mark.parametrize(
    "manifest",
    [None, [], {}, {"format": 2}, {"format": 1}, {"format": 1, "bytes": "x", "sha256": 5}],
)
def test_an_archive_that_is_no_snapshot_is_refused(tmp_path: Path, manifest: object) -> None:
    """Whatever its manifest says; no index comes of it."""
    file = _archive(tmp_path / "file", manifest, b"")
    with pytest.raises(IndexCorrupt, match="no snapshot that can be used"):
        restore(tmp_path / "index", file)
    assert not (tmp_path / "index" / DATABASE).exists()


def test_no_more_is_unpacked_than_the_manifest_says(animals: Bench, tmp_path: Path) -> None:
    """A bomb ends one byte after the size that was told."""
    manifest = json.loads(zipfile.ZipFile(stored(animals)).read(MANIFEST)) | {"bytes": 1000}
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        archive.writestr(DATABASE, bytes(50_000_000))
    with pytest.raises(IndexCorrupt, match="does not match its checksum"):
        restore(tmp_path / "index", tmp_path / "bomb")


def test_a_good_archive_of_a_damaged_database_is_refused(animals: Bench, tmp_path: Path) -> None:
    """The rows are checked too, not only the file: whoever packs one can not pass off another."""
    file = stored(animals)
    manifest = json.loads(zipfile.ZipFile(file).read(MANIFEST))
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(zipfile.ZipFile(file).read(DATABASE))
    sql(copy, "UPDATE passages SET text = 'forged' WHERE row = 1")
    forged = manifest | {"sha256": file_digest(copy), "bytes": copy.stat().st_size}
    _archive(tmp_path / "forged", forged, copy.read_bytes())
    with pytest.raises(IndexCorrupt, match="passage row 1 does not match"):
        restore(tmp_path / "index", tmp_path / "forged")


def test_a_damaged_index_gives_no_snapshot(animals: Bench) -> None:
    """What can not be restored is not called a snapshot."""
    animals.sql("UPDATE passages SET text = 'x' WHERE row = 1")
    with pytest.raises(IndexCorrupt, match=r"no snapshot was written: see 'rag verify'"):
        stored(animals)
    assert not list(animals.place.glob("animals*"))


def test_a_restore_takes_the_place_of_a_database_that_is_broken(animals: Bench) -> None:
    """One that can not be opened goes to the quarantine; its log is not taken for the new one's."""
    before = contents(animals.database)
    file = stored(animals)
    animals.database.write_bytes(bytes(8192))
    (animals.index / f"{DATABASE}-wal").write_bytes(b"rest")
    restored = restore(animals.index, file, replace=True)
    assert restored.moved in quarantine.kept(animals.index)
    assert contents(animals.database) == before
    assert verify(animals.index).findings == ()


def test_a_restore_mends_damaged_pages(animals: Bench) -> None:
    """Every page is written anew where the file can be opened."""
    before = contents(animals.database)
    file = stored(animals)
    data = animals.database.read_bytes()
    animals.database.write_bytes(data[:12288] + bytes(12288) + data[24576:])
    assert Part.DATABASE in {finding.part for finding in verify(animals.index).findings}
    restore(animals.index, file, replace=True)
    assert contents(animals.database) == before
    assert verify(animals.index).findings == ()


def test_a_restore_waits_for_no_writer(animals: Bench) -> None:
    """The second writer is told at once."""
    file = stored(animals)
    with write_lock(animals.index), pytest.raises(IndexLocked):
        restore(animals.index, file, replace=True)


@pytest.mark.parametrize("step", ["unpack", "_check", "put_in_place"])
def test_a_restore_that_dies_leaves_the_index(
    animals: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At whatever step: the old contents, and the next restore goes through."""
    file = stored(animals)
    put(animals.docs / "new.txt", "A new one.")
    animals.ingest()
    before = contents(animals.database)

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"rag.care.snapshot.{step}", dies)
        with pytest.raises(KeyboardInterrupt):
            restore(animals.index, file, replace=True)
    assert contents(animals.database) == before
    restore(animals.index, file, replace=True)
    assert animals.sources() == sorted(ANIMALS)


def test_a_snapshot_of_an_earlier_schema_is_restored(tmp_path: Path) -> None:
    """It is brought to the present schema before it takes its place."""
    index = old(tmp_path / "old", 1)
    database = (index / DATABASE).read_bytes()
    manifest = Manifest(
        "old", "2026", "0.1.0", "hash", 2, 2, hashlib.sha256(database).hexdigest(), len(database)
    )
    file = _archive(tmp_path / "file", asdict(manifest), database)
    restore(tmp_path / "new", file)
    assert verify(tmp_path / "new").findings == ()


def test_a_file_that_is_not_there_makes_no_index(tmp_path: Path) -> None:
    """The folder of the index is not made either."""
    with pytest.raises(StoreError, match="No such file"):
        restore(tmp_path / "index", tmp_path / "missing")
    assert not (tmp_path / "index").exists()
