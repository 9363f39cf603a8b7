"""Measure answers end to end: gold contained, length, citations, refusals, conflicts.

    python evals/answers.py xquad --language en --n 100 --json build/xquad-en.json
    python evals/answers.py clapnq --n 100
    python evals/answers.py rgb --language en

xquad: all paragraphs of the development half are one index; a question is asked of it, and once
more without its paragraph. clapnq: all passages of both files are one index. rgb: every question
has an index of its own, of true and false passages, and one of the true ones alone. Questions are
drawn with --seed; intervals are 2,000 bootstrap resamples, clustered by paragraph.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from evals.remembering import Remembering  # noqa: E402
from rag import answerability, build  # noqa: E402
from rag.analysis import language as language_of  # noqa: E402
from rag.answerer import Answerer  # noqa: E402
from rag.config import Config  # noqa: E402
from rag.evaluation import datasets, intervals, matching, selective  # noqa: E402
from rag.evidence import gather  # noqa: E402
from rag.fusion import Retrieval  # noqa: E402
from rag.ingest import ingest  # noqa: E402
from rag.relevance import across  # noqa: E402
from rag.retriever import Retriever  # noqa: E402
from rag.types import Answer, Asking, Filters, Mode  # noqa: E402

ANSWERED = 0.8


class Without:
    """A retriever that does not see one document."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self.source = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)

    def search(
        self, question: str, k: int, mode: Mode = Mode.HYBRID, filters: Filters | None = None
    ) -> Retrieval:
        """Find the k best passages of the other documents."""
        found = self._retriever.search(question, k + 3, mode, filters)
        kept = [hit for hit in found.hits if hit.passage.source != self.source][:k]
        return Retrieval(found.question, tuple(kept), found.term_weights, found.background)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its file (the one that answers it), and its gold answers; none: no answer."""

    id: str
    question: str
    source: str
    gold: tuple[str, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question. `probability` is of the passages answering it."""

    id: str
    cluster: str
    answerable: bool
    probability: float
    answered: bool
    method: str
    contains: bool
    length: int
    citations: int
    valid: bool
    cites_gold: bool
    verify: float
    total: float
    text: str


def main() -> None:
    """Run one set and print its figures."""
    options = _options()
    folder = Path(os.environ.get("RAG_TEST_DATA", "../shared/data"))
    generator = "none" if options.quote_only else Config().generator
    config = Config(generator=generator, verifier=options.verifier)
    embedder = Remembering(build.build_embedder(config))
    with tempfile.TemporaryDirectory() as place:
        if options.set == "rgb":
            found = conflicts(options, folder, Path(place), config, embedder)
        else:
            found = answers(options, folder, Path(place), config, embedder)
    found["command"] = " ".join(["python", *sys.argv])
    print(json.dumps({k: v for k, v in found.items() if k != "outcomes"}, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=("xquad", "clapnq", "rgb"))
    parser.add_argument("--language", default="en")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quote-only", action="store_true")
    parser.add_argument("--verifier", default=Config().verifier)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def answers(
    options: argparse.Namespace, folder: Path, place: Path, config: Config, embedder: Any
) -> dict[str, Any]:
    """Ask questions with and without an answer."""
    texts, asked = _xquad(folder, options) if options.set == "xquad" else _clapnq(folder, options)
    answerer = _answerer(texts, place, config, embedder)
    without = Without(answerer.retriever)
    blind = Answerer(without, answerer.generator, answerer.verifier, config)  # type: ignore[arg-type]
    outcomes = []
    for item in asked:
        if item.answerable:
            outcomes.append(_outcome(answerer, item, texts, True))
        if options.set == "xquad":
            without.source = item.source
            outcomes.append(_outcome(blind, item, texts, False))
        elif not item.answerable:
            outcomes.append(_outcome(answerer, item, texts, False))
    return _figures(outcomes) | {
        "n": len(outcomes),
        "seed": options.seed,
        "outcomes": [asdict(o) for o in outcomes],
    }


def _xquad(folder: Path, options: argparse.Namespace) -> tuple[dict[str, str], list[Asked]]:
    paragraphs = datasets.xquad(folder, options.language)
    # Three paragraphs begin with a byte order mark, which is no part of a file's text.
    texts = {f"{i}.txt": p.text.removeprefix("\ufeff") for i, p in enumerate(paragraphs)}
    asked = [
        Asked(q.id, q.text, f"{i}.txt", tuple(gold.text for gold in q.answers), True)
        for i, paragraph in enumerate(paragraphs)
        for q in paragraph.questions
    ]
    return texts, random.Random(options.seed).sample(asked, min(options.n, len(asked)))


def _clapnq(folder: Path, options: argparse.Namespace) -> tuple[dict[str, str], list[Asked]]:
    texts: dict[str, str] = {}
    asked = []
    for answerable in (True, False):
        items = datasets.clapnq(folder, answerable=answerable)
        for item in items:
            source = f"{item.id}.txt"
            texts[source] = f"{item.title}\n\n{item.passage}"
        drawn = random.Random(options.seed).sample(items, min(options.n, len(items)))
        for item in drawn:
            gold = tuple(s for answer in item.answers for s in answer.sentences)
            asked.append(Asked(item.id, item.question, f"{item.id}.txt", gold, answerable))
    return texts, asked


def _answerer(texts: dict[str, str], place: Path, config: Config, embedder: Any) -> Answerer:
    source = place / "documents"
    source.mkdir(parents=True)
    for name, text in texts.items():
        (source / name).write_text(text, encoding="utf-8")
    config = Config(
        index_dir=place / "indexes", generator=config.generator, verifier=config.verifier
    )
    ingest([source], "default", embedder, config)
    generator = build.build_generator(config)
    return build.assemble(config, "default", embedder, generator)


def _outcome(answerer: Answerer, item: Asked, texts: dict[str, str], answerable: bool) -> Outcome:
    """Answer whatever the probability, and note it: any operating point can be read off."""
    found = answerer.retriever.search(item.question, answerer.config.k)
    values = answerability.features(found, gather(found, answerer.retriever.embedder))
    crossing = across(found, language_of(item.question))
    probability = answerability.probability(answerability.load_model(), values, crossing)
    answer = answerer.answer(item.question, asking=Asking(0.0))
    return Outcome(
        id=item.id,
        cluster=item.source,
        answerable=answerable,
        probability=probability,
        answered=not answer.abstained,
        method=answer.method.value,
        contains=answerable and _holds(answer.text, item),
        length=len(answer.text),
        citations=len(answer.citations),
        valid=_valid(answer, texts),
        cites_gold=any(citation.source == item.source for citation in answer.citations),
        verify=answer.timings.get("verify", 0.0),
        total=answer.timings["total"],
        text=answer.text,
    )


def _holds(text: str, item: Asked) -> bool:
    return matching.contains_gold(text, item.gold, language_of(item.question))


def _valid(answer: Answer, texts: dict[str, str]) -> bool:
    """Tell whether every quote stands where its citation says, and every claim has one."""
    told = all(texts[c.source][c.start : c.end] == c.quote for c in answer.citations)
    return told and all(claim.citations for claim in answer.claims)


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    yes = [o for o in outcomes if o.answerable]
    no = [o for o in outcomes if not o.answerable]
    kept = [o for o in yes if o.answered]
    threshold = float(np.quantile([o.probability for o in yes], 1 - ANSWERED))
    curve = selective.risk_coverage(
        [o.answerable and o.contains for o in outcomes], [o.probability for o in outcomes]
    )
    default = Config().strictness

    def interval(values: Sequence[float], of: Sequence[Outcome]) -> str:
        found = intervals.mean_interval(list(values), [o.cluster for o in of])
        return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}] n={found.n}"

    return {
        "contains gold, of all": interval([float(o.contains and o.answered) for o in yes], yes),
        "contains gold, at the default strictness": interval(
            [float(o.contains and o.answered and o.probability >= default) for o in yes], yes
        ),
        "median length": statistics.median(o.length for o in kept),
        "citations": statistics.mean(o.citations for o in kept),
        "valid": statistics.mean(o.valid for o in kept),
        "cites the gold document": interval([float(o.cites_gold) for o in kept], kept),
        "generated": statistics.mean(o.method == "generated" for o in kept),
        "verify / total": sum(o.verify for o in kept) / sum(o.total for o in kept),
        "seconds": statistics.median(o.total for o in kept),
        "answerable answered at default": interval(
            [float(o.probability >= default and o.answered) for o in yes], yes
        ),
        "unanswerable answered at default": interval(
            [float(o.probability >= default and o.answered) for o in no], no
        ),
        "threshold for .8": threshold,
        "unanswerable answered at .8": interval(
            [float(o.probability >= threshold and o.answered) for o in no], no
        ),
        "risk at coverage": {
            f"{c:.1f}": round(float(curve.risk[int(c * len(outcomes)) - 1]), 3)
            for c in (0.1, 0.2, 0.3, 0.4, 0.5, 1.0)
        },
        "area under risk–coverage": round(curve.area, 4),
    }


def conflicts(
    options: argparse.Namespace, folder: Path, place: Path, config: Config, embedder: Any
) -> dict[str, Any]:
    """Ask over true and false passages, and over true ones alone: is disagreement reported?"""
    items = datasets.rgb(folder, options.language)[: options.n]
    both, alone = [], []
    for item, passages, told in _worlds(items, both, alone):
        texts = {f"{i}.txt": text for i, text in enumerate(passages)}
        world = place / f"{item.id}-{len(passages)}-{len(both)}-{len(alone)}"
        answer = _answerer(texts, world, config, embedder).answer(item.question, asking=Asking(0.0))
        told.append(float(bool(answer.conflicts)))

    def interval(values: list[float]) -> str:
        found = intervals.mean_interval(values, list(range(len(values))))
        return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}] n={found.n}"

    return {"reported, true and false": interval(both), "reported, true only": interval(alone)}


def _worlds(
    items: Sequence[Any], both: list[float], alone: list[float]
) -> Iterator[tuple[Any, tuple[str, ...], list[float]]]:
    for item in items:
        yield item, (*item.true_passages, *item.false_passages), both
        yield item, item.true_passages, alone


if __name__ == "__main__":
    main()
