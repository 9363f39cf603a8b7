"""CSV and TSV: the standard library's reader, and a line for each record.

Line n of the text is record n of the file, so a row has the number that a spreadsheet program
shows beside it, quoted line ends or not. `pages` is therefore empty: the position of a
citation is its line in the text, and to store a million starts would add nothing.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Literal

from rag.loaders.encoding import decode
from rag.loaders.source import read_bytes
from rag.loaders.tables import Row, lines
from rag.loaders.written import joined
from rag.types import Parsed

_TAB = "\t"
# In order of preference where two part all records alike: commas are in numbers, too.
_DELIMITERS = (_TAB, ";", "|", ",")
_SAMPLE = 100  # records from which the delimiter is told
_LONGEST_SAMPLE = 1 << 16
# The first line with which Excel is told the delimiter.
_DECLARED = re.compile(r"sep=(.)\n?", re.I)
# The reader's own limit is 128 KiB; it is the process's, and nothing else here reads CSV.
csv.field_size_limit(16 * 1024 * 1024)


def load(path: Path) -> Parsed:
    """Read path; it has no title but its name.

    Raises:
        LoadError: not text, of unknown encoding, or too much text.
    """
    decoded = decode(path, read_bytes(path))
    delimiter = _delimiter(path, decoded.text)
    rows = (Row(tuple(map(_one_line, record))) for record in _records(decoded.text, delimiter))
    text = joined(path, lines(rows, one_table=True))
    return Parsed(text, "", unit="line", metadata=decoded.metadata)


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the records; the one that declares the delimiter is empty."""
    quoting = _quoting(text, delimiter)
    records = csv.reader(StringIO(text), delimiter=delimiter, quoting=quoting)
    if _DECLARED.match(text):
        next(records)
        yield []
    yield from records


def _quoting(text: str, delimiter: str) -> Literal[0, 3]:
    """Return QUOTE_NONE where a quotation mark is opened and never closed.

    Such a mark is an inch or a slip; read as a quotation, all that follows is one cell.
    """
    try:
        for _ in csv.reader(StringIO(text), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        # The other error of strict reading, text after a closed quotation, harms one cell.
        if "expected after" not in str(error):
            return csv.QUOTE_NONE
    return csv.QUOTE_MINIMAL


def _delimiter(path: Path, text: str) -> str:
    """Return what the suffix or the first line says, else what parts most records alike."""
    if declared := _DECLARED.match(text):
        return declared[1]
    if path.suffix.lower() in (".tsv", ".tab"):
        return _TAB
    return max(_DELIMITERS, key=lambda each: _evenness(text[:_LONGEST_SAMPLE], each))


def _evenness(sample: str, delimiter: str) -> float:
    """Return the share of records with the commonest number of cells; 0 where that is one."""
    records = csv.reader(StringIO(sample), delimiter=delimiter)
    widths = Counter(len(record) for record in islice(records, _SAMPLE) if record)
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return count / widths.total() if width > 1 else 0.0
