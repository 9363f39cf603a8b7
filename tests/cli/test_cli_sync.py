"""Keeping an index in step with a folder: previews, files that are gone, and watching."""

import json
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rag.watching import watch
from tests.cli.runner import DOCUMENTS, finish, spawn, write


@pytest.mark.usefixtures("index")
def test_a_dry_run_tells_all_and_does_nothing(rag: Any, docs: Path, place: Path) -> None:
    """What it tells is what the run does then."""
    (docs / "law.txt").unlink()
    (docs / "music.txt").rename(docs / "quartet.txt")
    write(docs, {"new.txt": "A new text.", "space.txt": "Saturn has rings."})
    before = {p: p.read_bytes() for p in (place / "indexes").rglob("*") if p.is_file()}
    told = rag("ingest", docs, "--dry-run", "--json").json
    assert told["added"] == ["new.txt"]
    assert told["updated"] == ["space.txt"]
    assert told["moved"] == [{"from": "music.txt", "to": "quartet.txt"}]
    assert told["deleted"] == ["law.txt"]
    assert told["unchanged"] == len(DOCUMENTS) - 3
    assert {p: p.read_bytes() for p in (place / "indexes").rglob("*") if p.is_file()} == before
    shown = rag("ingest", docs, "--dry-run")
    assert "moved:    music.txt → quartet.txt\n" in shown.out
    assert shown.out.endswith(
        "1 added, 1 updated, 1 moved, 1 deleted, 5 unchanged; nothing was done\n"
    )
    done = rag("ingest", docs, "--json").json["documents"]
    assert (done["added"], done["updated"], done["deleted"]) == (1, 2, 1)


def test_a_dry_run_makes_no_index(rag: Any, docs: Path, place: Path) -> None:
    """A first run is previewed too, files that fail are named, and the exit code tells."""
    write(docs, {"broken.pdf": "no pdf"})
    done = rag("ingest", docs, "--dry-run", "--json")
    assert sorted(done.json["added"]) == sorted([*DOCUMENTS, "broken.pdf"])
    assert done.code == 0
    assert not (place / "indexes").exists()


@pytest.mark.usefixtures("index")
def test_what_is_missing_can_be_kept(rag: Any, docs: Path) -> None:
    """With --keep-missing nothing is deleted; the next run without it deletes."""
    (docs / "law.txt").unlink()
    assert rag("ingest", docs, "--dry-run", "--keep-missing", "--json").json["deleted"] == []
    kept = rag("ingest", docs, "--keep-missing", "--json").json["documents"]
    assert (kept["deleted"], kept["unchanged"]) == (0, len(DOCUMENTS) - 1)
    hits = rag("search", "contract deceived", "--json").json["hits"]
    assert hits[0]["source"] == "law.txt"
    assert rag("ingest", docs, "--json").json["documents"]["deleted"] == 1


@pytest.mark.slow
def test_watch_follows_the_folder(rag: Any, docs: Path) -> None:
    """New, changed and deleted files are in the index soon; Ctrl-C ends it."""
    process = spawn("watch", docs, "--json")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["documents"]["added"] == len(DOCUMENTS)
        write(docs, {"whales.txt": "Humpback whales sing long songs under water."})
        assert json.loads(process.stdout.readline())["documents"]["added"] == 1
        assert rag("search", "whales", "--json").json["hits"][0]["source"] == "whales.txt"
        (docs / "whales.txt").unlink()
        assert json.loads(process.stdout.readline())["documents"]["deleted"] == 1
        # More than half: nobody is there to be asked, so it is told and not done.
        shutil.rmtree(docs / "animals")
        for name in ("law.txt", "music.txt", "rivers.txt"):
            (docs / name).unlink()
        assert process.stderr is not None
        assert "not in step: 5 of the index's 8 documents" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
        done = finish(process)
    assert (done.code, done.err) == (130, "error: interrupted\n")


def test_watching_what_is_not_there_ends(rag: Any, place: Path) -> None:
    """A folder without documents is a mistake at the start."""
    (place / "empty").mkdir()
    assert "holds no file that can be ingested" in rag("watch", place / "empty").error


@pytest.mark.slow
@pytest.mark.parametrize("poll", [None, 0.2])
def test_changes_are_gathered_until_the_folder_rests(tmp_path: Path, poll: float | None) -> None:
    """Many writes are one change, and what the index writes is none."""
    ignored = tmp_path / "indexes"
    ignored.mkdir()
    calls: list[float] = []
    stop = threading.Event()

    def changed() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            for n in range(20):
                (tmp_path / f"{n}.txt").write_text("text")
        else:
            (ignored / "store.db").write_text("written by the index")
            threading.Timer(2.5, stop.set).start()

    watch([tmp_path], ignored, changed, poll=poll, stop=stop)
    assert len(calls) == 2


def test_copies_are_told_by_every_command(rag: Any, docs: Path) -> None:
    """Preview, ingest, search, ask, status and delete name the files that hold the same."""
    write(docs, {"again.txt": DOCUMENTS["space.txt"], "copy/once.txt": DOCUMENTS["space.txt"]})
    first = rag("ingest", docs, "--dry-run")
    assert "copies:   copy/once.txt (of again.txt)\n" in first.out
    assert "copies:   space.txt (of again.txt)\n" in first.out and ", 2 copies, " in first.out
    assert ", 2 the same as another\n" in rag("ingest", docs).out
    assert rag("status", "--json").json["copies"] == 2
    (hit, *_) = rag("search", "Saturn rings", "-k", "1", "--json").json["hits"]
    assert (hit["source"], hit["also_in"]) == ("again.txt", ["copy/once.txt", "space.txt"])
    shown = rag("search", "Saturn rings", "-k", "1")
    assert "    also in: copy/once.txt, space.txt\n" in shown.out
    deleted = rag("delete", "copy/once.txt")
    assert deleted.out.startswith("deleted again.txt\n    also in: copy/once.txt, space.txt\n")
    assert rag("ingest", docs, "--json").json["documents"]["copies"] == 2
