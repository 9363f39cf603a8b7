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


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds."""

    parsed: Parsed
    content_hash: str


_Begun = tuple[str, Future[Parsed]] | Failure | None


def read_ahead(
    work: Iterable[Work], processes: int, ocr: str = "auto"
) -> Iterator[tuple[Work, Read | Failure | None]]:
    """Yield each file with what it holds, None where that is stored, or why it can not be read.

    Parsing goes on, in other processes, while the caller works on what it got.

    Args:
        ocr: how scanned pages are read (`rag.config.Config.ocr`).
        processes: that parse; with none, files are parsed here, when their turn has come.
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
        content_hash = hash_file(work.file.path)
    except OSError as error:
        return Failure(work.source, error.strerror or str(error))
    same = work.state is not None and work.state.content_hash == content_hash
    if same and not work.moved:
        return None
    return content_hash, parser.submit(work.file.path, work.file.size)


def _finished(work: Work, begun: _Begun) -> tuple[Work, Read | Failure | None]:
    if not isinstance(begun, tuple):
        return work, begun
    content_hash, future = begun
    try:
        return work, Read(future.result(), content_hash)
    except (LoadError, OSError) as error:
        reason = error.problem if isinstance(error, LoadError) else error.strerror
        return work, Failure(work.source, reason or str(error))
