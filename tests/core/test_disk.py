"""The room that files take."""

import os
from pathlib import Path
from typing import Any

import pytest

from rag.disk import folder_bytes


def test_files_at_any_depth_count(tmp_path: Path) -> None:
    """Their bytes are summed; links count for themselves."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep").write_bytes(b"x" * 7)
    (tmp_path / "near").write_bytes(b"x" * 5)
    (tmp_path / "link").symlink_to("near")
    assert folder_bytes(tmp_path) == 7 + 5 + len("near")


def test_what_vanishes_meanwhile_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is deleted between being named and being listed, as those of pip are."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "file").write_bytes(b"xx")
    (tmp_path / "kept").write_bytes(b"x")
    scandir = os.scandir

    def late(path: Any) -> Any:
        if Path(path).name == "gone":
            (tmp_path / "gone" / "file").unlink()
            (tmp_path / "gone").rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", late)
    assert folder_bytes(tmp_path) == 1


def test_a_folder_that_is_not_there_takes_no_room(tmp_path: Path) -> None:
    """Nothing is raised."""
    assert folder_bytes(tmp_path / "missing") == 0
