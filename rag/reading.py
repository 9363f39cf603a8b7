"""The files of a run, read in their order, some ahead of the one that is worked on."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

from rag.errors import LoadError
from rag.parsing import Parser, open_parser
from rag.plan import Work, hash_file
from rag.types import Failure, Parsed

# Of files that are read ahead: what they hold waits in memory.
AHEAD_BYTES = 32 << 20
CHANGED = "has changed since it was compared with others; ingest its folder again"


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds."""

    parsed: Parsed
    content_hash: str


_Begun = tuple[str, Future[Parsed]] | Failure | None


def read_ahead(
    work: Iterable[Work], processes: int, ocr: str
) -> Iterator[tuple[Work, Read | Failure | None]]:
    """Yield each file with what it holds, None where that is stored, or why it can not be read.

    Parsing goes on, in other processes, while the caller works on what it got.

    Args:
        processes: that parse; with none, files are parsed here, when their turn has come.
        ocr: how scanned pages are read (`rag.config.Config.ocr`).
    """
    with closing(open_parser(processes, ocr)) as parser:
        waiting: deque[tuple[Work, _Begun]] = deque()
        for item in work:
            # A large file waits for those before it, and nothing is read ahead of it.
            while waiting and (
                len(waiting) >= parser.ahead or _size(waiting) + item.file.size > AHEAD_BYTES
            ):
                yield _finished(*waiting.popleft())
            waiting.append((item, _begin(item, parser)))
        while waiting:
            yield _finished(*waiting.popleft())


def _size(waiting: Iterable[tuple[Work, _Begun]]) -> int:
    return sum(work.file.size for work, begun in waiting if isinstance(begun, tuple))


def _begin(work: Work, parser: Parser) -> _Begun:
    try:
        content_hash = hash_file(work.file)
    except OSError as error:
        return Failure(work.source, _told(error, work))
    if work.content_hash not in ("", content_hash):
        return Failure(work.source, CHANGED)
    state = work.state
    if state is not None and state.content_hash == content_hash and not work.read_anew:
        return None
    sidecar = work.file.sidecar.path if work.file.sidecar else None
    return content_hash, parser.submit(work.file.path, work.file.size, sidecar)


def _finished(work: Work, begun: _Begun) -> tuple[Work, Read | Failure | None]:
    if not isinstance(begun, tuple):
        return work, begun
    content_hash, future = begun
    try:
        return work, Read(future.result(), content_hash)
    except (LoadError, OSError) as error:
        return work, Failure(work.source, _told(error, work))


def _told(error: LoadError | OSError, work: Work) -> str:
    """Return what is wrong with a file, or with its sidecar, which is named then."""
    if isinstance(error, LoadError):
        return error.problem
    told = error.strerror or str(error)
    beside = work.file.sidecar
    ours = beside is not None and str(error.filename) == str(beside.path)
    return f"its sidecar {beside.path.name}: {told}" if beside and ours else told
