"""JSON Lines: a record a line; a record's page is the number of its line in the file.

A line that is no record is passed over, and named in the metadata: logs and exports end in the
middle of a line, and one of a million must not cost the others.
"""

from pathlib import Path

from rag.errors import LoadError
from rag.loaders.encoding import decode
from rag.loaders.json_text import TooLong, Writer, parse
from rag.loaders.source import MAX_PAGES, failure, ranges, read_bytes
from rag.types import Parsed

BROKEN = "broken_lines"
"""The key of the metadata under which lines are named that could not be read."""
_NAMED = 100  # of these lines; the others are counted


def load(path: Path) -> Parsed:
    """Read path.

    Raises:
        LoadError: no line is JSON that is neither nested too deeply nor too long; too many lines;
            or their key paths, written out, are too long.
    """
    decoded = decode(path, read_bytes(path))
    source = decoded.text.rstrip()
    lines = source.count("\n") + 1
    if lines > MAX_PAGES:
        problem = f"holds {lines} lines; at most {MAX_PAGES} were expected"
        raise failure(path, f"{problem}; split it")
    writer = Writer(len(source))
    starts: list[int] = []
    broken: dict[int, ValueError] = {}
    for number, line in enumerate(source.split("\n"), start=1):
        # A blank line has a number too, but no text: the next line's page starts where its does.
        starts.append(writer.length)
        if line.strip():
            try:
                writer.record(parse(line))
            except TooLong as error:
                raise _refused(path, number, error) from error
            except ValueError as error:
                broken[number] = error
    if broken and not writer.length:
        raise _refused(path, *next(iter(broken.items())))
    text = writer.text
    pages = tuple(min(start, len(text)) for start in starts)
    metadata = decoded.metadata | ({BROKEN: _named(list(broken))} if broken else {})
    return Parsed(text, "", tuple(writer.headings), pages, metadata, "line")


def _named(numbers: list[int]) -> str:
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return ranges(numbers[:_NAMED]) + more


def _refused(path: Path, number: int, error: ValueError) -> LoadError:
    problem = f"can not be read as JSON Lines: line {number}: {error}"
    return failure(path, f"{problem}; repair or remove that line")
