"""Planning an ingest run: which files are new, changed, moved, copies, gone, or as they were.

A file is taken for unchanged by its size and time alone; every other file is read before it is
known to have changed, so a plan names work that may turn out to be none. Files of the same size
are compared here, by their hashes: what several hold is stored once (`rag.groups`).
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rag import loaders
from rag.copies import Place
from rag.errors import ConfigError, IndexNotFound
from rag.groups import Change, Entry, Group, grouped, pair, suffix
from rag.loaders import sidecar
from rag.plan import Copy, Known, Plan, Work, hash_file, known_of, outdated
from rag.scan import File, Listing, printable
from rag.states import FileState
from rag.store import Root, Store
from rag.types import Failure

# A file changed within this time of its ingestion may change again without a new time stamp.
RACY_NS = 2_000_000_000


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
        roots = {root.id: root.path for root in store.roots()}
        places = [*roots.values(), *(roots[each.root] / each.source for each in store.files())]
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


def known_files(store: Store, listings: Sequence[Listing], roots: Sequence[Root]) -> Known:
    """Return what is stored of the files that matter to listings: of all, where one is of a folder.

    A file given alone concerns those of its document, and those that may hold the same.
    """
    if any(listing.whole for listing in listings):
        return known_of(store.files())
    files = [file for listing in listings for file in listing.files]
    places = [_place_of(file, _owner(file.path, roots)) for file in files]
    return known_of(store.files_about(places, {file.stamp[0] for file in files}))


def make_plan(
    listings: Sequence[Listing], roots: Sequence[Root], known: Known, *, keep_missing: bool = False
) -> Plan:
    """Compare what lies in folders with what is stored of them.

    Files of a size that several have are read, to tell whether they hold the same.

    Args:
        listings: of the paths given; they may overlap.
        roots: those known and those given, from `with_given`.
        known: what is stored, from `known_files`.
        keep_missing: what is stored of files that are gone stays, unless they have moved.
    """
    plan = Plan()
    for listing in listings:
        plan.skipped += listing.skipped
        plan.failed += listing.failed
    entries = _listed(listings, roots, known)
    by_id = {root.id: root for root in roots}
    gone: list[FileState] = []
    for place, state in known.items():
        root = by_id[state.root]
        if place not in entries:
            if _is_gone(root.path / state.source, listings):
                gone.append(state)
            else:
                entries[place] = _kept(root, state)
    _Hashing(known).run(entries, plan)
    left = pair(entries.values(), gone)
    plan.moved = [(e.came_from.source, e.source) for e in entries.values() if e.came_from]
    if keep_missing:
        kept = {state.place: _kept(by_id[state.root], state) for state in left}
        entries |= kept
        gone = [state for state in gone if state.place not in kept]
        left = []
    plan.deleted = [state.source for state in left]
    states = list(known.values())
    documents = {state.document_id: state for state in states if not state.copy}
    groups = grouped(entries.values(), documents)
    for group in groups:
        _plan_group(group, plan)
    plan.work.sort(key=lambda work: not work.moved)
    _plan_rest(groups, states, {state.place for state in gone}, plan)
    return plan


def _listed(listings: Sequence[Listing], roots: Sequence[Root], known: Known) -> dict[Place, Entry]:
    entries: dict[Place, Entry] = {}
    for listing in listings:
        for file in listing.files:
            root = _owner(file.path, roots)
            place = _place_of(file, root)
            entries.setdefault(place, Entry(root, place[1], file, known.get(place)))
    return entries


def _place_of(file: File, root: Root) -> Place:
    return root.id, file.path.relative_to(root.path).as_posix()


def _kept(root: Root, state: FileState) -> Entry:
    return Entry(root, state.source, None, state, state.content_hash)


def _owner(path: Path, roots: Sequence[Root]) -> Root:
    """Return the deepest root above the path: a file belongs to one root only."""
    above = [root for root in roots if path.is_relative_to(root.path)]
    return max(above, key=lambda root: len(root.path.parts))


class _Hashing:
    """Tells what files hold, as far as that can matter to others."""

    def __init__(self, known: Known) -> None:
        states = known.values()
        self.sizes = {(state.size, state.root, state.source) for state in states}
        self.files = Counter(state.document_id for state in states)

    def run(self, entries: dict[Place, Entry], plan: Plan) -> None:
        """Set the hashes of entries; those that can not be read stay as they are stored."""
        listed = [entry for entry in entries.values() if entry.file is not None]
        self.sizes |= {(e.file.stamp[0], *e.place) for e in listed if e.file}
        shared = Counter(size for size, _, _ in self.sizes)
        for entry in listed:
            assert entry.file is not None
            if _settled(entry):
                entry.content_hash = entry.state.content_hash if entry.state else ""
            elif shared[entry.file.stamp[0]] > 1 or self._has_copies(entry):
                self._hash(entry, entry.file, entries, plan)

    def _has_copies(self, entry: Entry) -> bool:
        return entry.state is not None and self.files[entry.state.document_id] > 1

    def _hash(self, entry: Entry, file: File, entries: dict[Place, Entry], plan: Plan) -> None:
        try:
            entry.content_hash = hash_file(file)
        except OSError as error:
            plan.failed.append(Failure(entry.source, error.strerror or str(error)))
            if entry.state is None:
                del entries[entry.place]
            else:
                entries[entry.place] = _kept(entry.root, entry.state)


def _settled(entry: Entry) -> bool:
    """Tell whether a file is taken for unchanged without a look."""
    state, file = entry.state, entry.file
    if state is None or file is None:
        return False
    size, mtime_ns = file.stamp
    settled = mtime_ns < state.ingested_ns - RACY_NS
    return settled and (size, mtime_ns) == (state.size, state.mtime_ns)


def _plan_group(group: Group, plan: Plan) -> None:
    """Plan what the first file of a group needs, and what the others do."""
    first, *others = group.entries
    document = group.document
    at_rest = document is not None and group.stored and document.place == first.place
    again = document is not None and outdated(document) and first.file is not None
    if at_rest and not again:
        _plan_same(first, plan)
    else:
        # The same bytes are read again: by other loaders, or since a title may be the file's name.
        same = document is not None and document.content_hash == first.content_hash
        moved = same and not at_rest
        needed = first.content_hash if others or moved else ""
        given = (_file(first), first.root, first.source)
        plan.work.append(Work(*given, document, moved, _change(group, at_rest), needed))
    for entry in others:
        if at_rest and document is not None and _attached(entry, document):
            _plan_same(entry, plan)
        else:
            plan.copies.append(Copy(entry, first.place))


def _change(group: Group, at_rest: bool) -> Change:
    """Return what becomes of the first file of a group, which is read."""
    if at_rest:
        return "updated"
    change = group.entries[0].change
    return "added" if change == "copy" and not group.stored else change


def _attached(entry: Entry, document: FileState) -> bool:
    state = entry.state if entry.unchanged else None
    return state is not None and state.copy and state.document_id == document.document_id


def _plan_same(entry: Entry, plan: Plan) -> None:
    """Take in a file that is where it was and holds what it held."""
    if entry.file is not None:
        plan.unchanged += 1
        if not _settled(entry):
            plan.touched.append(entry)


def _file(entry: Entry) -> File:
    """Return the file of an entry; of one that is not listed, as it is known."""
    if entry.file is not None:
        return entry.file
    assert entry.state is not None
    path = entry.root.path / entry.source
    beside = sidecar.beside(path)
    ours = File(beside, 0, entry.state.mtime_ns) if beside.is_file() else None
    return File(path, entry.state.size, entry.state.mtime_ns, ours)


def _plan_rest(
    groups: Sequence[Group], states: Sequence[FileState], gone: set[Place], plan: Plan
) -> None:
    """Find the documents and copies that no file holds any more."""
    documents = {
        entry.place: group.document.document_id
        for group in groups
        if group.document is not None
        for entry in group.entries
    }
    # Which hashes and documents are left matters to what is gone alone.
    held = {(e.content_hash, suffix(e.source)) for g in groups for e in g.entries if gone}
    live = {state.document_id for state in states if gone and state.place not in gone}
    claimed = set(documents.values())
    for state in states:
        place = state.place
        if state.copy:
            if documents.get(place) != state.document_id:
                plan.dropped.append(state)
        elif state.document_id in claimed or place not in gone:
            continue  # or whoever comes to its place takes it
        elif state.document_id in live or (state.content_hash, suffix(state.source)) in held:
            plan.superseded.append(state.document_id)
        else:
            plan.gone.append(state)


def _is_gone(path: Path, listings: Sequence[Listing]) -> bool:
    """Tell whether a listing that would have come upon a path does not list it."""
    return any(
        listing.whole
        and path.is_relative_to(listing.root)
        and not any(path.is_relative_to(folder) for folder in listing.unread)
        and not any(part.startswith(".") for part in path.relative_to(listing.root).parts)
        for listing in listings
    )
