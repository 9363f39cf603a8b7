"""What is derived from the store is used when it is whole, and made anew when it is not."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rag import base, derived
from rag.base import FILES, FOLDER, MANIFEST, VECTORS
from rag.errors import IndexCorrupt, StoreError
from rag.layers import Layer
from rag.lexical import LexicalIndex
from rag.protocols import Rows
from rag.store import Store
from rag.types import Mode
from rag.vectors import ExactIndex
from tests.core.bench import ANIMALS, Bench

pytestmark = pytest.mark.slow

QUESTION = "Which animal drinks milk or barks at strangers by the Danube?"
Ranking = list[tuple[str, float]]


def ranking(bench: Bench) -> list[Ranking]:
    """Return what a search finds in each mode, by a retriever opened for it."""
    retriever = bench.retriever()
    return [
        [(hit.passage.id, hit.score) for hit in retriever.search(QUESTION, 10, mode).hits]
        for mode in Mode
    ]


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let building anything from the store fail."""

    def fail(*_: object) -> None:
        raise AssertionError("built from the store")

    monkeypatch.setattr(derived, "make_layer", fail)
    monkeypatch.setattr(LexicalIndex, "build", fail)


def count_builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with all that is built from the store: all of it, or a part."""
    built: list[str] = []
    make = derived.make_layer

    def new_layer(store: Store, rows: Rows | None, make_index: derived.VectorIndexFactory) -> Layer:
        built.append("all" if rows is None else "part")
        return make(store, rows, make_index)

    monkeypatch.setattr(derived, "make_layer", new_layer)
    return built


def test_what_is_saved_is_used(animals: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all in order nothing is built from the store, and the ranking is the same."""
    shutil.move(animals.index / FOLDER, animals.place / "aside")
    rebuilt = ranking(animals)
    shutil.move(animals.place / "aside", animals.index / FOLDER)
    forbid(monkeypatch)
    assert ranking(animals) == rebuilt
    assert derived.is_saved(animals.store())


def flipped(path: Path) -> None:
    """Change the last byte."""
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def flipped_header(path: Path) -> None:
    """Change a byte near the beginning."""
    data = path.read_bytes()
    path.write_bytes(data[:60] + bytes([data[60] ^ 4]) + data[61:])


def truncated(path: Path) -> None:
    """Cut off the last bytes."""
    path.write_bytes(path.read_bytes()[:-3])


def emptied(path: Path) -> None:
    """Leave nothing of the content."""
    path.write_bytes(b"")


def longer(path: Path) -> None:
    """Add a byte."""
    path.write_bytes(path.read_bytes() + b"\0")


def missing(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def folder(path: Path) -> None:
    """Put a folder in the place of the file."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        *product([flipped, truncated, missing], [*FILES, MANIFEST]),
        *product([flipped_header, emptied, longer, folder], [FILES[0], FILES[2], MANIFEST]),
    ],
)
def test_damaged_files_are_not_used(
    animals: Bench, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], name: str
) -> None:
    """Whatever happens to a file: the ranking is the one that the store gives."""
    expected = ranking(animals)
    damage(animals.index / FOLDER / name)
    built = count_builds(monkeypatch)
    assert ranking(animals) == expected
    # Of the manifest, white space may change and a byte more may come after.
    assert set(built) == {"all"} or name == MANIFEST


def test_any_flipped_byte_of_a_file_is_seen(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every seventh byte of every array, one after the other."""
    for name in FILES:
        path = animals.index / FOLDER / name
        data = path.read_bytes()
        for at in range(0, len(data), max(7, len(data) // 40)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            assert not derived.is_saved(animals.store()), (name, at)
        path.write_bytes(data)
    assert derived.is_saved(animals.store())


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "null", "{}", '{"version": 1}', '{"version": null, "files": {}}', "\0", "{" * 9999],
)
def test_odd_manifests_are_not_believed(animals: Bench, manifest: str) -> None:
    """JSON of another shape, or none at all."""
    expected = ranking(animals)
    (animals.index / FOLDER / MANIFEST).write_text(manifest)
    assert not derived.is_saved(animals.store())
    assert ranking(animals) == expected


def test_a_manifest_that_names_no_files_is_not_believed(animals: Bench) -> None:
    """The right version alone proves nothing."""
    path = animals.index / FOLDER / MANIFEST
    version = animals.store().version()
    path.write_text(json.dumps({"version": version, "files": {}}))
    assert not derived.is_saved(animals.store())
    path.write_text(base.Manifest(version, [], {}).text())
    assert not derived.is_saved(animals.store())


def test_files_that_do_not_belong_there_change_nothing(animals: Bench) -> None:
    """An extra file beside the saved ones."""
    expected = ranking(animals)
    (animals.index / FOLDER / "extra.npy").write_bytes(b"x")
    (animals.index / FOLDER / "lexical/more.npy").write_bytes(b"x")
    assert ranking(animals) == expected


def test_an_older_version_is_caught_up(animals: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was saved before the last change of content is searched with what came since."""
    shutil.copytree(animals.index / FOLDER, animals.place / "aside")
    animals.write({"new.txt": "This animal drinks milk and barks at strangers by the Danube."})
    animals.ingest()
    shutil.rmtree(animals.index / FOLDER)
    expected = ranking(animals)
    shutil.move(animals.place / "aside", animals.index / FOLDER)
    built = count_builds(monkeypatch)
    assert ranking(animals) == expected and set(built) == {"part"}
    assert len({identity for identity, _ in expected[0]}) == 5


def test_an_older_version_that_the_log_does_not_know_is_not_used(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the way from the one version to the other there is nothing to catch up by."""
    animals.write({"new.txt": "This animal drinks milk and barks at strangers by the Danube."})
    animals.ingest()
    expected = ranking(animals)
    animals.sql("DELETE FROM changes")
    built = count_builds(monkeypatch)
    assert ranking(animals) == expected and set(built) == {"all"}


def test_what_another_store_left_behind_is_not_used(animals: Bench) -> None:
    """The database deleted and made anew, in as many commits: what was saved is of the old one."""
    animals.database.unlink()
    for name in ANIMALS:
        (animals.docs / name).unlink()
    animals.write({f"{n}.txt": f"Quite another text {n}." for n in range(4)})
    animals.ingest()
    hits = animals.retriever().search("another text 3", 1).hits
    assert hits[0].passage.source == "3.txt"


def test_a_restored_copy_of_the_database_does_not_use_what_came_after(animals: Bench) -> None:
    """Back to a copy, then another change: the number of commits is the same, the content not."""
    copy = animals.database.read_bytes()
    animals.write({"a.txt": "The first course of events, told at length and in full."})
    animals.ingest()
    animals.database.write_bytes(copy)
    (animals.docs / "a.txt").unlink()
    animals.write({"b.txt": "Something else happened."})
    animals.ingest()
    hits = animals.retriever().search("Something else happened", 1).hits
    assert hits[0].passage.source == "b.txt"


def test_a_folder_that_is_replaced_while_it_is_read_is_not_used(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process commits and saves between the check of the files and their opening."""
    store = animals.store()
    intact = base.intact

    def replaced(folder: Path, told: base.Manifest) -> bool:
        whole = intact(folder, told)
        monkeypatch.setattr(base, "intact", intact)
        animals.write({"new.txt": "New words."})
        animals.ingest()
        assert derived.save(animals.store(), anew=True)
        return whole

    with store.reading():
        version = store.version()
        monkeypatch.setattr(base, "intact", replaced)
        found = derived.load(store, ExactIndex)
    assert found.version == version and found.base is None
    (layer,) = found.layers
    assert len(layer.rows) == len(layer.lexical) == sum(len(g.vectors) for g in layer.groups) == 4


def test_the_next_run_repairs_what_is_damaged(animals: Bench) -> None:
    """An ingest that changes nothing saves anew what was lost."""
    flipped(animals.index / FOLDER / VECTORS)
    assert not derived.is_saved(animals.store())
    animals.ingest()
    assert derived.is_saved(animals.store())


def test_a_draft_left_by_a_dead_process_is_no_hindrance(animals: Bench) -> None:
    """What a killed process was writing is thrown away."""
    draft = animals.index / (FOLDER + ".new")
    draft.mkdir()
    (draft / VECTORS).write_bytes(b"half")
    shutil.rmtree(animals.index / FOLDER)
    animals.ingest()
    assert derived.is_saved(animals.store()) and not draft.exists()


def test_a_damaged_store_builds_nothing(animals: Bench) -> None:
    """With a vector or terms damaged in the store itself there is nothing to fall back on."""
    shutil.rmtree(animals.index / FOLDER)
    animals.sql("UPDATE passages SET terms = x'ffffffff01000000' WHERE row = 1")
    with pytest.raises(IndexCorrupt):
        derived.load(animals.store(), ExactIndex)
    with pytest.raises(IndexCorrupt):
        derived.save(animals.store())


def test_a_folder_that_can_not_be_written_is_told(animals: Bench) -> None:
    """Where the derived files should go lies a file."""
    shutil.rmtree(animals.index / FOLDER)
    (animals.index / (FOLDER + ".new")).write_text("in the way")
    with pytest.raises(StoreError, match="derived"):
        derived.save(animals.store())


def test_positions_are_those_of_the_rows(bench: Bench) -> None:
    """Position i holds row rows[i]; a language lies together; unknown rows are left out."""
    bench.write(
        {
            "a.txt": "The cat drinks milk in the morning.",
            "b.txt": "Кошка пьёт молоко каждое утро.",
            "c.txt": "A dog barks at every stranger.",
        }
    )
    bench.ingest()
    with closing(bench.store()) as store:
        (found,) = derived.load(store, ExactIndex).layers
        passages = store.passages(found.rows.tolist())
    languages = [passages[row].language for row in found.rows.tolist()]
    assert languages == ["en", "en", "ru"]
    assert [(g.language, g.start, len(g.vectors)) for g in found.groups] == [
        ("en", 0, 2),
        ("ru", 2, 1),
    ]
    for position, row in enumerate(found.rows.tolist()):
        text = passages[row].text
        (vector,) = bench.embedder.embed_queries([text])
        (group,) = [g for g in found.groups if g.language == passages[row].language]
        scores = group.vectors.scores(vector[None], np.array([position - group.start]))
        assert scores[0, 0] == pytest.approx(1.0)
    rows = np.sort(np.array([found.rows[2], 999, found.rows[0]]))
    assert found.positions(rows).tolist() == [0, 2]
    assert found.positions(np.empty(0, dtype=np.int64)).tolist() == []


def test_a_passage_that_vanished_is_missed(animals: Bench) -> None:
    """Damage may leave a table in order and a row short: what is saved tells."""
    animals.ingest()
    animals.sql("DELETE FROM passages WHERE row = (SELECT min(row) FROM passages)")
    with pytest.raises(IndexCorrupt, match="passages are gone; repair it"):
        animals.retriever().search("cats", 5)
