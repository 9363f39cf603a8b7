"""JSON Lines: a record a line; a record's page is the number of its line in the file."""

from pathlib import Path

from rag.errors import LoadError
from rag.loaders.encoding import decode
from rag.loaders.json_text import Writer, parse
from rag.loaders.source import MAX_PAGES, failure, read_bytes
from rag.types import Parsed


def load(path: Path) -> Parsed:
    """Read path.

    Raises:
        LoadError: a line is not JSON, is nested too deeply or too long; or too many lines.
    """
    decoded = decode(path, read_bytes(path))
    source = decoded.text.rstrip()
    lines = source.count("\n") + 1
    if lines > MAX_PAGES:
        problem = f"holds {lines} lines; at most {MAX_PAGES} were expected"
        raise failure(path, f"{problem}; split it")
    writer = Writer(len(source))
    starts: list[int] = []
    for number, line in enumerate(source.split("\n"), start=1):
        # A blank line has a number too, but no text: the next line's page starts where its does.
        starts.append(writer.length)
        if line.strip():
            try:
                writer.record(parse(line))
            except ValueError as error:
                raise _broken(path, number, error) from error
    text = writer.text
    pages = tuple(min(start, len(text)) for start in starts)
    return Parsed(text, "", tuple(writer.headings), pages, decoded.metadata, "line")


def _broken(path: Path, number: int, error: ValueError) -> LoadError:
    problem = f"can not be read as JSON Lines: line {number}: {error}"
    return failure(path, f"{problem}; repair or remove that line")
