"""A run told in Markdown: what was run, and its figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.evaluation.runs import Figure, Manifest, read_figures, read_manifest

MARKDOWN = "report.md"


def write(folder: Path) -> None:
    """Write the report of a run into its folder; raises ConfigError for what is no run."""
    lines = _lines(read_manifest(folder), read_figures(folder))
    (folder / MARKDOWN).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(manifest: Manifest, figures: Sequence[Figure]) -> Iterator[str]:
    yield f"# {manifest.run}"
    yield ""
    yield f"`{manifest.command}`"
    yield ""
    for name in ("dataset", "models", "index"):
        yield f"- {name}: {getattr(manifest, name)}"
    yield f"- seed {manifest.seed}, limit {manifest.limit}, finished {manifest.finished}"
    yield ""
    yield "| metric | system | part | value | 95% interval | n |"
    yield "|---|---|---|---|---|---|"
    for f in figures:
        part = ", ".join(f"{name} {value}" for name, value in f.part.items()) or "all"
        interval = f"{f.low:.3f}–{f.high:.3f}"
        yield f"| {f.metric} | {f.system} | {part} | {f.value:.3f} | {interval} | {f.n} |"
