"""How good a ranking is. Ids are of passages or documents, the best first, each at most once."""

import math
from collections.abc import Collection, Sequence


def recall_at(k: int, ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return the share of relevant ids among the first k."""
    _check(k, ranked, relevant)
    return len(set(ranked[:k]).intersection(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 / rank of the first relevant id, 0 when none is ranked."""
    _check(1, ranked, relevant)
    for rank, found in enumerate(ranked, start=1):
        if found in relevant:
            return 1 / rank
    return 0.0


def ndcg_at(k: int, ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return nDCG@k with binary relevance, gain 1 / log2(rank + 1) (Järvelin & Kekäläinen 2002)."""
    _check(k, ranked, relevant)
    gain = sum(1 / math.log2(i + 2) for i, found in enumerate(ranked[:k]) if found in relevant)
    return gain / sum(1 / math.log2(i + 2) for i in range(min(k, len(set(relevant)))))


def _check(k: int, ranked: Sequence[str], relevant: Collection[str]) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if not relevant:
        raise ValueError("relevant is empty: without a gold id a ranking can not be measured")
    if len(set(ranked)) != len(ranked):
        raise ValueError(f"ranked holds an id twice: {len(ranked)} ids, {len(set(ranked))} unlike")
