"""What the reader makes of questions over documents that it was not trained on.

Each question is searched, its best sentences are selected as for an answer, and the reader reads
the first four. Printed a line each: null, the probability that the program decides by
(`rag.answerability`), the chosen sentence's place, and the stretch; then how often a gold answer is
in the stretch, in the chosen sentence and in the one selected first, and the AUROC, answerable
questions against unanswerable ones, of null, of the probability, and of both: the probability's log
odds less null / 4.

    python evals/reading.py ../shared/data/seeds/questions.jsonl ../shared/data/seeds/documents
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from rag.answerability import features, load_model, probability
from rag.backends.span_reader import SpanReader
from rag.build import build_embedder, build_reader, open_retriever
from rag.config import Config
from rag.evaluation.matching import contains_gold
from rag.evaluation.metrics import auroc
from rag.evidence import gather, select
from rag.finding import find
from rag.ingest import ingest
from rag.models import resolve
from rag.models.adapter import read_adapter
from rag.protocols import Reader
from rag.relevance import across
from rag.retriever import Retriever

SENTENCES = 4


def main() -> None:
    """Ingest, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path, help="JSON Lines: question, answers, answerable")
    parser.add_argument("documents", type=Path)
    parser.add_argument("--adapter", type=Path, help="another reader than the one that ships")
    options = parser.parse_args()
    lines = options.questions.read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(index_dir=Path(folder), generator="none")
        ingest([options.documents], "default", build_embedder(config), config)
        retriever = open_retriever(config, "default")
        reader = _reader(options.adapter, config)
        read = [told(json.loads(line), retriever, reader) for line in lines]
    report(read)


def _reader(adapter: Path | None, config: Config) -> Reader:
    if adapter is None:
        return build_reader(config)
    learnt = read_adapter(adapter)
    return SpanReader(resolve(learnt.base), learnt)


def told(case: dict[str, Any], retriever: Retriever, reader: Reader) -> dict[str, Any]:
    """Return what the reader makes of a question, after printing it."""
    found = retriever.search(case["question"], 5)
    gathered = gather(found, retriever.embedder)
    best = [e.text for e in select(found, gathered)[:SENTENCES]]
    finding = find(reader, case["question"], best)
    if finding is None:
        raise ValueError(f"nothing to read for {case['question']!r}")
    said = best[finding.sentence][finding.start : finding.end]
    crossing = across(found, case["lang"])
    likely = probability(load_model(), features(found, gathered), crossing)
    print(
        f"{finding.null:6.2f}  {likely:.2f}  {finding.sentence + 1}  {case['question']}  →  {said}",
        flush=True,
    )
    texts = {"stretch": said, "sentence": best[finding.sentence], "first": best[0]}
    gold = case["answers"]
    held = {
        name: bool(gold) and contains_gold(text, gold, case["lang"]) for name, text in texts.items()
    }
    told = {"null": finding.null, "odds": math.log(likely / (1 - likely)), **held}
    return {"answerable": case["answerable"], "lang": case["lang"], **told}


def report(read: list[dict[str, Any]]) -> None:
    """Print the figures, over all answerable questions and by language."""
    asked = [each for each in read if each["answerable"]]
    for language in ("all", *sorted({each["lang"] for each in asked})):
        own = [each for each in asked if language in ("all", each["lang"])]
        held = {n: sum(each[n] for each in own) for n in ("stretch", "sentence", "first")}
        print(f"{language}: of {len(own)}, a gold answer in", json.dumps(held))
    truth = [each["answerable"] for each in read]
    for name, scores in {
        "null": [-each["null"] for each in read],
        "the probability": [each["odds"] for each in read],
        "both": [each["odds"] - each["null"] / 4 for each in read],
    }.items():
        print(f"AUROC of {name}: {auroc(truth, scores):.3f} of {len(read)}")


if __name__ == "__main__":
    main()
