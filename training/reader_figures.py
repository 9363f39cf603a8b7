"""What a trained reader is worth, on the articles of a fold that it has not seen.

Of each pair of languages: F1 and exact match of the span in the four sentences found; the same
where these hold the answer; how often the span is in the answer's sentence, and how often the
sentence found first is that one; the AUROC of null, sentences with the answer against those found
without its paragraph; how many of the latter are answered where .8 of the former are; with
--paragraphs, F1 in the whole paragraph. Intervals are bootstrapped over paragraphs. Last, the
median milliseconds for a question with four sentences, one at a time.

    python -m training.reader_figures --adapter build/reader-fold0.safetensors --fold 0
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.backends.span_reader import SpanReader
from rag.evaluation.intervals import cluster_bootstrap
from rag.evaluation.matching import exact_match, token_f1
from rag.evaluation.metrics import auroc
from rag.models import resolve
from rag.models.adapter import read_adapter
from rag.types import Reading
from training.reader import held, joined
from training.reader_data import Example, Text, load

PAIRS = "en>en zh>zh ru>ru de>de en>zh zh>en en>ru ru>en ru>zh zh>ru de>en en>de"
SENTENCES = 4
ANSWERED = 0.8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the reader makes of one example.

    Attributes:
        paragraph: what the intervals are clustered by.
        f1, exact: of the span in the sentences found.
        holds: whether these hold the answer.
        right, first: whether the span lies in the answer's sentence; whether that was found first.
        null, missed: null with the answer's paragraph; without it, NaN where the answer is there.
        whole: F1 in the whole paragraph, NaN where it is not read.
    """

    paragraph: str
    f1: float
    exact: float
    holds: bool
    right: bool
    first: bool
    null: float
    missed: float
    whole: float


def main() -> None:
    """Read and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/reader.jsonl"))
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--pairs", default=PAIRS, help="asked>written, parted by spaces")
    parser.add_argument("--step", type=int, default=1, help="every n-th question")
    parser.add_argument("--paragraphs", action="store_true", help="read whole paragraphs too")
    parser.add_argument("--out", type=Path, help="where to write the figures, as JSON")
    options = parser.parse_args()
    adapter = read_adapter(options.adapter)
    reader = SpanReader(resolve(adapter.base), adapter)
    known = [example for example in load(options.data) if held(example, options.fold)]
    told: dict[str, dict[str, object]] = {}
    for pair in options.pairs.split():
        own = [e for e in known if f"{e.asked}>{e.written}" == pair][:: options.step]
        told[pair] = figures([outcome(reader, example, options.paragraphs) for example in own])
        print(pair, json.dumps(told[pair]), flush=True)
    asked = [e for e in known if (e.asked, e.written) == ("en", "en")][:50]
    told["milliseconds"] = {"en>en": round(latency(reader, asked), 1), "n": len(asked)}
    print("milliseconds", json.dumps(told["milliseconds"]))
    if options.out:
        options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def outcome(reader: SpanReader, example: Example, paragraphs: bool) -> Outcome:
    """Return what the reader makes of an example."""
    found = joined(example.found[:SENTENCES])
    missed = joined(example.missed[:SENTENCES])
    texts = [found.text, missed.text, *([example.paragraph.text] if paragraphs else [])]
    one, two, *three = reader.read(example.question, texts)
    said = found.text[one.start : one.end]
    answers = [example.answer]
    kept = example.answer.casefold() not in missed.text.casefold()
    return Outcome(
        example.paragraph.text,
        token_f1(said, answers, example.written),
        float(exact_match(said, answers, example.written)),
        found.holds,
        found.holds and _line(found.text, one.start) == _line(found.text, found.start),
        example.found[0].holds,
        one.null,
        two.null if kept else float("nan"),
        token_f1(_said(example.paragraph, three[0]), answers, example.written)
        if paragraphs
        else float("nan"),
    )


def _said(text: Text, reading: Reading) -> str:
    return text.text[reading.start : reading.end]


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place)


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the figures named at the top: [estimate, low, high], n, and shares."""
    holding = [o for o in outcomes if o.holds]
    yes = [o.null for o in holding]
    no = [o.missed for o in outcomes if not np.isnan(o.missed)]
    limit = float(np.quantile(yes, ANSWERED))
    truth = [True] * len(yes) + [False] * len(no)
    told: dict[str, object] = {
        "n": len(outcomes),
        "holding": len(holding),
        "f1": _mean(outcomes, lambda o: o.f1),
        "exact": _mean(outcomes, lambda o: o.exact),
        "f1_holding": _mean(holding, lambda o: o.f1),
        "sentence": _mean(holding, lambda o: o.right),
        "sentence_first": _mean(holding, lambda o: o.first),
        "auroc": round(auroc(truth, [-null for null in yes + no]), 3),
        "unanswerable": len(no),
        "unanswerable_answered": round(float(np.mean([null <= limit for null in no])), 3),
    }
    if not any(np.isnan(o.whole) for o in outcomes):
        told["f1_paragraph"] = _mean(outcomes, lambda o: o.whole)
    return told


def _mean(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> list[float]:
    values = np.array([value(o) for o in outcomes], np.float64)
    found = cluster_bootstrap(
        lambda rows: float(values[rows].mean()), [o.paragraph for o in outcomes]
    )
    return [round(x, 3) for x in (found.estimate, found.low, found.high)]


def latency(reader: SpanReader, examples: Sequence[Example]) -> float:
    """Return the median milliseconds for a question with its sentences, one at a time."""
    spent = []
    for example in examples:
        began = time.perf_counter()
        reader.read(example.question, [joined(example.found[:SENTENCES]).text])
        spent.append(time.perf_counter() - began)
    return 1000 * float(np.median(spent))


if __name__ == "__main__":
    main()
