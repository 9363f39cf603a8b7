"""A metric over runs, and a suite under many settings with a runner that is made up."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Config, load_config
from rag.errors import ConfigError
from rag.evaluation.history import Wanted, history, plot, svg
from rag.evaluation.pareto import Choice, front
from rag.evaluation.sweep import Combination, combinations, sweep, tried
from tests.evaluation.made_runs import item, written

CONTAINED = "gold contained"


def made(folder: Path, share: float, seconds: float = 1.0, **changed: object) -> Path:
    """Write a run of ten items of which a share is right."""
    items = [
        item(f"q{n}", {CONTAINED: float(n < 10 * share)}, seconds={"total": seconds})
        for n in range(10)
    ]
    return written(folder, items, **changed).folder


def test_history_is_in_the_order_of_time(tmp_path: Path) -> None:
    """Runs come by when they were started, whatever their folders are called."""
    made(tmp_path / "b", 0.8, started="2026-01-01T00:00:00Z")
    made(tmp_path / "a", 0.6, started="2026-02-01T00:00:00Z")
    found = history(tmp_path, Wanted(CONTAINED))
    assert [moment.figure.value for moment in found] == [0.8, 0.6]
    assert all(moment.same_data for moment in found)
    assert str(svg(found)).count("<circle") == 2


def test_history_says_where_the_data_changed(tmp_path: Path) -> None:
    """A figure over other data is no successor of the one before."""
    made(tmp_path / "a", 0.8, started="2026-01-01T00:00:00Z")
    made(tmp_path / "b", 0.8, started="2026-02-01T00:00:00Z", dataset={"sha256": "other"})
    assert [moment.same_data for moment in history(tmp_path, Wanted(CONTAINED))] == [True, False]


def test_history_passes_over_runs_that_are_not_finished(tmp_path: Path) -> None:
    """They have no figures to be followed."""
    made(tmp_path / "a", 0.8)
    made(tmp_path / "b", 0.1, finished=None)
    assert [moment.manifest.run for moment in history(tmp_path, Wanted(CONTAINED))] == ["a"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("no metric"), "gold contained"),
        (Wanted(CONTAINED), "name one with --suite"),
        (Wanted(CONTAINED, suite="third"), "third"),
        (Wanted(CONTAINED, system="quote-only"), "quote-only"),
    ],
)
def test_history_of_nothing_is_refused(tmp_path: Path, wanted: Wanted, told: str) -> None:
    """The message says what there is."""
    made(tmp_path / "a", 0.8)
    made(tmp_path / "b", 0.8, suite="other")
    with pytest.raises(ConfigError, match=told):
        history(tmp_path, wanted)


def test_history_of_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """There is no run in it."""
    with pytest.raises(ConfigError, match="no finished run"):
        history(tmp_path, Wanted(CONTAINED))


def test_a_plot_has_all_runs_on_one_scale(tmp_path: Path) -> None:
    """The better run's point stands further to the right."""
    made(tmp_path / "a", 0.2, started="2026-01-01T00:00:00Z")
    made(tmp_path / "b", 0.9, started="2026-02-01T00:00:00Z")
    first, second = plot(history(tmp_path, Wanted(CONTAINED)), width=20)
    assert len(first) == len(second) == 20 and first.index("●") < second.index("●")


def test_the_front_worked_by_hand() -> None:
    """Slower and no better, or worse and no faster, is dominated; equal choices stay both."""
    choices = [
        Choice("best", 0.9, 3.0),
        Choice("fast", 0.5, 1.0),
        Choice("as good, slower", 0.9, 4.0),
        Choice("as fast, worse", 0.4, 1.0),
        Choice("between", 0.7, 2.0),
        Choice("between, again", 0.7, 2.0),
        Choice("worse and slower", 0.6, 2.5),
    ]
    assert front(choices) == [True, True, False, False, True, True, False]


points = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@given(points)
def test_the_front_is_never_empty_and_dominates_the_rest(pairs: list[tuple[int, int]]) -> None:
    """Each choice that is not on it is no better than one that is, in both."""
    choices = [Choice(str(n), float(q), float(s)) for n, (q, s) in enumerate(pairs)]
    best = [choice for choice, on in zip(choices, front(choices), strict=True) if on]
    assert best
    for choice in choices:
        assert any(o.quality >= choice.quality and o.seconds <= choice.seconds for o in best)


def load(given: Mapping[str, str]) -> Config:
    """Return the defaults with what a combination sets."""
    return load_config(given, environ={}, folder=Path("/nowhere"))


def test_combinations_are_all_of_them_in_order() -> None:
    """The last setting turns fastest; values have the types of the settings."""
    found = combinations(["k=3,5", "quote-only=yes,no"], load)
    assert [one.name for one in found] == [
        "k=3,quote_only=yes",
        "k=3,quote_only=no",
        "k=5,quote_only=yes",
        "k=5,quote_only=no",
    ]
    assert [(one.config.k, one.config.quote_only) for one in found[1:3]] == [(3, False), (5, True)]


def test_folders_of_combinations_are_told_apart() -> None:
    """Names with slashes are no paths, and those that become alike differ still."""
    found = combinations(["embedder=a/b,a_b"], load)
    names = [one.name for one in found]
    assert len(set(names)) == 2 and not any("/" in name for name in names)


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (["k"], "no setting to sweep"),
        (["k=3,,5"], "no setting to sweep"),
        (["speed=1,2"], "can not be swept"),
        (["index_dir=a,b"], "can not be swept"),
        (["k=3", "k=5"], "twice"),
        (["k=3,3"], "twice"),
        (["k=3,many"], "many"),
        (["k=" + ",".join(map(str, range(1, 100))), "evidence=1,2,3"], "too many"),
        ([], "nothing to sweep"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(grid: list[str], told: str) -> None:
    """Before anything is run, in one line."""
    with pytest.raises(ConfigError, match=told):
        combinations(grid, load)


class FakeRunner:
    """A runner for which more passages are better and slower; it can be made to stop."""

    def __init__(self, most: int = 100) -> None:
        self.ran: list[str] = []
        self._most = most

    def __call__(self, suite: str, *, config: Config, folder: Path) -> Path:
        """Write the run that the settings would give."""
        if len(self.ran) == self._most:
            raise KeyboardInterrupt
        self.ran.append(folder.name)
        better = {1: 0.5, 3: 0.8, 5: 0.8, 9: 0.9}[config.k]
        return made(folder, better, seconds=config.k / 10, suite=suite)


def test_a_sweep_tells_which_combinations_are_worth_their_time(tmp_path: Path) -> None:
    """Five passages are no better than three and take longer; the others are on the front."""
    chosen = combinations(["k=1,3,5,9"], load)
    found = tried(chosen, sweep("made", chosen, tmp_path, FakeRunner()))
    assert [each.best for each in found] == [True, True, False, True]
    assert [each.seconds for each in found] == [0.1, 0.3, 0.5, 0.9]
    assert found[0].figure.metric == CONTAINED


def test_a_sweep_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What is finished is not run again."""
    chosen = combinations(["k=1,3,5,9"], load)
    first, second = FakeRunner(most=2), FakeRunner()
    with pytest.raises(KeyboardInterrupt):
        sweep("made", chosen, tmp_path, first)
    told: list[tuple[int, bool]] = []

    def tell(number: int, combination: Combination, there: bool) -> None:
        told.append((number, there))

    folders = sweep("made", chosen, tmp_path, second, tell)
    assert first.ran == ["k=1", "k=3"] and second.ran == ["k=5", "k=9"]
    assert told == [(1, True), (2, True), (3, False), (4, False)]
    assert [folder.name for folder in folders] == [one.name for one in chosen]


def test_a_sweep_over_runs_of_other_data_is_refused(tmp_path: Path) -> None:
    """Their qualities can not be weighed against each other."""
    chosen = combinations(["k=1,3"], load)
    folders = sweep("made", chosen, tmp_path, FakeRunner())
    made(folders[1], 0.9, dataset={"sha256": "other"})
    with pytest.raises(ConfigError, match="other data"):
        tried(chosen, folders)


def test_a_sweep_of_a_metric_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The message says which there are."""
    chosen = combinations(["k=1"], load)
    with pytest.raises(ConfigError, match=CONTAINED):
        tried(chosen, sweep("made", chosen, tmp_path, FakeRunner()), "nothing")
