"""What is wrong with an index, thing by thing."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Listener = Callable[[str, int, int], None]
"""Is told what is being read, how much of it is, and of how much; 0 of 0 where nobody knows."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


class Part(StrEnum):
    """What of an index is damaged, which decides what can be done about it."""

    DATABASE = "database"
    INDEX = "index"
    DOCUMENT = "document"
    COPY = "copy"
    VECTOR = "vector"
    REFERENCE = "reference"
    TERMS = "terms"
    DERIVED = "derived"


REMEDIES = {
    Part.DATABASE: "'rag restore' a snapshot; or 'rag repair' saves the documents that are whole, "
    "'rag ingest' reads the rest again",
    Part.INDEX: "'rag repair' rebuilds it",
    Part.DOCUMENT: "'rag repair' takes the document out, 'rag ingest' reads its file again",
    Part.COPY: "'rag repair' forgets it, 'rag ingest' finds it again",
    Part.VECTOR: "'rag repair' takes its documents out, 'rag ingest' reads their files again",
    Part.REFERENCE: "'rag repair' deletes it, 'rag ingest' makes it anew",
    Part.TERMS: "'rag repair' rebuilds them",
    Part.DERIVED: "'rag repair' rebuilds it; until then it is rebuilt in memory on opening",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        where: what it is, as a person would name it.
        problem: what is wrong with it.
        documents: ids of the documents that can not be trusted because of it.
    """

    part: Part
    where: str
    problem: str
    documents: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.part]


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading everything came to."""

    documents: int
    passages: int
    vectors: int
    findings: tuple[Finding, ...]
