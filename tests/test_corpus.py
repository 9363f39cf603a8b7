"""The sample corpus and the questions about it belong together."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rag import loaders
from rag.scan import scan

ROOT = Path(__file__).resolve().parent.parent
CASES = [
    json.loads(line)
    for line in (ROOT / "evals/cases/corpus.jsonl").read_text(encoding="utf-8").splitlines()
]
FORMATS = {".txt", ".md", ".rst", ".html", ".pdf", ".docx"}


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text of each document, as its loader gives it, by its path in corpus/."""
    listing = scan(ROOT / "corpus", exclude=ROOT / "indexes")
    return {
        file.path.relative_to(listing.root).as_posix(): plain(loaders.load(file.path).text)
        for file in listing.files
    }


def test_the_corpus_is_broad(texts: dict[str, str]) -> None:
    """Twelve documents or more, in four languages and every format."""
    documents = [Path(name) for name in texts]
    assert len(documents) >= 12
    assert {path.suffix for path in documents} == FORMATS
    assert {path.suffixes[-2] for path in documents} == {".en", ".zh", ".ru", ".hu"}


def test_the_questions_are_many() -> None:
    """Forty or more, ten of them without an answer, each with an id of its own."""
    assert len(CASES) >= 40
    assert sum(not case["answerable"] for case in CASES) >= 10
    assert Counter(case["id"] for case in CASES).most_common(1)[0][1] == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_gold_is_in_the_sources(case: dict[str, Any], texts: dict[str, str]) -> None:
    """Gold evidence stands word for word in its source; what has no answer names none."""
    if not case["answerable"]:
        assert case["answers"] == case["sources"] == case["evidence"] == []
        return
    source = " ".join(texts[name] for name in case["sources"])
    assert all(plain(gold) in source for gold in case["evidence"])
    assert case["evidence"] and case["answers"]
