"""Commands that care for an index: verify, repair, snapshot, restore, delete, compact, migrate."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from rag.console import Printer, print_view
from rag.errors import IndexCorrupt
from rag.options import Chunks, Common, Models, settings, spread
from rag.progress import Reporter

care_app = typer.Typer(rich_markup_mode=None)


def _path(common: Common) -> Path:
    from rag.store import index_path

    return index_path(settings(common).index_dir, common.index)


@care_app.command("verify")
@spread
def verify_command(common: Common) -> int:
    """Read all of an index, compare checksums, and name what is wrong (exit code 5)."""
    from rag.care.verify import verify
    from rag.care.views import verified_view

    with Reporter(events=common.events) as reporter:
        reporter.waiting("reading the index")
        verified = verify(_path(common), reporter.verify)
    print_view(verified_view(verified), common.json, Printer.verified)
    return IndexCorrupt.exit_code if verified.findings else 0


@care_app.command("repair")
@spread
def repair_command(common: Common) -> int:
    """Rebuild what is derived, and move what is damaged to the index's quarantine."""
    from rag.care.repair import repair
    from rag.care.views import repaired_view

    with Reporter(events=common.events) as reporter:
        reporter.waiting("repairing the index")
        repaired = repair(_path(common))
    print_view(repaired_view(repaired), common.json, Printer.repaired)
    return 0 if repaired.healthy else IndexCorrupt.exit_code


@care_app.command("snapshot")
@spread
def snapshot_command(
    common: Common,
    file: Annotated[Path, Argument(metavar="FILE", help="file to write")],
    yes: Annotated[bool, Option("--yes", help="replace the file if it is there")] = False,
) -> int:
    """Copy an index to one file, while it is read and written."""
    from rag.care.snapshot import snapshot
    from rag.care.views import snapshot_view

    with Reporter(events=common.events) as reporter:
        reporter.waiting("copying the index")
        manifest = snapshot(_path(common), file, replace=yes)
    print_view(snapshot_view(manifest, str(file)), common.json, Printer.table)
    return 0


@care_app.command("restore")
@spread
def restore_command(
    common: Common,
    file: Annotated[Path, Argument(metavar="FILE", help="file that 'rag snapshot' wrote")],
    yes: Annotated[bool, Option("--yes", help="replace the index if there is one")] = False,
) -> int:
    """Make an index what a snapshot holds; servers that have it open follow."""
    from rag.care.snapshot import restore
    from rag.care.views import restored_view

    with Reporter(events=common.events) as reporter:
        reporter.waiting("restoring the index")
        restored = restore(_path(common), file, replace=yes)
    print_view(restored_view(restored, str(file)), common.json, Printer.table)
    return 0


@care_app.command("delete")
@spread
def delete_command(
    common: Common,
    names: Annotated[list[str], Argument(metavar="SOURCE|ID…", help="documents, as cited")],
) -> int:
    """Delete documents from an index; the files they were read from stay."""
    from rag.care.delete import delete
    from rag.care.views import deleted_view

    deleted = delete(_path(common), names)
    print_view(deleted_view(deleted), common.json, Printer.deleted)
    return 0


@care_app.command("compact")
@spread
def compact_command(common: Common) -> int:
    """Write an index anew without gaps, and without a trace of what was deleted from it."""
    from rag.care.compact import compact
    from rag.care.views import compacted_view

    with Reporter(events=common.events) as reporter:
        reporter.waiting("compacting the index")
        compacted = compact(_path(common))
    print_view(compacted_view(compacted), common.json, Printer.table)
    return 0


@care_app.command("migrate")
@spread
def migrate_command(
    common: Common,
    models: Models,
    chunks: Chunks,
    keep_old: Annotated[
        Path | None, Option("--keep-old", metavar="FILE", help="snapshot of the old index")
    ] = None,
) -> int:
    """Make an index over with another embedding model or settings, while the old one answers."""
    from rag.build import DeferredEmbedder
    from rag.care.migrate import migrate
    from rag.care.views import migrated_view

    config = settings(common, models, chunks)
    with Reporter(events=common.events) as reporter:
        embedder = DeferredEmbedder(
            config, reporter.fetch, lambda: reporter.waiting("loading the embedding model")
        )
        migrated = migrate(
            _path(common), embedder, config, keep_old=keep_old, listener=reporter.ingest
        )
    print_view(migrated_view(migrated), common.json, Printer.table)
    return 0
