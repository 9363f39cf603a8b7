"""Damage to any file of an index is seen, or does no harm; it never gives a wrong answer."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import derived
from rag.errors import RagError
from tests.acceptance.conftest import scaled
from tests.core.bench import Bench

QUERIES = ("heron river", "stone milk", "the same end", "violins cello")
Found = list[list[tuple[str, str, str, float]]]


def found(bench: Bench) -> Found:
    """Return what an index finds, with all that is shown of it."""
    retriever = bench.retriever()
    hits = [retriever.search(query, 10).hits for query in QUERIES]
    shown = [
        [(hit.passage.source, hit.passage.title, hit.passage.text, hit.score) for hit in group]
        for group in hits
    ]
    for passage in [hit.passage for group in hits for hit in group]:
        document = retriever.store.document(passage.document_id)
        assert document is not None
        assert document.text[passage.start : passage.end] == passage.text
    return shown


def flip(data: bytearray, chance: random.Random) -> None:
    """One bit is another."""
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray, chance: random.Random) -> None:
    """The end is gone."""
    del data[chance.randrange(len(data)) :]


def zero(data: bytearray, chance: random.Random) -> None:
    """A sector holds zeros."""
    at = chance.randrange(len(data))
    data[at : at + 512] = bytes(len(data[at : at + 512]))


def swap(data: bytearray, chance: random.Random) -> None:
    """Two stretches have changed their places."""
    size = min(512, len(data) // 2)
    one, other = (chance.randrange(len(data) - size + 1) for _ in range(2))
    data[one : one + size], data[other : other + size] = (
        data[other : other + size],
        data[one : one + size],
    )


DAMAGE: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, flip, truncate, zero, swap)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An index that is copied, and damaged."""
    bench = Bench(
        tmp_path_factory.mktemp("made"), settings={"passage_tokens": 32, "overlap_tokens": 8}
    )
    bench.write(
        {
            f"{n}.md": f"# Title {n}\n\nA heron stands in river {n}. " + "Stone and milk. " * n
            for n in range(20)
        }
    )
    bench.ingest()
    # A base, and a log of what has changed since: additions, an edit, a deletion.
    with pytest.MonkeyPatch.context() as bounds:
        bounds.setattr(derived, "ERASED_ROWS", 0)
        bench.write({f"{n}.md": f"# New {n}\n\nStone by river {n}. " * 3 for n in (3, 20, 21)})
        (bench.docs / "7.md").unlink()
        bench.ingest()
    assert len(bench.sql("SELECT * FROM changes")) > 1
    found(bench)
    return bench


def damaged(bench: Bench, place: Path, case: int) -> tuple[Bench, str]:
    """Return a copy with one thing wrong, and what."""
    chance = random.Random(case)
    trial = Bench(place, settings=bench.settings)
    shutil.copytree(bench.index, trial.index)
    files = sorted(p for p in trial.index.rglob("*") if p.is_file() and p.stat().st_size)
    victim = chance.choice(files)
    kind = chance.randrange(len(DAMAGE) + 2)
    if kind == len(DAMAGE):
        victim.unlink()
        return trial, f"{victim.name} deleted"
    if kind == len(DAMAGE) + 1:
        (victim.parent / f"stray{case}.bin").write_bytes(chance.randbytes(100))
        return trial, "stray file"
    data = bytearray(victim.read_bytes())
    DAMAGE[kind](data, chance)
    victim.write_bytes(data)
    return trial, f"{victim.name} {DAMAGE[kind].__name__}"


def test_no_damage_gives_a_wrong_answer(made: Bench, tmp_path: Path) -> None:
    """Flips, cuts, zeros, swaps, deletions and strays: refused in one line, mended, or harmless."""
    expected = found(made)
    outcomes: Counter[str] = Counter()
    for case in range(scaled(1000, 60)):
        place = tmp_path / "trial"
        trial, what = damaged(made, place, case)
        try:
            right = found(trial) == expected
        except RagError as error:
            assert "\n" not in str(error) and str(trial.index.parent) in str(error), (
                what,
                str(error),
            )
            assert what != "stray file"
            outcomes["refused"] += 1
        else:
            assert right, what
            outcomes["as it was"] += 1
        shutil.rmtree(place)
    # How many are refused is chance: most of a small index is derived, and made anew.
    assert outcomes["as it was"]
    print(dict(outcomes))
