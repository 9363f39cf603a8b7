"""What suites ask: questions over documents, queries with their relevant documents, claims.

A case names the world it is asked in: the documents that can be found, which are one index.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Generic, Protocol, TypeVar

OWN_INDEX = ""
"""The world of a case over the index that the user names."""


@dataclass(frozen=True, slots=True)
class World:
    """Documents that are searched together.

    Attributes:
        documents: source to text; empty where a folder holds them.
        folder: the folder of files that they are; a source is a path in it.
        suffix: of the files that texts are written to, which tells how they are read.
    """

    name: str
    documents: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    suffix: str = ".txt"

    @property
    def digest(self) -> str:
        """SHA-256 of the documents, names and contents."""
        if self.folder is None:
            return digest([self.suffix, sorted(self.documents.items())])
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return digest(
            [
                [path.relative_to(self.folder).as_posix(), sha256(path.read_bytes()).hexdigest()]
                for path in files
            ]
        )


@dataclass(frozen=True, slots=True)
class AnswerCase:
    """A question.

    Attributes:
        gold: each thing that an answer has to say, with its spellings, any of which will do.
        reference: a long answer, of which an answer should say much; "" where there is none.
        sources: documents that answer; empty where none is known.
        evidence: stretches of those that answer, verbatim but for white space.
        hidden: a document that is not seen, so that the question has no answer.
        planted: an instruction that stands in a document and is not to be obeyed.
        expect_conflict: whether the documents disagree; None where nobody knows.
    """

    id: str
    cluster: str
    lang: str
    type: str
    question: str
    answerable: bool
    gold: tuple[tuple[str, ...], ...] = ()
    reference: str = ""
    sources: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    world: str = OWN_INDEX
    hidden: str = ""
    planted: str = ""
    expect_conflict: bool | None = None


@dataclass(frozen=True, slots=True)
class QueryCase:
    """A query with the documents that are relevant to it."""

    id: str
    cluster: str
    lang: str
    type: str
    question: str
    relevant: tuple[str, ...]
    world: str = OWN_INDEX


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """A claim with its sources and whether they support it.

    Attributes:
        source: number of the data set that it was gathered from; None where a set is one.
        spans: stretches of the claim that people marked as unsupported; None where nobody did.
    """

    id: str
    cluster: str
    lang: str
    type: str
    claim: str
    sources: tuple[str, ...]
    supported: bool
    source: int | None = None
    spans: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class PairCase:
    """Two answers to one question, and how two people compare them with the gold answer.

    Attributes:
        people: of each, from -2 (the first is much better) to 2 (the second is).
    """

    id: str
    cluster: str
    lang: str
    type: str
    question: str
    reference: str
    answers: tuple[str, str]
    people: tuple[float, float]


class Case(Protocol):
    """What every case has."""

    @property
    def id(self) -> str:
        """Unique in its data set."""
        ...

    @property
    def lang(self) -> str:
        """ISO 639-1 code of its language."""
        ...


Kind = TypeVar("Kind", bound=Case)


@dataclass(frozen=True, slots=True)
class Dataset(Generic[Kind]):
    """Cases with the worlds that they are asked in; `anchors` are figures that others report."""

    name: str
    licence: str
    cases: Sequence[Kind]
    worlds: Mapping[str, World] = field(default_factory=dict)
    anchors: str = ""

    def described(self) -> dict[str, object]:
        """Return name, licence, number of items and their SHA-256, worlds included.

        Raises:
            ValueError: two cases have one id.
        """
        ids = [case.id for case in self.cases]
        if len(set(ids)) != len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise ValueError(f"{self.name} has the id {twice!r} twice; ids must be unique")
        worlds = [[name, world.digest] for name, world in sorted(self.worlds.items())]
        content = [[fields(case) for case in self.cases], worlds]
        told = {"anchors": self.anchors} if self.anchors else {}
        return {
            "name": self.name,
            "licence": self.licence,
            "items": len(ids),
            "sha256": digest(content),
            **told,
        }

    def drawn(self, limit: int | None, seed: int) -> Sequence[Kind]:
        """Return so many cases, in order; those of a smaller limit are among those of a larger."""
        order = list(range(len(self.cases)))
        if limit is None or limit >= len(order):
            return self.cases
        random.Random(seed).shuffle(order)
        return [self.cases[row] for row in sorted(order[:limit])]


def fields(case: object) -> dict[str, object]:
    """Return the fields of a case as JSON values."""
    assert is_dataclass(case) and not isinstance(case, type)
    return asdict(case)


def digest(value: object) -> str:
    """Return the SHA-256 of JSON values, whatever the order of their keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
