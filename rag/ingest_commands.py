"""`rag ingest` and `rag watch`: an index in step with folders."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from rag.config import Config
from rag.console import Printer, print_view
from rag.errors import ConfigError, IndexLocked, LoadError
from rag.options import Chunks, Common, Models, settings, spread
from rag.progress import Reporter

if TYPE_CHECKING:
    from rag.protocols import Embedder
    from rag.types import IngestReport

Paths = Annotated[list[Path], Argument(metavar="PATH…", exists=True, help="folders or files")]


@dataclass(frozen=True, slots=True)
class Syncing:
    """How far an index follows its folders."""

    yes: Annotated[bool, Option("--yes", help="delete without asking")] = False
    keep_missing: Annotated[
        bool, Option("--keep-missing", help="keep documents whose files are gone")
    ] = False


@spread
def ingest_command(
    paths: Paths,
    common: Common,
    models: Models,
    chunks: Chunks,
    syncing: Syncing,
    dry_run: Annotated[
        bool, Option("--dry-run", help="show what would be done, and do nothing")
    ] = False,
) -> int:
    """Bring an index into step with folders of documents; what is unchanged costs nothing."""
    config = settings(common, models, chunks)
    if dry_run:
        return _preview(paths, common, config, syncing.keep_missing)
    with Reporter(events=common.events) as reporter:
        report = _ingest(paths, common, config, syncing, reporter, _embedder(config, reporter))
    return _told(report, common)


def _preview(paths: list[Path], common: Common, config: Config, keep_missing: bool) -> int:
    from rag.preview import preview
    from rag.views import preview_view

    found = preview(paths, common.index, config, keep_missing=keep_missing)
    print_view(preview_view(found), common.json, Printer.preview)
    return LoadError.exit_code if found.failed else 0


def _embedder(config: Config, reporter: Reporter) -> "Embedder":
    from rag.build import DeferredEmbedder

    return DeferredEmbedder(
        config, reporter.fetch, lambda: reporter.waiting("loading the embedding model")
    )


def _ingest(
    paths: list[Path],
    common: Common,
    config: Config,
    syncing: Syncing,
    reporter: Reporter,
    embedder: "Embedder",
) -> "IngestReport":
    from rag.ingest import ingest

    reporter.waiting("reading the folder")

    def confirm(gone: int, total: int) -> bool:
        reporter.close()
        return syncing.yes or _confirmed(gone, total)

    return ingest(
        paths,
        common.index,
        embedder,
        config,
        confirm=confirm,
        listener=reporter.ingest,
        keep_missing=syncing.keep_missing,
    )


def _confirmed(gone: int, total: int) -> bool:
    """Ask a person; where there is none, the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    question = f"{gone} of {total} documents are gone from their folder. Delete them here too?"
    return typer.confirm(question, err=True)


def _told(report: "IngestReport", common: Common) -> int:
    from rag.views import ingest_view

    print_view(ingest_view(report), common.json, Printer.ingest)
    return LoadError.exit_code if report.failed else 0


@spread
def watch_command(
    paths: Paths,
    common: Common,
    models: Models,
    chunks: Chunks,
    syncing: Syncing,
    poll: Annotated[
        float | None,
        Option("--poll", metavar="SECONDS", min=0.1, help="look so often; for network folders"),
    ] = None,
) -> int:
    """Keep an index in step with folders until interrupted: ingest, wait for a change, again."""
    from rag.watching import watch

    config = settings(common, models, chunks)
    with Reporter(events=common.events) as reporter:
        embedder = _embedder(config, reporter)
        first = True

        def again() -> None:
            nonlocal first
            try:
                report = _ingest(paths, common, config, syncing, reporter, embedder)
            except (ConfigError, IndexLocked) as error:
                # A mistake at the start ends the command; later, the next change may mend it.
                if first:
                    raise
                reporter.note(f"not in step: {error}")
                return
            first = False
            reporter.close()
            changed = report.added or report.updated or report.copies or report.deleted
            if changed or report.failed:
                _told(report, common)

        watch(paths, config.index_dir, again, poll=poll)
    return 0


def add_to(app: typer.Typer) -> None:
    """Make the commands of a program."""
    app.command("ingest")(ingest_command)
    app.command("watch")(watch_command)
