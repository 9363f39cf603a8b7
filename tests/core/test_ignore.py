"""What a folder's .ragignore leaves out."""

from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.scan import scan


def listed(root: Path) -> list[str]:
    listing = scan(root, exclude=root / "indexes")
    return [file.path.relative_to(root).as_posix() for file in listing.files]


def test_patterns_are_gitignores(tmp_path: Path) -> None:
    """Names, folders and exceptions work as in a .gitignore."""
    for name in ("a.md", "b.md", "drafts/c.md", "drafts/keep.md", "deep/drafts/d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text", encoding="utf-8")
    (tmp_path / ".ragignore").write_text("# note\nb.md\n/drafts/*\n!keep.md\n", encoding="utf-8")
    assert listed(tmp_path) == ["a.md", "deep/drafts/d.md", "drafts/keep.md"]


def test_unreadable_patterns_are_an_error(tmp_path: Path) -> None:
    """A .ragignore that is no text stops the run: else it would ingest what it should not."""
    (tmp_path / "a.md").write_text("text", encoding="utf-8")
    (tmp_path / ".ragignore").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="ragignore"):
        scan(tmp_path, exclude=tmp_path / "indexes")
