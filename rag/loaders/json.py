"""JSON: the file's values, a line each; the objects of an array of records one after another."""

from pathlib import Path
from typing import Any

from rag.loaders.encoding import decode
from rag.loaders.json_text import Object, Writer, metadata_of, parse, records, title_of
from rag.loaders.source import failure, read_bytes
from rag.types import Parsed


def load(path: Path) -> Parsed:
    """Read path; its title is that of its object.

    Raises:
        LoadError: not JSON, nested too deeply, or too large to be held as one value.
    """
    decoded = decode(path, read_bytes(path))
    writer = Writer(len(decoded.text))
    try:
        value = parse(decoded.text)
        _write(writer, value)
    except ValueError as error:
        remedy = "repair it, or save large data as JSONL, an object a line"
        raise failure(path, f"can not be read as JSON: {error}; {remedy}") from error
    metadata = metadata_of(value) | decoded.metadata
    return Parsed(writer.text, title_of(value), tuple(writer.headings), metadata=metadata)


def _write(writer: Writer, value: Any) -> None:
    """Write value; what an object holds beside its only array of records comes before them."""
    if records(value):
        _records(writer, value, "")
        return
    pairs = list(value) if isinstance(value, Object) else []
    arrays = [pair for pair in pairs if records(pair[1])]
    if len(arrays) != 1:
        writer.fields(value)
        return
    writer.fields(Object(pair for pair in pairs if pair is not arrays[0]))
    _records(writer, arrays[0][1], arrays[0][0])


def _records(writer: Writer, values: list[Any], path: str) -> None:
    for number, value in enumerate(values):
        writer.record(value, f"{path}[{number}]")
