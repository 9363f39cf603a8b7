"""A query ranked by the product and by each of its halves, as an item. Documents are ranked:
passages stand for theirs, the first of each counting."""

import time
from collections.abc import Iterator, Sequence

from rag.evaluation.cases import QueryCase
from rag.evaluation.ranking import ndcg_at, recall_at, reciprocal_rank
from rag.evaluation.runs import Item
from rag.evaluation.suite_metrics import PRODUCT, named
from rag.evaluation.worlds import Opened
from rag.types import Hit, Mode

PASSAGES = 50
"""Passages searched for each query."""
DEPTH = 10
"""Documents that are kept of them."""
# The product ranks as the settings say, by default with both.
OTHERS = {Mode.HYBRID: "hybrid", Mode.DENSE: "dense", Mode.LEXICAL: "lexical"}


def rank(case: QueryCase, opened: Opened) -> Item:
    """Return how well a query's relevant documents are ranked."""
    retriever, own = opened.answerer.retriever, opened.answerer.config.mode
    values: dict[str, float] = {}
    best: list[str] = []
    seconds = 0.0
    for mode in (own, *(mode for mode in OTHERS if mode is not own)):
        started = time.perf_counter()
        hits = retriever.search(case.question, PASSAGES, mode).hits
        ranked = documents(hits, opened)[:DEPTH]
        system = PRODUCT if mode is own else OTHERS[mode]
        if mode is own:
            seconds, best = time.perf_counter() - started, ranked
        values |= {named(name, system): value for name, value in measure(ranked, case.relevant)}
    return Item(
        id=case.id,
        cluster=case.cluster,
        lang=case.lang,
        type=case.type,
        values=values,
        columns={},
        seconds={"search": seconds},
        cost={},
        question=case.question,
        answer="\n".join(best[:5]),
        gold=case.relevant,
        claims=(),
    )


def documents(hits: Sequence[Hit], opened: Opened) -> list[str]:
    """Return the documents of hits, each once, where it comes first."""
    return list(dict.fromkeys(opened.name(hit.passage.source) for hit in hits))


def measure(ranked: Sequence[str], relevant: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yield the metrics of a ranking by name."""
    for k in (1, 5, 10):
        yield f"recall@{k}", recall_at(k, ranked, relevant)
    yield "MRR", reciprocal_rank(ranked, relevant)
    yield "nDCG@10", ndcg_at(10, ranked, relevant)
