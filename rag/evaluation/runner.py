"""Run a suite: every case evaluated, written as it is done, measured at the end.

What an item depends on (case, documents, settings, models, code) is its key in the cache: what
has not changed is not made again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from rag.errors import ConfigError
from rag.evaluation import report
from rag.evaluation.answering import ask
from rag.evaluation.cases import (
    AnswerCase,
    Case,
    ClaimCase,
    Dataset,
    PairCase,
    QueryCase,
    World,
    digest,
    fields,
)
from rag.evaluation.claiming import ClaimChecker, check, compare
from rag.evaluation.figures import figures
from rag.evaluation.intervals import RESAMPLES
from rag.evaluation.retrieving import rank
from rag.evaluation.run_cache import ItemCache
from rag.evaluation.runs import (
    Figure,
    Item,
    ItemLog,
    Manifest,
    begin,
    read_figures,
    write_figures,
    write_manifest,
)
from rag.evaluation.worlds import Worlds

Told = Callable[[int, int], None]
"""Called with how many items are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What evaluates cases; a checker is needed for claims, worlds for all else.

    Attributes:
        cache: items made before; None makes every one.
        jobs: cases evaluated at a time. Times are honest with 1.
        resamples: of the bootstrap.
        warm: called before the first case that is really made, so that what loads with the first
            use of a model is not taken for the time of an item.
    """

    worlds: Worlds
    checker: ClaimChecker
    cache: ItemCache | None = None
    jobs: int = 1
    resamples: int = RESAMPLES
    warm: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to; `made` counts the items that were neither there nor in the cache."""

    folder: Path
    manifest: Manifest
    figures: Sequence[Figure]
    made: int


class Evaluation:
    """Turns the cases of a data set into items."""

    def __init__(self, dataset: Dataset[Any], manifest: Manifest, tools: Tools) -> None:
        """Take what every item depends on."""
        self._dataset = dataset
        self._tools = tools
        self._digests: dict[str, str] = {}
        self._fixed = digest(
            [
                manifest.kind,
                dict(manifest.config),
                dict(manifest.models),
                dict(manifest.index or {}),
                manifest.versions.get("code"),
            ]
        )
        self.made = 0

    def item(self, case: Case) -> Item:
        """Return the item of a case, from the cache if it is there."""
        cache = self._tools.cache
        if cache is None:
            return self._make(case)
        key = digest([self._fixed, type(case).__name__, fields(case), self._world_digest(case)])
        if (known := cache.get(key)) is not None:
            return known
        item = self._make(case)
        cache.put(key, item)
        return item

    def _world(self, case: AnswerCase | QueryCase) -> World | None:
        return self._dataset.worlds[case.world] if case.world else None

    def _world_digest(self, case: Case) -> str:
        name = getattr(case, "world", "")
        if name and name not in self._digests:
            self._digests[name] = self._dataset.worlds[name].digest
        return self._digests.get(name, "")

    def _make(self, case: Case) -> Item:
        if not self.made:
            self._tools.warm()
        self.made += 1
        match case:
            case AnswerCase():
                world = self._world(case)
                return ask(case, self._tools.worlds.open(world), _clean(case, world))
            case QueryCase():
                return rank(case, self._tools.worlds.open(self._world(case)))
            case ClaimCase():
                return check(case, self._tools.checker)
            case PairCase():
                return compare(case, self._tools.checker)
        raise ConfigError(f"cases of {type(case).__name__} can not be run")

    def items(self, cases: Sequence[Case]) -> Iterator[Item]:
        """Yield the items of cases in their order, several at a time made ahead."""
        if self._tools.jobs == 1:
            yield from map(self.item, cases)
            return
        with ThreadPoolExecutor(self._tools.jobs) as pool:
            waiting = iter(cases)
            running = [pool.submit(self.item, case) for case in islice(waiting, self._tools.jobs)]
            while running:
                item = running.pop(0).result()
                running += [pool.submit(self.item, case) for case in islice(waiting, 1)]
                yield item


def _clean(case: AnswerCase, world: World | None) -> str:
    """Return the documents of a world without what was planted in them."""
    if not case.planted or world is None:
        return ""
    return "\n\n".join(world.documents.values()).replace(case.planted, "")


def run(
    folder: Path,
    dataset: Dataset[Any],
    wanted: Manifest,
    tools: Tools,
    *,
    resume: bool = False,
    told: Told = lambda done, total: None,
) -> Outcome:
    """Run a suite into a folder, or go on with one that was stopped.

    Of a run that is complete the figures alone are made again. The same arguments give the same
    items and figures, but for times.

    Raises:
        ConfigError: the folder holds another run, or one that was not to be resumed.
    """
    manifest = begin(folder, wanted, resume=resume)
    cases = dataset.drawn(manifest.limit, manifest.seed)
    evaluation = Evaluation(dataset, manifest, tools)
    with ItemLog(folder) as log:
        done = {item.id for item in log.items}
        missing = [case for case in cases if case.id not in done]
        told(len(done), len(cases))
        for item in evaluation.items(missing):
            log.append(item)
            told(len(log.items), len(cases))
        items = list(log.items)
    found = figures(items, manifest.seed, tools.resamples)
    write_figures(folder, found)
    manifest = replace(manifest, finished=now())
    write_manifest(folder, manifest)
    report.write(folder)
    return Outcome(folder, manifest, read_figures(folder), evaluation.made)


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def stamp() -> str:
    """Return the time as it begins the name of a run: it sorts."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime())
