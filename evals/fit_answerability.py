"""Fit rag/answerability.json: do the passages found answer the question?

XQuAD development half: every question of a language against the paragraphs of a language as one
index, once with its paragraph (answered) and once without (not answered). Cross-validated over
articles; the file holds the fit on all.

    python evals/fit_answerability.py --data ../shared/data --write rag/answerability.json
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag.answerability import FEATURES, features
from rag.backends.faiss_index import flat_index
from rag.build import build_embedder
from rag.config import Config
from rag.evidence import gather
from rag.ingest import ingest
from rag.protocols import Embedder, TokenVectors, Vectors
from rag.retriever import Retriever
from rag.store import Store, index_path

SAME = (("en", "en"), ("zh", "zh"), ("ru", "ru"), ("de", "de"))
ACROSS = (("ru", "en"), ("en", "ru"), ("zh", "en"), ("en", "zh"), ("de", "en"), ("ru", "zh"))
K = 5
FOLDS = 4
# Share of the answerable questions that are answered at the operating point reported.
ANSWERED = 0.8


class Remembering:
    """An embedder that reads each passage once; the same few come back for every question."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._tokens: dict[str, TokenVectors] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._embedder, name)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text."""
        new = [text for text in texts if text not in self._tokens]
        self._tokens.update(zip(new, self._embedder.embed_tokens(new), strict=True))
        return [self._tokens[text] for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim)."""
        return self._embedder.embed_passages(texts)


def main() -> None:
    """Compute, cross-validate, fit, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--step", type=int, default=2, help="every n-th question")
    options = parser.parse_args()
    embedder = Remembering(build_embedder(Config()))
    with tempfile.TemporaryDirectory() as folder:
        sets = {
            pair: rows(options.data, *pair, Path(folder), embedder, options.step)
            for pair in (*SAME, *ACROSS)
        }
    written = {
        "same": fit([sets[pair] for pair in SAME], [f"{a}→{b}" for a, b in SAME]),
        "across": fit([sets[pair] for pair in ACROSS], [f"{a}→{b}" for a, b in ACROSS]),
        "embedder": embedder.name,
        "provenance": {
            "data": "XQuAD development half (CC BY-SA 4.0), gold paragraph present and removed",
            "command": " ".join(["python", *sys.argv]),
            "questions": {"→".join(pair): len(sets[pair]) // 2 for pair in sets},
        },
    }
    if options.write:
        options.write.write_text(
            json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


Row = tuple[str, bool, list[float]]


def rows(
    data: Path, asked: str, written: str, folder: Path, embedder: "Remembering", step: int
) -> list[Row]:
    """Return (article, answered, features) twice for each question: with its paragraph, without."""
    config = Config(index_dir=folder / "indexes", generator="none")
    source = folder / written
    paragraphs = list(_paragraphs(data, written))
    if not source.exists():
        source.mkdir()
        for n, (_, text, _) in enumerate(paragraphs):
            (source / f"{n}.txt").write_text(text, encoding="utf-8")
        ingest([source], written, embedder, config)
    store = Store(index_path(config.index_dir, written))
    retriever = Retriever(store, embedder, lambda matrix: flat_index(matrix, "cpu"))
    questions = [
        (article, n, question)
        for n, (article, _, asks) in enumerate(_paragraphs(data, asked))
        for question in asks
    ][::step]
    found: list[Row] = []
    for article, n, question in questions:
        everything = retriever.search(question, K + 2)
        for answered in (True, False):
            own = f"{n}.txt"
            hits = [h for h in everything.hits if answered or h.passage.source != own][:K]
            kept = replace(everything, hits=tuple(hits))
            values = features(kept, gather(kept, embedder))
            found.append((article, answered, [values[name] for name in FEATURES]))
    print(asked, written, len(found), flush=True)
    return found


def _paragraphs(data: Path, language: str):
    path = data / "xquad" / f"xquad.{language}.json"
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            asks = [q["question"] for q in paragraph["qas"]]
            yield article.get("title", ""), paragraph["context"], asks


def fit(sets: Sequence[list[Row]], names: Sequence[str]) -> dict[str, object]:
    """Return the coefficients fitted on all, after printing what cross-validation gives."""
    articles = sorted({row[0] for rows_ in sets for row in rows_})
    fold = {article: i % FOLDS for i, article in enumerate(articles)}
    x = np.array([row[2] for rows_ in sets for row in rows_])
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
        "coefficients": dict(zip(FEATURES, np.round(coefficients, 5).tolist(), strict=True)),
    }


def _model():
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=3000))


if __name__ == "__main__":
    main()
