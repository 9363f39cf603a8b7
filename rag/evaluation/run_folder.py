"""A whole run folder, read or written at once: what reports, comparisons and audits work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.runs import (
    ITEMS,
    Figure,
    Item,
    Manifest,
    item_line,
    read_figures,
    read_items,
    read_manifest,
    write_figures,
    write_manifest,
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run: what was run, an item for each case, and the figures."""

    folder: Path
    manifest: Manifest
    items: tuple[Item, ...]
    figures: tuple[Figure, ...]


def read_run(folder: Path) -> Run:
    """Return what a run folder holds; of a run that is not finished, what is there.

    Raises:
        ConfigError: it holds no run, or what it holds can not be read.
    """
    manifest = read_manifest(folder)
    figures = read_figures(folder) if manifest.finished is not None else []
    return Run(folder, manifest, tuple(read_items(folder)), tuple(figures))


def write_run(
    folder: Path, manifest: Manifest, items: Sequence[Item], figures: Sequence[Figure]
) -> None:
    """Write a complete run; the manifest last, so that a folder that has one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(item_line(item) + "\n" for item in items)
    (folder / ITEMS).write_text(lines, encoding="utf-8", newline="\n")
    write_figures(folder, figures)
    write_manifest(folder, manifest)
