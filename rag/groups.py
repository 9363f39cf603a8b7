"""Files that hold the same bytes, and which document is theirs.

A document is what files of one kind with the same bytes hold. The first of them, by root and
source, is the one it is read from; so the same files give the same index, in whatever order they
came. A document goes with its bytes: it stays as long as one of its files holds them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import splitext
from typing import Literal

from rag.copies import Place
from rag.scan import File
from rag.states import FileState
from rag.store import Root

Change = Literal["added", "updated", "moved", "copy", "unchanged", "kept"]
"""What a run finds of a file; kept: nothing, since it did not look there."""


@dataclass(slots=True)
class Entry:
    """A file that the index will know.

    Attributes:
        file: as it is listed; None of one that is only known.
        state: what is stored of it.
        content_hash: of its bytes, with its sidecar's; "" where no other file can be the same.
        came_from: what is stored of a file, now gone, in whose place it has come.
    """

    root: Root
    source: str
    file: File | None
    state: FileState | None
    content_hash: str = ""
    came_from: FileState | None = None

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.root.id, self.source

    @property
    def unchanged(self) -> bool:
        """True when it holds what is stored of it."""
        return self.state is not None and self.state.content_hash == self.content_hash

    @property
    def change(self) -> Change:
        """What has become of it, when it holds what another file holds too."""
        if self.unchanged:
            return "kept" if self.file is None else "unchanged"
        if self.state is not None:
            return "updated"
        return "moved" if self.came_from else "copy"


@dataclass(slots=True)
class Group:
    """All files of one kind that hold the same bytes, the first of them first.

    Attributes:
        document: what is stored of the document that is, or becomes, theirs; None of a new one.
        stored: their bytes are those of that document already.
    """

    entries: list[Entry]
    document: FileState | None = None
    stored: bool = False


def suffix(source: str) -> str:
    """Return what decides how a file is read."""
    return splitext(source)[1].lower()


def pair(entries: Iterable[Entry], gone: Sequence[FileState]) -> list[FileState]:
    """Let new files come from files that are gone and held the same bytes; return those left.

    One of the same kind goes before others.
    """
    new = [entry for entry in entries if entry.state is None and entry.content_hash]
    left = {(state.root, state.source): state for state in gone}
    for alike in (True, False):
        waiting: dict[tuple[str, str], list[FileState]] = defaultdict(list)
        for state in left.values():
            kind = suffix(state.source) if alike else ""
            waiting[state.content_hash, kind].append(state)
        for entry in new:
            found = waiting.get((entry.content_hash, suffix(entry.source) if alike else ""))
            if found and entry.came_from is None:
                entry.came_from = found.pop(0)
                del left[entry.came_from.root, entry.came_from.source]
    return list(left.values())


def grouped(entries: Iterable[Entry], documents: Mapping[str, FileState]) -> list[Group]:
    """Return the groups of files with the same bytes, each with its document.

    Args:
        documents: what is stored of the file that each document was read from, by id.
    """
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.place):
        own = f"{entry.root.id}/{entry.source}"
        found[entry.content_hash, suffix(entry.source) if entry.content_hash else own].append(entry)
    groups = [Group(members) for members in found.values()]
    _assign(groups, documents)
    return groups


def _assign(groups: Sequence[Group], documents: Mapping[str, FileState]) -> None:
    """Give each group the document that it holds, else one that was moved or edited into it."""
    claimed: set[str] = set()
    for rule in (_held, _moved, _edited, _copies_edited):
        for group in groups:
            if group.document is None:
                _claim(group, rule, claimed, documents)


def _claim(
    group: Group,
    rule: Callable[[Group], Iterator[str]],
    claimed: set[str],
    documents: Mapping[str, FileState],
) -> None:
    for identity in rule(group):
        if identity not in claimed:
            claimed.add(identity)
            group.document = documents[identity]
            group.stored = rule is _held
            return


def _held(group: Group) -> Iterator[str]:
    return (e.state.document_id for e in group.entries if e.state and e.unchanged)


def _moved(group: Group) -> Iterator[str]:
    return (e.came_from.document_id for e in group.entries if e.came_from)


def _edited(group: Group) -> Iterator[str]:
    return (e.state.document_id for e in group.entries if e.state and not e.state.copy)


def _copies_edited(group: Group) -> Iterator[str]:
    return (e.state.document_id for e in group.entries if e.state and e.state.copy)
