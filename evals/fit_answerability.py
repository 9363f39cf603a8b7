"""Fit rag/answerability.json: do the passages found answer the question?

XQuAD development half: every n-th question of a language against the paragraphs of a language,
once with its paragraph (answered) and once without (not answered); all paragraphs in one index of
many subjects, and those of its article in an index of one subject. Cross-validated over articles;
the file holds the fit on all. Features are computed once and kept in --cache.

    python evals/fit_answerability.py --data ../shared/data --write rag/answerability.json

With --reader, an adapter that has not seen every fourth article from --fold on, only the questions
of these are measured, and reported twice: with the features above, and with one more, how far the
reader thinks the four best sentences from answering (`rag.types.Reading.null`, at most NULL_LIMIT
to either side). Nothing is written then.

    python evals/fit_answerability.py --reader rag/models/adapters/reader.safetensors --fold 0 \
        --sets "en>en" "ru>ru" --cache build/answerability-reader.json
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag.answerability import FEATURES, features
from rag.backends.faiss_index import flat_index
from rag.backends.span_reader import SpanReader
from rag.build import build_embedder
from rag.config import Config
from rag.evaluation.remembering import Remembering
from rag.evidence import Gathered, gather, select
from rag.finding import find
from rag.fusion import Retrieval
from rag.ingest import ingest
from rag.models import resolve
from rag.models.adapter import read_adapter
from rag.protocols import Reader
from rag.retriever import Retriever
from rag.store import Store, index_path

SAME = (("en", "en"), ("zh", "zh"), ("ru", "ru"), ("de", "de"))
ACROSS = (("ru", "en"), ("en", "ru"), ("zh", "en"), ("en", "zh"))
SAME_NARROW = (("en", "en"), ("ru", "ru"), ("zh", "zh"))
ACROSS_NARROW = (("ru", "en"), ("en", "zh"))
K = 5
FOLDS = 4
# Share of the answerable questions that are answered at the operating point reported.
ANSWERED = 0.8
# Of the reader: folds of articles that it was trained in, sentences that it reads.
READER_FOLDS = 4
READER_SENTENCES = 4
NULL_LIMIT = 12.0


def main() -> None:
    """Compute, cross-validate, fit, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/answerability-features.json"))
    parser.add_argument("--step", type=int, default=2, help="every n-th question")
    parser.add_argument("--reader", type=Path, help="adapter of a reader to measure with")
    parser.add_argument("--fold", type=int, default=0, help="of the reader")
    parser.add_argument("--sets", nargs="*", help='only these, such as "en>en" or "ru>ru narrow"')
    options = parser.parse_args()
    if not options.cache.exists():
        options.cache.parent.mkdir(parents=True, exist_ok=True)
        options.cache.write_text(json.dumps(measured(options)), encoding="utf-8")
    sets: dict[str, list[Row]] = json.loads(options.cache.read_text(encoding="utf-8"))
    if options.reader:
        report_reader(sets)
        return
    same = [name for name in sets if name.split()[0].split(">")[0] == name.split()[0].split(">")[1]]
    across = [name for name in sets if name not in same]
    written = {
        "same": fit([sets[name] for name in same], same),
        "across": fit([sets[name] for name in across], across),
        "embedder": Config().embedder,
        "provenance": {
            "data": "XQuAD development half (CC BY-SA 4.0), gold paragraph present and removed",
            "command": " ".join(["python", *sys.argv]),
            "questions": {name: len(found) // 2 for name, found in sets.items()},
        },
    }
    if options.write:
        options.write.write_text(
            json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


Row = tuple[str, bool, dict[str, float]]


def report_reader(sets: dict[str, list[Row]]) -> None:
    """Print what cross-validation gives: the features that ship, the reader's alone, and all."""
    for kept in (FEATURES, ("reader",), (*FEATURES, "reader")):
        print(f"-- {len(kept)} features, the last {kept[-1]}")
        for across in (False, True):
            names = [n for n in sets if (n.split()[0][:2] != n.split()[0][-2:]) == across]
            if names:
                fit([sets[name] for name in names], names, kept)


def measured(options: argparse.Namespace) -> dict[str, list[Row]]:
    """Return the rows of every set: asked>written, and "narrow" for an index of one article."""
    embedder = Remembering(build_embedder(Config()))
    reader: Reader | None = None
    if options.reader:
        adapter = read_adapter(options.reader)
        reader = SpanReader(resolve(adapter.base), adapter)
    sets: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for narrow, pairs in ((False, SAME + ACROSS), (True, SAME_NARROW + ACROSS_NARROW)):
            for asked, written in pairs:
                name = f"{asked}>{written}{' narrow' if narrow else ''}"
                if options.sets and name not in options.sets:
                    continue
                place = Place(
                    Path(folder), options.data, asked, written, options.step, reader, options.fold
                )
                sets[name] = place.rows(embedder, narrow)
                print(name, len(sets[name]), flush=True)
    return sets


@dataclass(frozen=True, slots=True)
class Place:
    """Questions of one language to paragraphs of another, indexed under a folder."""

    folder: Path
    data: Path
    asked: str
    written: str
    step: int
    reader: Reader | None = None
    fold: int = 0

    def rows(self, embedder: Remembering, narrow: bool) -> list[Row]:
        """Return (article, answered, features) twice a question: with its paragraph, without."""
        found: list[Row] = []
        paragraphs = list(_paragraphs(self.data, self.written))
        asks = [asks for _, _, asks in _paragraphs(self.data, self.asked)]
        articles = sorted({article for article, *_ in paragraphs})
        seen = {title: i for i, title in enumerate(dict.fromkeys(p[0] for p in paragraphs))}
        for group in ([article] for article in articles) if narrow else [articles]:
            own = [n for n, (article, *_) in enumerate(paragraphs) if article in group]
            retriever = self._index(group, {n: paragraphs[n][1] for n in own}, embedder)
            asked = [
                n
                for n in own
                if self.reader is None or seen[paragraphs[n][0]] % READER_FOLDS == self.fold
            ]
            questions = [(n, question) for n in asked for question in asks[n]]
            for n, question in questions[:: self.step]:
                everything = retriever.search(question, K + 2)
                for answered in (True, False):
                    hits = [
                        hit
                        for hit in everything.hits
                        if answered or hit.passage.source != f"{n}.txt"
                    ]
                    kept = replace(everything, hits=tuple(hits[:K]))
                    gathered = gather(kept, embedder)
                    values = features(kept, gathered) | self._read(kept, gathered)
                    found.append((paragraphs[n][0], answered, values))
        return found

    def _read(self, kept: Retrieval, gathered: Gathered) -> dict[str, float]:
        if self.reader is None:
            return {}
        best = [item.text for item in select(kept, gathered)[:READER_SENTENCES]]
        found = find(self.reader, kept.question, best)
        null = NULL_LIMIT if found is None else found.null
        return {"reader": float(np.clip(null, -NULL_LIMIT, NULL_LIMIT))}

    def _index(self, group: list[str], texts: dict[int, str], embedder: Remembering) -> Retriever:
        config = Config(index_dir=self.folder / "indexes", generator="none")
        key = hashlib.sha256("|".join(group).encode()).hexdigest()[:8]
        name = f"{self.written}-{key}"
        source = self.folder / name
        if not source.exists():
            source.mkdir()
            for n, text in texts.items():
                (source / f"{n}.txt").write_text(text, encoding="utf-8")
            ingest([source], name, embedder, config)
        store = Store(index_path(config.index_dir, name))
        return Retriever(store, embedder, lambda matrix: flat_index(matrix, "cpu"))


def _paragraphs(data: Path, language: str) -> Iterator[tuple[str, str, list[str]]]:
    path = data / "xquad" / f"xquad.{language}.json"
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            asks = [q["question"] for q in paragraph["qas"]]
            yield article.get("title", ""), paragraph["context"], asks


def fit(
    sets: Sequence[list[Row]], names: Sequence[str], kept: Sequence[str] = FEATURES
) -> dict[str, object]:
    """Return the coefficients fitted on all, after printing what cross-validation gives."""
    articles = sorted({row[0] for rows_ in sets for row in rows_})
    fold = {article: i % FOLDS for i, article in enumerate(articles)}
    x = np.array([[row[2][name] for name in kept] for rows_ in sets for row in rows_])
    y = np.array([row[1] for rows_ in sets for row in rows_])
    part = np.array([fold[row[0]] for rows_ in sets for row in rows_])
    which = np.repeat(np.arange(len(sets)), [len(rows_) for rows_ in sets])
    p = np.zeros(len(y))
    for k in range(FOLDS):
        p[part == k] = _model().fit(x[part != k], y[part != k]).predict_proba(x[part == k])[:, 1]
    for i, name in enumerate(names):
        own = which == i
        yes, no = p[own & y], p[own & ~y]
        let_through = float((no >= np.quantile(yes, 1 - ANSWERED)).mean())
        print(
            f"{name}  n={len(yes)}  AUROC {roc_auc_score(y[own], p[own]):.3f}  "
            f"unanswerable answered at {ANSWERED:.0%}: {let_through:.3f}; at p ≥ .5: "
            f"answerable {float((yes >= 0.5).mean()):.3f}, unanswerable "
            f"{float((no >= 0.5).mean()):.3f}"
        )
    model = _model().fit(x, y)
    scaler, logistic = model[0], model[-1]
    coefficients = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - (coefficients * scaler.mean_).sum())
    return {
        "intercept": round(intercept, 5),
        "coefficients": dict(zip(kept, np.round(coefficients, 5).tolist(), strict=True)),
    }


def _model() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=3000))


if __name__ == "__main__":
    main()
