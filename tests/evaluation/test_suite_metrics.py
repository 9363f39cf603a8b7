"""The metrics of runs: by hand, against other implementations, and what must hold of all."""

import re
from collections.abc import Mapping
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.agreement import pearson, spearman
from rag.evaluation.checks import Undefined
from rag.evaluation.figures import figures, parts, small_parts, unmeasured, whole_set
from rag.evaluation.intervals import Weights, draw, set_interval
from rag.evaluation.ranking import ndcg_at, recall_at, reciprocal_rank
from rag.evaluation.runs import Item
from rag.evaluation.suite_metrics import (
    ITEM_METRICS,
    SET_METRICS,
    SetMetric,
    higher_is_better,
    named,
    parted,
    systems,
)
from tests.evaluation.bootstrap import one_by_one
from tests.evaluation.made import item

LABELLED = {
    "gold": [1, 1, 1, 0, 0, 0, 0, 1],
    "accepted": [1, 1, 0, 0, 0, 1, 0, 1],
    "score": [0.9, 0.8, 0.4, 0.3, 0.2, 0.6, 0.1, 0.7],
    "source": [0, 0, 0, 0, 1, 1, 1, 1],
}
ASKED = {
    "answerable": [1, 1, 1, 1, 0, 0],
    "abstained": [0, 0, 0, 1, 1, 0],
    "correct": [1, 0, 1, 1, 0, 0],
    "confidence": [0.9, 0.6, 0.8, 0.3, 0.2, 0.5],
}


def table(columns: Mapping[str, list[float]]) -> dict[str, np.ndarray]:
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("metric", "columns", "by_hand"),
    [
        # 3 of 4 true accepted, 1 of 4 false: F1 of both classes 3/4
        ("macro-F1", LABELLED, 0.75),
        ("balanced accuracy", LABELLED, 0.75),
        ("true acceptance", LABELLED, 0.75),
        ("false acceptance", LABELLED, 0.25),
        # pairs in order: of .9 .8 .7 all 4, of .4 three
        ("AUROC", LABELLED, 15 / 16),
        # the fourth true one is at .4, above it stands one false one of four
        ("false acceptance at 90%", LABELLED, 0.25),
        # first source: accepted 2 of 3 true, 0 of 1 false: (4/5 + 2/3) / 2; the second: 1 of 1,
        # 1 of 3: (2/3 + 4/5) / 2
        ("macro-F1 over sources", LABELLED, (4 / 5 + 2 / 3) / 2),
        # each bin holds one case: the mean distance of the score from 0 or 1
        ("ECE", LABELLED, (0.1 + 0.2 + 0.6 + 0.3 + 0.2 + 0.6 + 0.1 + 0.3) / 8),
        # 2 refused, 1 rightly; 2 unanswerable
        ("abstention precision", ASKED, 0.5),
        ("abstention recall", ASKED, 0.5),
        ("abstention F1", ASKED, 0.5),
        ("coverage", ASKED, 4 / 6),
        # surest first: right, right, wrong, wrong, right, wrong: errors 0 0 1 2 2 3
        ("AURC", ASKED, (0 + 0 + 1 / 3 + 2 / 4 + 2 / 5 + 3 / 6) / 6),
        ("span F1", {"span shared": [4, 0], "span gold": [6, 2], "span marked": [4, 4]}, 0.5),
        # deviations -1 0 1 and -2 1 1: 3 / sqrt(2 · 6)
        ("Pearson", {"human": [1, 2, 3], "measured": [0, 3, 3]}, 3 / 12**0.5),
        ("Spearman", {"human": [1, 2, 30], "measured": [4, 5, 6]}, 1.0),
    ],
)
def test_set_metrics_by_hand(
    metric: str, columns: Mapping[str, list[float]], by_hand: float
) -> None:
    """Each metric of a set gives what was worked out by hand."""
    assert SET_METRICS[metric].function(table(columns)) == pytest.approx(by_hand)


def test_every_set_metric_has_a_case_by_hand() -> None:
    """None is left out of the test above."""
    marker = test_set_metrics_by_hand.pytestmark[0]  # type: ignore[attr-defined]
    assert {given[0] for given in marker.args[1]} == set(SET_METRICS)


@given(st.integers(0, 10_000))
def test_order_does_not_matter_and_bounds_hold(seed: int) -> None:
    """Any order of the rows gives the same value, which lies in 0 … 1 (correlations: -1 … 1)."""
    random = Random(seed)
    n = random.randint(2, 12)
    columns = {
        name: [float(random.random() < 0.5) for _ in range(n)]
        for name in ("gold", "accepted", "answerable", "abstained", "correct", "source")
    }
    for name in ("score", "confidence", "human", "measured"):
        columns[name] = [round(random.random(), 1) for _ in range(n)]
    columns |= {"span shared": [1.0] * n, "span gold": [3.0] * n, "span marked": [2.0] * n}
    order = random.sample(range(n), n)
    shuffled = {name: [values[row] for row in order] for name, values in columns.items()}
    for name, metric in SET_METRICS.items():
        try:
            value = metric.function(table(columns))
        except Undefined:
            with pytest.raises(Undefined):
                metric.function(table(shuffled))
            continue
        assert metric.function(table(shuffled)) == pytest.approx(value, abs=1e-12)
        assert (-1 if name in ("Pearson", "Spearman") else 0) <= value <= 1 + 1e-12


def drawn_columns(random: Random, n: int) -> dict[str, list[float]]:
    """Return every column that a metric needs, with ties, at random."""
    columns = {
        name: [float(random.random() < 0.5) for _ in range(n)]
        for name in ("gold", "accepted", "answerable", "abstained", "correct")
    }
    columns["source"] = [float(random.randrange(3)) for _ in range(n)]
    for name in ("score", "confidence", "human", "measured"):
        columns[name] = [round(random.random(), 1) for _ in range(n)]
    columns["span gold"] = [float(random.randrange(3)) for _ in range(n)]
    columns["span marked"] = [float(random.randrange(3)) for _ in range(n)]
    pairs = zip(columns["span gold"], columns["span marked"], strict=True)
    return columns | {"span shared": [min(pair) for pair in pairs]}


@pytest.mark.slow
@given(st.integers(0, 10_000))
def test_weighted_rows_are_rows_repeated(seed: int) -> None:
    """Over many resamples at once each metric is its definition over the rows, gathered; where
    that has no value, NaN."""
    random = Random(seed)
    n = random.randint(1, 9)
    known = table(drawn_columns(random, n))
    weights = np.array([[random.randrange(4) for _ in range(n)] for _ in range(12)], dtype=float)
    weights = weights[weights.sum(axis=1) > 0]
    for name, metric in SET_METRICS.items():
        found = metric.resampled(known, weights) if len(weights) else []
        for value, times in zip(found, weights.astype(int), strict=True):
            rows = np.repeat(np.arange(n), times)
            try:
                wanted = metric.function({key: column[rows] for key, column in known.items()})
            except Undefined:
                assert np.isnan(value), name
                continue
            assert value == pytest.approx(wanted, abs=1e-9), name


@pytest.mark.slow
def test_intervals_are_those_of_a_plain_bootstrap() -> None:
    """Each metric of a set has the interval that gathering rows one resample at a time gives."""
    random = Random(4)
    known = table(drawn_columns(random, 60))
    clusters = [str(row // 3) for row in range(60)]
    resamples = draw(clusters, resamples=150, seed=2)
    for name, metric in SET_METRICS.items():

        def over(rows: np.ndarray, metric: SetMetric = metric) -> float:
            return metric.function({key: column[rows] for key, column in known.items()})

        def at_once(weights: Weights, metric: SetMetric = metric) -> np.ndarray:
            return metric.resampled(known, weights)

        found = set_interval(over(np.arange(60)), at_once, resamples)
        wanted = one_by_one(over, clusters, 150, 2)
        assert (found.low, found.high) == pytest.approx(wanted, abs=1e-9), name


@given(st.integers(0, 10_000))
def test_a_better_checker_has_better_metrics(seed: int) -> None:
    """Setting one wrong verdict right makes no metric of verdicts worse."""
    random = Random(seed)
    gold = [1.0, 0.0] + [float(random.random() < 0.5) for _ in range(8)]
    said = [float(random.random() < 0.5) for _ in gold]
    wrong = [row for row, (a, b) in enumerate(zip(gold, said, strict=True)) if a != b]
    if not wrong:
        return
    better = list(said)
    better[wrong[0]] = gold[wrong[0]]
    for name in ("macro-F1", "balanced accuracy", "true acceptance", "false acceptance"):
        metric = SET_METRICS[name]
        before, after = (
            metric.function(table({"gold": gold, "accepted": one})) for one in (said, better)
        )
        assert (after - before) * (1 if metric.higher_is_better else -1) >= -1e-12


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=20))
def test_correlations_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """Pearson and Spearman agree with an independent implementation, ties included."""
    stats = pytest.importorskip("scipy.stats")
    first, second = zip(*pairs, strict=True)
    if len(set(first)) == 1 or len(set(second)) == 1:
        with pytest.raises(Undefined):
            pearson(first, second)
        return
    assert pearson(first, second) == pytest.approx(stats.pearsonr(first, second)[0], abs=1e-9)
    assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second)[0], abs=1e-9)


@given(st.integers(0, 10_000))
def test_rankings_are_measured_as_ir_measures_does(seed: int) -> None:
    """recall@k, MRR and nDCG@10 agree with ir-measures on any ranking."""
    measures = pytest.importorskip("ir_measures")
    random = Random(seed)
    documents = [f"d{n}" for n in range(15)]
    relevant = random.sample(documents, random.randint(1, 6))
    ranked = random.sample(documents, random.randint(1, 12))
    qrels = [measures.Qrel("q", document, 1) for document in relevant]
    run = [measures.ScoredDoc("q", d, float(-place)) for place, d in enumerate(ranked)]
    wanted = [measures.R @ 1, measures.R @ 5, measures.R @ 10, measures.RR, measures.nDCG @ 10]
    theirs = measures.calc_aggregate(wanted, qrels, run)
    ours = [recall_at(k, ranked, relevant) for k in (1, 5, 10)]
    ours += [reciprocal_rank(ranked, relevant), ndcg_at(10, ranked, relevant)]
    assert ours == pytest.approx([theirs[measure] for measure in wanted])


def test_names_of_systems() -> None:
    """A name tells metric and system, back and forth; the product comes first."""
    assert named("MRR", "product") == "MRR"
    assert parted(named("recall@1", "dense")) == ("recall@1", "dense")
    assert parted("MRR") == ("MRR", "product")
    assert systems(["MRR [dense]", "MRR", "MRR [lexical]"]) == ["product", "dense", "lexical"]


def test_which_way_is_better() -> None:
    """Every metric knows, times and costs are better when lower, and a stranger is an error."""
    assert higher_is_better("MRR") and not higher_is_better("AURC")
    assert not higher_is_better("seconds, total") and not higher_is_better("cost, tokens in")
    with pytest.raises(KeyError):
        higher_is_better("goodness")
    assert not set(ITEM_METRICS) & set(SET_METRICS)
    assert not [name for name in (*ITEM_METRICS, *SET_METRICS) if re.search(r"[\[\]]", name)]


def made() -> list[Item]:
    """Eight claims of two languages, judged by the product and a floor."""
    return [
        item(
            str(row),
            cluster=str(row // 2),
            lang="en" if row < 4 else "zh",
            values={"verdict right": float(gold == said), "MRR [dense]": 0.5},
            columns={"gold": gold, "accepted": said, "accepted [floor]": 1.0},
            seconds={"check": 2.0},
        )
        for row, (gold, said) in enumerate(zip(LABELLED["gold"], LABELLED["accepted"], strict=True))
    ]


def test_figures_of_systems_and_parts() -> None:
    """Means and set metrics come for all items, for parts, and for each system."""
    found = figures(made(), seed=0, resamples=50)
    by_name = {(f.metric, f.system, tuple(f.part.items())): f for f in found}
    whole = by_name["verdict right", "product", ()]
    assert (whole.value, whole.n) == (0.75, 8) and whole.low <= 0.75 <= whole.high
    assert by_name["verdict right", "product", (("lang", "zh"),)].n == 4
    assert by_name["MRR", "dense", ()].value == 0.5
    assert by_name["seconds, check", "product", ()].value == 2.0
    assert not by_name["seconds, check", "product", ()].higher_is_better
    assert by_name["macro-F1", "product", ()].value == pytest.approx(0.75)
    assert by_name["false acceptance", "floor", ()].value == 1.0
    assert by_name["macro-F1", "floor", (("lang", "zh"),)].n == 4
    assert not [f for f in found if "type" in f.part]


def test_figures_are_the_same_each_time() -> None:
    """One seed, one outcome; items in another order give the same values."""
    first = figures(made(), seed=3, resamples=40)
    assert first == figures(made(), seed=3, resamples=40)
    turned = figures(made()[::-1], seed=3, resamples=40)
    values = {(f.metric, f.system, str(f.part)): f.value for f in first}
    assert {(f.metric, f.system, str(f.part)): f.value for f in turned} == pytest.approx(values)


def test_metrics_that_do_not_apply_are_left_out() -> None:
    """A column that an item lacks, or one class only, leaves the metric out."""
    some = made()
    few = draw([one.cluster for one in some], resamples=10)
    assert whole_set(some, SET_METRICS["AUROC"], "product", few) is None
    assert whole_set(some, SET_METRICS["macro-F1"], "quote-only", few) is None
    one_class = [one for one in some if one.columns["gold"]]
    few = draw([one.cluster for one in one_class], resamples=10)
    assert whole_set(one_class, SET_METRICS["balanced accuracy"], "product", few) is None


def test_small_parts_have_no_figures() -> None:
    """One item is no part, and is named."""
    some = [*made(), item("x", lang="ru"), item("y", lang="de")]
    assert [part for part, _ in parts(some)] == [{}, {"lang": "en"}, {"lang": "zh"}]
    assert small_parts(some) == {"lang": {"ru": 1, "de": 1}}


def test_metrics_without_a_figure_have_a_reason() -> None:
    """One class only, or resamples of one class only; what has a figure or no columns is none."""
    one_class = [one for one in made() if one.columns["gold"]]
    told = unmeasured(one_class, figures(one_class, seed=0, resamples=50))
    assert told["false acceptance"] == "no case of this class" and "macro-F1" not in told
    assert "gold holds one class only" in told["balanced accuracy"] and "AUROC" not in told
    few = [made()[0], made()[1], made()[4]]
    told = unmeasured(few, figures(few, seed=0, resamples=50))
    assert "more than 5% of the resamples" in told["balanced accuracy"]
