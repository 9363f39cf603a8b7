"""What an ingest run has to do: which files are new, changed, moved, gone, or as they were.

A file is taken for unchanged by its size and time alone; every other file is read before it is
known to have changed, so a plan names work that may turn out to be none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag import loaders
from rag.errors import ConfigError, IndexNotFound
from rag.scan import File, Listing, printable
from rag.store import FileState, Root, Store
from rag.types import Failure

# A file changed within this time of its ingestion may change again without a new time stamp.
RACY_NS = 2_000_000_000

# What is stored of each file, by root id and source.
Known = Mapping[int, Mapping[str, FileState]]


@dataclass(frozen=True, slots=True)
class Work:
    """A file that has to be read, and what is stored of it.

    `moved`: what is stored is of another file, now gone, that held the same bytes.
    """

    file: File
    root: Root
    source: str
    state: FileState | None
    moved: bool = False


@dataclass(slots=True)
class Plan:
    """What a run has to do, and what it can not do.

    Attributes:
        work: files to read.
        unchanged: how many files need no look.
        gone: what is stored of files that are no longer there.
        skipped, failed: what the listings pass over, and could not list.
    """

    work: list[Work] = field(default_factory=list)
    unchanged: int = 0
    gone: list[FileState] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def refuse_empty(listings: Sequence[Listing], path: Path) -> None:
    """Refuse folders without documents, unless the index in `path` holds some of theirs.

    Raises:
        ConfigError: an empty folder that never held a document is a mistake.
    """
    if not any(listing.files for listing in listings) and not _held_before(listings, path):
        names = ", ".join(printable(str(listing.root)) for listing in listings)
        skipped = sum(len(listing.skipped) for listing in listings)
        raise ConfigError(
            f"{names} holds no file that can be ingested ({skipped} skipped); expected "
            f"{loaders.KINDS_READ}"
        )


def _held_before(listings: Sequence[Listing], path: Path) -> bool:
    try:
        store = Store(path)
    except IndexNotFound:
        return False
    with closing(store):
        roots = store.roots()
        places = [root.path for root in roots]
        places += [root.path / source for root in roots for source in store.files(root.id)]
    # In a folder, or the folder itself: a file that is given alone tells nothing of others.
    return any(
        listing.whole and place.is_relative_to(listing.root)
        for listing in listings
        for place in places
    )


def with_given(known: Sequence[Root], listings: Sequence[Listing]) -> list[Root]:
    """Return the known folders, then the given ones that lie inside none before them."""
    roots = list(known)
    following = max((root.id for root in known), default=0) + 1
    for listing in listings:
        if not any(listing.root.is_relative_to(root.path) for root in roots):
            roots.append(Root(following, listing.root))
            following += 1
    return roots


def stored_files(store: Store, listings: Sequence[Listing], roots: Sequence[Root]) -> Known:
    """Return what is stored of files by root: of all, or where no folder is given only of those
    that are listed; of the others nothing can be told then."""
    if any(listing.whole for listing in listings):
        return {root.id: store.files(root.id) for root in roots}
    listed: dict[int, list[str]] = {root.id: [] for root in roots}
    for listing in listings:
        for file in listing.files:
            root = _owner(file.path, roots)
            listed[root.id].append(file.path.relative_to(root.path).as_posix())
    return {identity: store.files(identity, sources) for identity, sources in listed.items()}


def make_plan(listings: Sequence[Listing], roots: Sequence[Root], known: Known) -> Plan:
    """Compare what lies in folders with what is stored of them.

    Args:
        listings: of the paths given; they may overlap.
        roots: those known and those given, from `with_given`.
        known: what is stored of every root, from `stored_files`.
    """
    plan = Plan()
    seen: set[tuple[int, str]] = set()
    for listing in listings:
        plan.skipped += listing.skipped
        plan.failed += listing.failed
        for file in listing.files:
            root = _owner(file.path, roots)
            source = file.path.relative_to(root.path).as_posix()
            if (root.id, source) not in seen:
                seen.add((root.id, source))
                _plan_file(Work(file, root, source, known[root.id].get(source)), plan)
    for root in roots:
        for source, state in known[root.id].items():
            if (root.id, source) not in seen and _is_gone(root.path / source, listings):
                plan.gone.append(state)
    _find_moved(plan)
    return plan


def _owner(path: Path, roots: Sequence[Root]) -> Root:
    """Return the deepest root above the path: a file belongs to one root only."""
    above = [root for root in roots if path.is_relative_to(root.path)]
    return max(above, key=lambda root: len(root.path.parts))


def _plan_file(work: Work, plan: Plan) -> None:
    state = work.state
    size, mtime_ns = work.file.stamp
    settled = state is not None and mtime_ns < state.ingested_ns - RACY_NS
    if state is not None and settled and (size, mtime_ns) == (state.size, state.mtime_ns):
        plan.unchanged += 1
    else:
        plan.work.append(work)


def _is_gone(path: Path, listings: Sequence[Listing]) -> bool:
    """Tell whether a listing that would have come upon a path does not list it."""
    return any(
        listing.whole
        and path.is_relative_to(listing.root)
        and not any(path.is_relative_to(folder) for folder in listing.unread)
        and not any(part.startswith(".") for part in path.relative_to(listing.root).parts)
        for listing in listings
    )


def _find_moved(plan: Plan) -> None:
    """Let new files take over the documents of files that are gone and held the same bytes."""
    gone = {(state.size, state.content_hash): state for state in plan.gone}
    sizes = {size for size, _ in gone}
    for i, work in enumerate(plan.work):
        size, _ = work.file.stamp
        if work.state is None and size in sizes:
            try:
                key = (size, hash_file(work.file))
            except OSError:  # told when it is read
                continue
            if state := gone.pop(key, None):
                plan.work[i] = replace(work, state=state, moved=True)
                plan.gone.remove(state)


def hash_file(file: File) -> str:
    """Return the SHA-256 (hex) of a file; with a sidecar, that of the two files' hashes.

    Raises:
        OSError: it can not be read.
    """
    with file.path.open("rb") as opened:
        own = hashlib.file_digest(opened, "sha256").hexdigest()
    if file.sidecar is None:
        return own
    return hashlib.sha256(f"{own} {hash_file(file.sidecar)}".encode()).hexdigest()
