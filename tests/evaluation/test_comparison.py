"""Comparing two runs: by hand, by properties, and by what chance does to it."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.evaluation.comparison import Comparison, compare, worse
from rag.evaluation.comparison_views import compared_view, html, markdown
from rag.evaluation.measured import Sampling
from rag.evaluation.run_folder import Run
from rag.evaluation.runs import Item
from tests.evaluation import made_runs
from tests.evaluation.made_runs import item, run

FEW = Sampling(resamples=200, permutations=1_000, exchanges=200)
RECALL, WRONG = "citation recall", "wrong answer"


def runs(first: list[float], second: list[float], metric: str = RECALL) -> tuple[Run, Run]:
    """Return two runs whose items have one metric."""
    return tuple(  # type: ignore[return-value]
        run([item(f"q{n}", {metric: value}) for n, value in enumerate(values)])
        for values in (first, second)
    )


def test_a_comparison_worked_by_hand() -> None:
    """Six items that all lose: of 64 exchanges two are as extreme, so p is 1/32."""
    found = compare(*runs([1.0] * 6, [0.0] * 6), sampling=FEW).differences[0]
    assert (found.first, found.second, found.difference) == (1, 0, -1)
    assert (found.low, found.high, found.p, found.corrected) == (-1, -1, 2 / 64, 2 / 64)
    assert (found.n, found.clusters, found.wins, found.losses) == (6, 6, 0, 6)
    assert found.outcome == "worse"


def test_holm_counts_all_metrics_that_are_compared() -> None:
    """The same loss is no finding beside a second metric, and is one again when named alone."""
    first, second = runs([1.0] * 6, [0.0] * 6)
    both = [
        replace(one, items=tuple(replace(i, values={**i.values, WRONG: 0.0}) for i in one.items))
        for one in (first, second)
    ]
    found = {each.metric: each for each in compare(*both, sampling=FEW).differences}
    assert found[RECALL].corrected == 4 / 64 and found[RECALL].outcome == "same"
    assert found[WRONG].p == 1
    alone = compare(*both, metrics=[RECALL], sampling=FEW).differences[0]
    assert alone.corrected == 2 / 64 and alone.outcome == "worse"


def test_less_can_be_better() -> None:
    """Of a metric where less is better, a fall is an improvement."""
    found = compare(*runs([1.0] * 6, [0.0] * 6, WRONG), sampling=FEW).differences[0]
    assert found.outcome == "better" and (found.wins, found.losses) == (6, 0)


def test_clusters_count_once() -> None:
    """Six items of one cluster are one draw: nothing can be significant."""
    first, second = (
        replace(one, items=tuple(replace(i, cluster="c") for i in one.items))
        for one in runs([1.0] * 6, [0.0] * 6)
    )
    found = compare(first, second, sampling=FEW).differences[0]
    assert found.clusters == 1 and found.p == 1 and found.outcome == "same"


def test_items_that_lack_the_metric_in_one_run_are_told() -> None:
    """What only one run has does not count, and is named."""
    first, second = runs([1, 1, 0], [1, 0, 0])
    second = replace(second, items=(replace(second.items[0], values={}), *second.items[1:]))
    comparison = compare(first, second, sampling=FEW)
    found = comparison.differences[0]
    assert (found.n, found.only_first, found.only_second) == (2, 1, 0)
    assert "1 items have it in the first run only" in markdown(comparison)


def test_changes_come_with_both_answers_losses_first() -> None:
    """Each changed item is listed with the answers of both runs."""
    first, second = runs([1, 0, 1], [0, 1, 1])
    second = replace(second, items=tuple(replace(i, answer="new") for i in second.items))
    view = compared_view(compare(first, second, sampling=FEW))
    assert [(c["id"], c["gain"]) for c in view["changes"]] == [("q0", -1), ("q1", 1)]
    assert view["changes"][0]["second"] == {"value": 0, "answer": "new"}


def labelled(scores: list[float], gold: list[int]) -> Run:
    """Return a run of claims with scores and labels."""
    rows = zip(scores, gold, strict=True)
    return run([item(f"c{n}", columns={"score": s, "gold": g}) for n, (s, g) in enumerate(rows)])


def test_a_metric_of_a_whole_set_is_compared() -> None:
    """AUROC of 1 against 1/2: by hand 3 pairs of each class, all right against all tied."""
    gold = [1, 1, 1, 0, 0, 0] * 4
    good, tied = labelled([0.9, 0.8, 0.7, 0.3, 0.2, 0.1] * 4, gold), labelled([0.5] * 24, gold)
    found = compare(good, tied, metrics=["AUROC"], sampling=FEW).differences[0]
    assert (found.first, found.second, found.difference) == (1, 0.5, -0.5)
    assert found.outcome == "worse" and found.high < 0
    back = compare(tied, good, metrics=["AUROC"], sampling=FEW).differences[0]
    assert back.outcome == "better" and back.p == found.p


def test_a_set_without_change_is_certain() -> None:
    """The same columns in both runs differ by nothing, with p 1."""
    one = labelled([0.9, 0.1, 0.6], [1, 0, 1])
    found = compare(one, one, metrics=["AUROC", "ECE"], sampling=FEW).differences
    assert [(f.difference, f.low, f.high, f.p) for f in found] == [(0, 0, 0, 1)] * 2


values = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=9)


@given(values, values, st.randoms())
def test_the_order_of_items_does_not_matter(
    first: list[float], second: list[float], drawn: random.Random
) -> None:
    """Items are matched by id: shuffled runs differ as much, as significantly."""
    size = min(len(first), len(second))
    one, two = runs(first[:size], second[:size])
    shuffled = [replace(r, items=tuple(drawn.sample(r.items, size))) for r in (one, two)]
    plain, mixed = (compare(*pair, sampling=FEW).differences[0] for pair in ((one, two), shuffled))
    assert mixed.p == plain.p
    assert mixed.difference == pytest.approx(plain.difference)
    assert (mixed.wins, mixed.losses) == (plain.wins, plain.losses)


@given(values, values)
def test_exchanged_runs_differ_the_other_way(first: list[float], second: list[float]) -> None:
    """Comparing B with A turns the sign, the wins and the losses, and keeps p."""
    size = min(len(first), len(second))
    one, two = runs(first[:size], second[:size])
    there, back = (compare(*pair, sampling=FEW).differences[0] for pair in ((one, two), (two, one)))
    assert back.difference == pytest.approx(-there.difference) and back.p == there.p
    assert (back.wins, back.losses) == (there.losses, there.wins)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"suite": "other"}, "different suites"),
        ({"kind": "claims"}, "different kinds"),
        ({"dataset": {"sha256": "cd" * 32}}, "different data"),
        ({"limit": 5}, "different limits"),
        ({"finished": None}, "not finished"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(
    changed: dict[str, object], told: str
) -> None:
    """One line says why, and what compares their shared items nevertheless."""
    first, second = runs([1, 0], [1, 0])
    other = Run(Path("other"), made_runs.manifest(**changed), second.items, ())
    with pytest.raises(ConfigError, match=told) as caught:
        compare(first, other, sampling=FEW)
    assert "--shared" in str(caught.value) and "\n" not in str(caught.value)
    assert compare(first, other, shared=True, sampling=FEW).shared == 2


def test_runs_without_a_shared_item_are_refused() -> None:
    """There is nothing to compare."""
    with pytest.raises(ConfigError, match="share no item"):
        compare(run([item("a", {RECALL: 1})]), run([item("b", {RECALL: 1})]), shared=True)


def test_an_id_twice_is_refused() -> None:
    """Which of two items of one id would count?"""
    twice = run([item("a", {RECALL: 1}), item("a", {RECALL: 0})])
    with pytest.raises(ConfigError, match="twice"):
        compare(twice, twice)


@pytest.mark.parametrize("metric", ["nothing", "token F1"])
def test_a_metric_that_is_not_there_is_refused(metric: str) -> None:
    """Whether it is to be compared or to fail."""
    pair = runs([1, 0], [1, 1])
    with pytest.raises(ConfigError, match=metric):
        compare(*pair, metrics=[metric], sampling=FEW)
    with pytest.raises(ConfigError, match=metric):
        worse(compare(*pair, sampling=FEW), [metric])


def test_what_differs_between_the_runs_is_told() -> None:
    """A setting that changed is named with both values."""
    first, second = runs([1], [1])
    second = replace(second, manifest=made_runs.manifest(config={"k": 9}))
    (setting,) = compare(first, second, sampling=FEW).settings
    assert (setting.name, setting.first, setting.second) == ("config: k", "5", "9")


def test_the_page_of_a_comparison_escapes_what_answers_say() -> None:
    """No tag of an answer is one of the page, nor of the Markdown."""
    first, second = runs([1, 0], [0, 1])
    hostile = "<script>alert(1)</script>"
    second = replace(second, items=tuple(replace(i, answer=hostile) for i in second.items))
    comparison = compare(first, second, sampling=FEW)
    page = html(comparison)
    assert hostile not in page and "&lt;script&gt;alert(1)" in page
    assert "<script>" not in markdown(comparison)


# -- chance ------------------------------------------------------------------------------

PARAGRAPHS, QUESTIONS = 240, 5
"""As in XQuAD: 1,190 questions over 240 paragraphs."""


def simulated(seed: int, loss: float) -> Comparison:
    """Compare two runs of 1,200 questions, with churn, the second worse by `loss`.

    Questions of a paragraph are alike in how hard they are. Between the runs 2% of the answers
    turn right and 2% wrong for no reason; besides, right ones are lost so that the mean falls by
    `loss`. Two further metrics only churn.
    """
    drawn = random.Random(seed)
    first: list[Item] = []
    second: list[Item] = []
    for paragraph in range(PARAGRAPHS):
        easy = min(max(drawn.gauss(0.75, 0.15), 0), 1)
        for question in range(QUESTIONS):
            mine, other = {}, {}
            for metric in ("gold contained", RECALL, "citation precision"):
                right = drawn.random() < easy
                lost = loss / 0.75 if metric == "gold contained" else 0.0
                turns = 0.02 + lost if right else 0.02 * 0.75 / 0.25
                mine[metric] = float(right)
                other[metric] = float(right != (drawn.random() < turns))
            identity = f"{paragraph}-{question}"
            first.append(item(identity, mine, cluster=str(paragraph)))
            second.append(item(identity, other, cluster=str(paragraph)))
    return compare(run(first), run(second), sampling=replace(FEW, seed=seed))


@pytest.mark.slow
def test_a_planted_regression_of_five_points_is_caught_in_every_run() -> None:
    """Fifty simulated pairs of runs, each five points worse in one of three metrics."""
    found = [worse(simulated(seed, 0.05), ["gold contained"]) for seed in range(50)]
    assert all(found)


@pytest.mark.slow
def test_a_null_change_is_no_finding_but_for_the_share_that_holm_promises() -> None:
    """Fifty pairs that only churn: at most .05 of them may tell any metric apart, 2 of 50."""
    found = [
        any(each.outcome != "same" for each in simulated(1_000 + seed, 0.0).differences)
        for seed in range(50)
    ]
    assert sum(found) <= 2
