"""Retrieval on XQuAD, paragraphs as documents, with the default embedding model."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.answerer import Answerer
from rag.build import assemble
from rag.config import Config
from rag.ingest import ingest
from rag.protocols import Embedder
from rag.retriever import Retriever
from rag.types import Mode

pytestmark = [pytest.mark.model, pytest.mark.data]


@dataclass(frozen=True, slots=True)
class Xquad:
    """Paragraphs of one language, and questions with the number of the gold paragraph."""

    paragraphs: list[str]
    questions: list[tuple[str, int]]


def read(data: Path, language: str) -> Xquad:
    paragraphs: list[str] = []
    questions: list[tuple[str, int]] = []
    content = json.loads((data / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            questions += [(qa["question"], len(paragraphs)) for qa in paragraph["qas"]]
            paragraphs.append(paragraph["context"])
    return Xquad(paragraphs, questions)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return Config(index_dir=tmp_path_factory.mktemp("xquad"))


def index(data: Path, config: Config, embedder: Embedder, language: str) -> Answerer:
    """Return an answerer over the paragraphs of a language, indexed on first use."""
    if not (config.index_dir / language).exists():
        folder = config.index_dir.parent / f"{config.index_dir.name}-{language}"
        folder.mkdir()
        for number, text in enumerate(read(data, language).paragraphs):
            (folder / f"{number}.txt").write_text(text, encoding="utf-8")
        ingest([folder], language, embedder, config)
    return assemble(config, language, embedder, None)


def recall_at_1(retriever: Retriever, questions: list[tuple[str, int]], mode: Mode) -> float:
    assert retriever.embedder is not None
    retriever.embedder.embed_queries([question for question, _ in questions])  # many at a time
    found = [
        retriever.search(question, 1, mode).hits[0].passage.source == f"{gold}.txt"
        for question, gold in questions
    ]
    return sum(found) / len(found)


@pytest.mark.parametrize(("language", "target"), [("en", 0.93), ("zh", 0.92), ("ru", 0.91)])
def test_same_language(
    data: Path, config: Config, embedder: Embedder, language: str, target: float
) -> None:
    """The gold paragraph is first for most questions in its own language."""
    retriever = index(data, config, embedder, language).retriever
    assert recall_at_1(retriever, read(data, language).questions, Mode.HYBRID) >= target


def test_across_languages(data: Path, config: Config, embedder: Embedder) -> None:
    """Chinese questions find English paragraphs, and the lexical side does not hurt them."""
    retriever = index(data, config, embedder, "en").retriever
    questions = read(data, "zh").questions
    dense = recall_at_1(retriever, questions, Mode.DENSE)
    assert dense >= 0.65
    assert recall_at_1(retriever, questions, Mode.HYBRID) >= dense - 0.02


def test_quotes_are_verbatim(data: Path, config: Config, embedder: Embedder) -> None:
    """Every citation's quote equals the document's text at its offsets."""
    answerer = index(data, config, embedder, "en")
    citations = [
        citation
        for question, _ in read(data, "en").questions[::25]
        for citation in answerer.answer(question).citations
    ]
    assert len(citations) >= 20
    for citation in citations:
        document = answerer.retriever.store.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
