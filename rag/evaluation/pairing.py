"""Two runs, item by item: may they be compared, which items do they share, what differs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rag.errors import ConfigError
from rag.evaluation.run_folder import Run
from rag.evaluation.runs import Item, Manifest


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that the two runs do not share; "" where one has no such thing."""

    name: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """The items of both runs, in the order of the first."""

    first: tuple[Item, ...]
    second: tuple[Item, ...]

    def only(self, has: Callable[[Item], bool]) -> "Pairs":
        """Return the pairs of which both items fit."""
        rows = [pair for pair in zip(self.first, self.second, strict=True) if all(map(has, pair))]
        return Pairs(tuple(first for first, _ in rows), tuple(second for _, second in rows))

    @property
    def clusters(self) -> list[str]:
        """Return the cluster of each pair."""
        return [item.cluster for item in self.first]


def check_same(first: Run, second: Run) -> None:
    """Raise ConfigError unless the runs are whole, and of one suite and its data."""
    remedy = "--shared compares the items that both have"
    for name in ("suite", "kind"):
        mine, other = getattr(first.manifest, name), getattr(second.manifest, name)
        if mine != other:
            raise ConfigError(f"the runs are of different {name}s, {mine} and {other}; {remedy}")
    mine, other = (run.manifest.dataset.get("sha256") for run in (first, second))
    if mine != other:
        told = " and ".join(str(each)[:12] for each in (mine, other))
        raise ConfigError(f"the runs are of different data, with SHA-256 {told}; {remedy}")
    if (one := first.manifest.limit) != (two := second.manifest.limit):
        raise ConfigError(f"the runs have different limits, {one} and {two}; {remedy}")
    for run in (first, second):
        if run.manifest.finished is None:
            raise ConfigError(f"{run.folder} is not finished: run it to its end; {remedy}")


def paired(first: Run, second: Run) -> Pairs:
    """Return the items that both runs have; ConfigError where there is none."""
    mine, other = _by_id(first), _by_id(second)
    both = [identity for identity in mine if identity in other]
    if not both:
        raise ConfigError(f"{first.folder} and {second.folder} share no item; nothing to compare")
    return Pairs(tuple(mine[one] for one in both), tuple(other[one] for one in both))


def _by_id(run: Run) -> dict[str, Item]:
    """Return the items by id, times and costs among their values, as figures name them."""
    found = {item.id: replace(item, values=_everything(item)) for item in run.items}
    if len(found) != len(run.items):
        raise ConfigError(f"{run.folder} has items of one id twice; expected each once")
    return found


def _everything(item: Item) -> dict[str, float]:
    seconds = {f"seconds, {stage}": value for stage, value in item.seconds.items()}
    return {**item.values, **seconds, **{f"cost, {name}": n for name, n in item.cost.items()}}


def settings(first: Manifest, second: Manifest) -> tuple[Setting, ...]:
    """Return what differs between two runs."""
    found = []
    for part in ("config", "models", "index", "versions", "hardware"):
        mine, other = (getattr(each, part) or {} for each in (first, second))
        for name in dict.fromkeys([*mine, *other]):
            one, two = (str(side.get(name, "")) for side in (mine, other))
            if one != two:
                found.append(Setting(f"{part}: {name}", one, two))
    return tuple(found)
