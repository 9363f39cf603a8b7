"""Files and folders that may not be read or written, and a full disk: nothing is lost."""

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.runner import DOCUMENTS, QUESTION, Run, write

NOBODY = 65534
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@contextmanager
def as_nobody(rag: Run) -> Iterator[None]:
    """Do without root's power to read and write everything."""
    if not IS_ROOT:
        yield
        return
    # Nobody may not read the libraries either, so what is needed is imported before.
    write(Path("warm"), {"up.md": "# Warm", "up.txt": "up"})
    assert rag("ingest", "warm", "--index-dir", "warm").code == 0
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_place(place: Path) -> Path:
    """Let everybody reach the folder: pytest's own are closed to all but the owner."""
    for folder in (place, *place.parents[:3]):
        folder.chmod(0o755)
    place.chmod(0o777)
    return place


@pytest.mark.usefixtures("open_place")
def test_what_may_not_be_read_is_told(rag: Run, docs: Path) -> None:
    """A closed file or folder inside fails by name (3); a closed path is refused (2)."""
    write(docs, {"closed/secret.txt": "nothing to see"})
    (docs / "closed").chmod(0)
    (docs / "law.txt").chmod(0)
    with as_nobody(rag):
        inside = rag("ingest", "docs", "--json")
        closed = rag("ingest", "docs/closed", "--json")
    (docs / "closed").chmod(0o755)
    failed = {item["source"]: item["error"] for item in inside.json["documents"]["failed"]}
    assert failed == {"closed/": "Permission denied", "law.txt": "Permission denied"}
    assert inside.json["documents"]["added"] == len(DOCUMENTS) - 1 and inside.code == 3
    assert "docs/closed" in closed.error and closed.code == 2


@pytest.mark.usefixtures("index")
def test_an_index_that_may_not_be_written_is_told(rag: Run, open_place: Path) -> None:
    """Exit code 1 with the remedy; the index is as it was."""
    write(open_place / "docs", {"new.txt": "Something new."})
    for path in [open_place / "indexes", *(open_place / "indexes").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with as_nobody(rag):
        result = rag("ingest", "docs", "--json")
    for path in [open_place / "indexes", *(open_place / "indexes").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert "can not be used" in result.error and "permissions" in result.error
    assert result.code == 1
    assert rag("search", QUESTION, "--json").json["hits"][0]["source"] == "animals/cats.md"


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = place / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system can not be mounted here")
    yield folder
    gc.collect()  # what the commands left open lies in cycles
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_committed(rag: Run, place: Path, small_disk: Path) -> None:
    """Exit code 1; the index answers from what fitted, and a run with space completes it."""
    options = ("--index-dir", small_disk)
    write(place / "docs", {"first.txt": "The cat drinks cold milk every morning."})
    assert rag("ingest", "docs", *options).code == 0
    words = " ".join("x" * 200 for n in range(1000))
    write(place / "docs", {f"large{n}.txt": f"Volume {n}. {words}" for n in range(4)})
    full = rag("ingest", "docs", *options)
    assert "free some space and run it again" in full.error and full.code == 1
    hits = rag("search", QUESTION, "--json", *options).json["hits"]
    assert hits[0]["source"] == "first.txt"
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    completed = rag("ingest", "docs", "--json", *options)
    assert completed.code == 0 and not completed.json["documents"]["failed"]
    status = rag("status", "--json", *options).json
    assert status["documents"] == 5 and status["healthy"]
