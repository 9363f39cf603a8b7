"""Which of several sentences holds the answer, and where. A pure function over a reader.

The sentences are read as one passage, a line each: they compete, and are read once beside the
question. The reader learnt from evidence laid out like this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rag.protocols import Reader


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the answer is, if it is in there at all.

    Attributes:
        sentence: number of the sentence, from 0.
        start, end: code points in that sentence.
        score, null: as in `rag.types.Reading`.
    """

    sentence: int
    start: int
    end: int
    score: float
    null: float


def find(reader: Reader, question: str, sentences: Sequence[str]) -> Finding | None:
    """Return the stretch that answers best; None where no sentence has anything to read.

    Args:
        sentences: the best first; a line break in one counts as a space. A stretch over several
            of them ends where the first of these does.
    """
    lines = [sentence.replace("\n", " ") for sentence in sentences]
    [reading] = reader.read(question, ["\n".join(lines)])
    if reading.end == reading.start:
        return None
    begins = [0, *accumulate(len(line) + 1 for line in lines)]
    row = max(row for row in range(len(lines)) if begins[row] <= reading.start)
    start = reading.start - begins[row]
    end = start + len(lines[row][start : reading.end - begins[row]].rstrip())
    return Finding(row, start, end, reading.score, reading.null)
