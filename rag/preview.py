"""What an ingest run would do, without doing it: no lock, no model, nothing written."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rag.config import Config
from rag.errors import IndexNotFound
from rag.groups import Change
from rag.plan import Known, Plan, Work, hash_file
from rag.planning import known_files, make_plan, refuse_empty, with_given
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
    return _previewed(make_plan(listings, roots, known, keep_missing=keep_missing))


def _stored(place: Path, listings: Sequence[Listing]) -> tuple[list[Root], Known]:
    try:
        store = Store(place)
    except IndexNotFound:
        return with_given([], listings), {}
    with closing(store):
        roots = with_given(store.roots(), listings)
        return roots, known_files(store, listings, roots)


def _previewed(plan: Plan) -> Preview:
    failed = list(plan.failed)
    sources: dict[Change, list[str]] = defaultdict(list)
    copies = []
    same = plan.unchanged
    for work in plan.work:
        if work.change == "copy" and work.state is not None:
            copies.append((work.source, work.state.source))
        elif work.change != "updated" or work.read_anew or (changed := _changed(work, failed)):
            sources[work.change].append(work.source)
        else:
            same += changed is False
    for copy in plan.copies:
        if copy.entry.change == "copy":
            copies.append((copy.entry.source, copy.of[1]))
        else:
            sources[copy.entry.change].append(copy.entry.source)
    return Preview(
        added=tuple(sources["added"]),
        updated=tuple(sources["updated"]),
        moved=tuple(plan.moved),
        deleted=tuple(plan.deleted),
        unchanged=same + len(sources["unchanged"]),
        failed=tuple(failed),
        skipped=tuple(plan.skipped),
        copies=tuple(copies),
    )


def _changed(work: Work, failed: list[Failure]) -> bool | None:
    """Tell whether a file differs from what is stored; None, and a failure, if it can't be read."""
    try:
        return work.state is None or hash_file(work.file) != work.state.content_hash
    except OSError as error:
        failed.append(Failure(work.source, error.strerror or str(error)))
        return None
