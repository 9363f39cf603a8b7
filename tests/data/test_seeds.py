"""The main job: the user's own documents and questions, with the default models."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from rag.build import assemble, build_generator
from rag.config import Config
from rag.ingest import ingest
from rag.protocols import Embedder
from rag.types import Answer

pytestmark = [pytest.mark.model, pytest.mark.data]


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).casefold()


@pytest.fixture(scope="module")
def answers(
    data: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[dict[str, Any], Answer]]:
    """Each question of the seeds with its answer."""
    config = Config(index_dir=tmp_path_factory.mktemp("seeds"))
    ingest([data / "seeds" / "documents"], "default", embedder, config)
    answerer = assemble(config, "default", embedder, build_generator(config))
    lines = (data / "seeds" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    return [(question, answerer.answer(question["question"])) for question in questions]


def test_gold_evidence_is_found(answers: list[tuple[dict[str, Any], Answer]]) -> None:
    """For 95% of the answerable questions the gold evidence is in the top five passages."""
    found = []
    for question, answer in answers:
        if question["answerable"]:
            texts = [plain(hit.passage.text) for hit in answer.hits]
            found.append(
                all(any(plain(gold) in text for text in texts) for gold in question["evidence"])
            )
    assert statistics.mean(found) >= 0.95


def test_answers_hold_gold(answers: list[tuple[dict[str, Any], Answer]]) -> None:
    """85% of answers hold a gold answer or quote the gold evidence, and they are short."""
    good, lengths, citations = [], [], []
    for question, answer in answers:
        if question["answerable"]:
            quotes = [plain(citation.quote) for citation in answer.citations]
            stated = any(plain(gold) in plain(answer.text) for gold in question["answers"])
            quoted = any(plain(gold) in quote for gold in question["evidence"] for quote in quotes)
            good.append(not answer.abstained and (stated or quoted))
            lengths.append(len(answer.text))
            citations.append(len(answer.citations))
    assert statistics.mean(good) >= 0.85
    assert statistics.median(lengths) <= 300
    assert statistics.mean(citations) <= 3
