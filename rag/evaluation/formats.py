"""Data sets as plain files of the user's own: what they hold tells their kind.

- a folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/*.tsv (retrieval)
- QA, JSON lines: {"id", "question", "answers", "sources", "evidence", "answerable", "lang"}
- claims, JSON lines: {"claim", "sources", "label"}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rag.analysis import language
from rag.errors import ConfigError
from rag.evaluation.cases import AnswerCase, ClaimCase, Dataset, Kind, QueryCase, World
from rag.json_lines import objects
from rag.views import Json

QA = (
    '{"id": "1", "question": "…", "answers": ["…"], "sources": ["a.md"], "evidence": ["…"],'
    ' "answerable": true, "lang": "en"}'
)
CLAIM = '{"claim": "…", "sources": ["…"], "label": true}'
DOCUMENT = '{"_id": "1", "title": "…", "text": "…"}'
QUERY = '{"_id": "1", "text": "…"}'
LICENCE = "the user's own"
# Names that data sets give the two labels; part support is no support.
SUPPORTED = frozenset(["supported", "attributable", "entailment", "entailed", "true", "1", "yes"])
UNSUPPORTED = frozenset(
    [
        "unsupported",
        "partial",
        "partially_supported",
        "not_supported",
        "contradicted",
        "contradiction",
        "neutral",
        "not_entailment",
        "unverifiable",
        "false",
        "0",
        "no",
    ]
) | {"not attributable", "not supported"}

Loaded: TypeAlias = Dataset[AnswerCase] | Dataset[QueryCase] | Dataset[ClaimCase]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, with where it stands and how it should look."""

    value: Json
    where: str
    expected: str

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field that is a string and not blank, or the default where it is missing."""
        found = self.value.get(name, default)
        if not isinstance(found, str) or (not found.strip() and found != default):
            raise self.wrong(f"has no {name} that is a text")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a field that is a list of strings, none blank; an empty one if it is missing."""
        found = self.value.get(name) or []
        if not isinstance(found, list) or not all(isinstance(s, str) and s.strip() for s in found):
            raise self.wrong(f"has {name} that are not a list of texts")
        return tuple(found)

    def identity(self, name: str, default: str) -> str:
        """Return a field that is a string or a whole number."""
        found = self.value.get(name, default)
        if isinstance(found, bool) or not isinstance(found, str | int) or str(found) == "":
            raise self.wrong(f"has an {name} that is neither text nor number")
        return str(found)

    def wrong(self, problem: str) -> ConfigError:
        """Return the error that names the line and how it should look."""
        return ConfigError(f"{self.where} {problem}; expected {self.expected}")


def read_dataset(path: Path) -> Loaded:
    """Return the data set that a path holds, its kind recognised by what is there.

    Raises:
        ConfigError: there is none, or it is not as it should be; names file and line.
    """
    if path.is_dir():
        return beir(path)
    first = next(objects(path, f"{QA} or {CLAIM}"), None)
    if first is None:
        raise ConfigError(f"{path} is empty; expected lines {QA} or {CLAIM}")
    value, where = first
    if "question" in value:
        return questions(path)
    if "claim" in value:
        return claims(path)
    raise ConfigError(f"{where} has neither a question nor a claim; expected {QA} or {CLAIM}")


def questions(path: Path, name: str = "", licence: str = LICENCE) -> Dataset[AnswerCase]:
    """Return a file of questions, to be asked of an index."""
    cases = [
        _question(Line(value, where, QA), number)
        for number, (value, where) in enumerate(objects(path, QA), start=1)
    ]
    return _checked(Dataset(name or path.stem, licence, cases), path)


def _question(line: Line, number: int) -> AnswerCase:
    question = line.text("question")
    answerable = line.value.get("answerable", True)
    if not isinstance(answerable, bool):
        raise line.wrong("has an answerable that is neither true nor false")
    gold = _gold(line)
    sources, evidence = line.texts("sources") or _one(line, "source"), line.texts("evidence")
    if answerable and not gold and not (sources or evidence):
        raise line.wrong("can be answered, but has neither answers nor sources nor evidence")
    identity = line.identity("id", str(number))
    return AnswerCase(
        id=identity,
        cluster=line.text("cluster", identity),
        lang=line.text("lang", language(question)),
        type=line.text("type", "question") if answerable else "unanswerable",
        question=question,
        answerable=answerable,
        gold=gold if answerable else (),
        sources=sources if answerable else (),
        evidence=evidence if answerable else (),
    )


def _gold(line: Line) -> tuple[tuple[str, ...], ...]:
    """Return what an answer has to say: one thing with its spellings; each, for a list."""
    answers = line.texts("answers")
    if line.value.get("type") == "list":
        return tuple((answer,) for answer in answers)
    return (answers,) if answers else ()


def _one(line: Line, name: str) -> tuple[str, ...]:
    found = line.value.get(name)
    if found is None or found == "":
        return ()
    if not isinstance(found, str):
        raise line.wrong(f"has a {name} that is no text")
    return (found,)


def claims(path: Path) -> Dataset[ClaimCase]:
    """Return a file of claims with their sources and labels."""
    cases = []
    for number, (value, where) in enumerate(objects(path, CLAIM), start=1):
        line = Line(value, where, CLAIM)
        claim, identity = line.text("claim"), line.identity("id", str(number))
        if not (sources := line.texts("sources")):
            raise line.wrong("has no sources")
        cases.append(
            ClaimCase(
                id=identity,
                cluster=line.text("cluster", identity),
                lang=line.text("lang", language(claim)),
                type=line.text("type", "claim"),
                claim=claim,
                sources=sources,
                supported=_label(line),
            )
        )
    return _checked(Dataset(path.stem, LICENCE, cases), path)


def _label(line: Line) -> bool:
    label = str(line.value.get("label", "")).strip().casefold()
    if label in SUPPORTED:
        return True
    if label in UNSUPPORTED:
        return False
    raise line.wrong(f"has the label {line.value.get('label')!r}, which is not known")


def beir(folder: Path) -> Dataset[QueryCase]:
    """Return a folder in BEIR's layout (Thakur et al. 2021); all of its qrels are read."""
    tables = sorted((folder / "qrels").glob("*.tsv"))
    missing = [name for name in ("corpus.jsonl", "queries.jsonl") if not (folder / name).is_file()]
    if missing or not tables:
        lacks = ", ".join([*missing, *([] if tables else ["qrels/*.tsv"])])
        raise ConfigError(f"{folder} lacks {lacks}; expected the layout of BEIR")
    documents: dict[str, str] = {}
    for value, where in objects(folder / "corpus.jsonl", DOCUMENT):
        line = Line(value, where, DOCUMENT)
        title = line.text("title", "")
        documents[line.identity("_id", "")] = f"{title}\n\n{line.text('text')}".strip()
    relevant = _relevant(tables, documents)
    cases = [
        QueryCase(identity, identity, language(text), "query", text, relevant[identity], "beir")
        for identity, text in _queries(folder / "queries.jsonl")
        if identity in relevant
    ]
    known = Dataset(folder.name, LICENCE, cases, {"beir": World(folder.name, documents)})
    return _checked(known, folder)


def _queries(path: Path) -> Iterator[tuple[str, str]]:
    for value, where in objects(path, QUERY):
        line = Line(value, where, QUERY)
        yield line.identity("_id", ""), line.text("text")


def _relevant(tables: Sequence[Path], known: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the documents of each query whose score is above 0."""
    found: dict[str, tuple[str, ...]] = {}
    for path in tables:
        try:
            rows = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} can not be read: {error}") from None
        for number, row in enumerate(rows, start=1):
            cells = row.rstrip("\r").split("\t")
            if cells == [""] or (number == 1 and cells[0] == "query-id"):
                continue
            where = f"{path}, line {number}"
            if len(cells) != 3 or not cells[2].lstrip("-").isdigit():
                raise ConfigError(f"{where} is not query-id, corpus-id, score, parted by tabs")
            query, document, score = cells
            if document not in known:
                raise ConfigError(f"{where} names document {document!r}, which corpus.jsonl lacks")
            if int(score) > 0:
                found[query] = (*found.get(query, ()), document)
    return found


def _checked(dataset: Dataset[Kind], path: Path) -> Dataset[Kind]:
    """Return a data set that holds cases, whose ids are unique; ConfigError for another."""
    if not dataset.cases:
        raise ConfigError(f"{path} holds no case that can be measured")
    try:
        dataset.described()
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    return dataset
