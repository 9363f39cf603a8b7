"""What an ingest run would do, without doing it: no lock, no model, nothing written."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rag.config import Config
from rag.errors import IndexNotFound
from rag.plan import Known, Plan, Work, hash_file, make_plan, refuse_empty, stored_files, with_given
from rag.scan import Listing, scan
from rag.store import Root, Store, index_path
from rag.types import Failure, Preview


def preview(
    paths: Sequence[Path], index: str, config: Config, *, keep_missing: bool = False
) -> Preview:
    """Return what `ingest` would do; files are read to tell whether they changed, not parsed.

    Raises:
        ConfigError: a path is missing or holds nothing to ingest.
        StoreError, IndexCorrupt: the index can not be read.
    """
    place = index_path(config.index_dir, index)
    listings = [scan(given, exclude=config.index_dir) for given in paths]
    refuse_empty(listings, place)
    roots, known = _stored(place, listings)
    plan = make_plan(listings, roots, known)
    return _previewed(plan, keep_missing)


def _stored(place: Path, listings: Sequence[Listing]) -> tuple[list[Root], Known]:
    """Return the folders of the index and those given, and what is stored of their files."""
    try:
        store = Store(place)
    except IndexNotFound:
        roots = with_given([], listings)
        return roots, {root.id: {} for root in roots}
    with closing(store):
        roots = with_given(store.roots(), listings)
        return roots, stored_files(store, listings, roots)


def _previewed(plan: Plan, keep_missing: bool) -> Preview:
    failed = list(plan.failed)
    added, updated, moved, same = [], [], [], plan.unchanged
    for work in plan.work:
        if work.state is None:
            added.append(work.source)
        elif work.moved:
            moved.append((work.state.source, work.source))
        elif (changed := _changed(work, failed)) is not None:
            updated += [work.source] if changed else []
            same += not changed
    gone = () if keep_missing else tuple(state.source for state in plan.gone)
    return Preview(
        tuple(added), tuple(updated), tuple(moved), gone, same, tuple(failed), tuple(plan.skipped)
    )


def _changed(work: Work, failed: list[Failure]) -> bool | None:
    """Tell whether a file differs from what is stored; None, and a failure, if it can't be read."""
    try:
        return work.state is None or hash_file(work.file) != work.state.content_hash
    except OSError as error:
        failed.append(Failure(work.source, error.strerror or str(error)))
        return None
