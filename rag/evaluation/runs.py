"""The folder that a run leaves: what was run, an item a line, and the figures.

    manifest.json   Manifest
    items.jsonl     an Item a line, in the order of the data set
    metrics.json    a list of Figures

Items are appended and flushed one by one, so that a run that is killed loses the one it was at.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rag.errors import ConfigError

MANIFEST, ITEMS, METRICS = "manifest.json", "items.jsonl", "metrics.json"
KINDS = ("retrieval", "answers", "claims", "audit")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was run, with what, and how to run it again.

    Attributes:
        run: name of the folder, TIME-SUITE.
        kind: one of KINDS.
        command: what makes the run again.
        started, finished: ISO 8601, UTC; `finished` is None while the run is not complete.
        limit: how many items were drawn of the data set; None is all.
        dataset: name, licence, items, sha256.
        models: role to "name@hash".
        index: name, version, documents, passages; None where a suite brings its own documents.
        versions: rag, code, python, torch …
    """

    run: str
    suite: str
    kind: str
    command: str
    started: str
    finished: str | None
    seed: int
    limit: int | None
    dataset: Mapping[str, object]
    models: Mapping[str, str]
    config: Mapping[str, object]
    index: Mapping[str, object] | None
    versions: Mapping[str, str]
    hardware: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Source:
    """What was cited or given: text[start:end] is the quote or the evidence, the rest around it."""

    source: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A claim as a report shows it; `gold` is the right verdict where a data set has one."""

    text: str
    verdict: str
    score: float
    sources: tuple[Source, ...]
    gold: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What came of one case.

    Attributes:
        id: unique in the run, the same in every run of the suite.
        cluster: what is drawn together (question, paragraph, document).
        type: of the question, or part of the data ("unanswerable", "number", "copied").
        values: metric to value of this item; a metric that does not apply is left out.
        columns: what metrics of a whole set are computed from (gold 0 or 1, score …).
        seconds: by stage.
        cost: tokens in, tokens out …
        gold: answers that would be right.
    """

    id: str
    cluster: str
    lang: str
    type: str
    values: Mapping[str, float]
    columns: Mapping[str, float]
    seconds: Mapping[str, float]
    cost: Mapping[str, float]
    question: str
    answer: str
    gold: tuple[str, ...]
    claims: tuple[ShownClaim, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with its 95% interval.

    Attributes:
        system: "product", a baseline ("quote-only") or a floor ("floor: lexical overlap").
        part: {} for all items, else {"lang": "zh"} or {"type": "number"}.
        n: items that it was computed from.
    """

    metric: str
    system: str
    part: Mapping[str, str]
    value: float
    low: float
    high: float
    n: int
    higher_is_better: bool


def read_manifest(folder: Path) -> Manifest:
    """Return what a run folder says of itself.

    Raises:
        ConfigError: the folder holds no run, or what it holds can not be read.
    """
    value = _read(folder / MANIFEST)
    try:
        return Manifest(**value)
    except TypeError as error:
        raise ConfigError(f"{folder / MANIFEST} is no manifest of a run: {error}") from None


def read_items(folder: Path) -> list[Item]:
    """Return the items of a run, in order; a torn last line is left out.

    Raises:
        ConfigError: there are none, or a line is not an item; names the line.
    """
    path = folder / ITEMS
    try:
        return list(_items(path, path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}; expected a run") from None


def read_figures(folder: Path) -> list[Figure]:
    """Return the figures of a run; raises ConfigError where there are none."""
    path = folder / METRICS
    try:
        return [Figure(**value) for value in _read(path)]
    except TypeError as error:
        raise ConfigError(f"{path} does not hold figures: {error}; run the suite again") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    _write(folder / MANIFEST, asdict(manifest))


def write_figures(folder: Path, figures: Sequence[Figure]) -> None:
    """Write the figures, whole or not at all."""
    _write(folder / METRICS, [asdict(figure) for figure in figures])


def item_line(item: Item) -> str:
    """Return an item as one line of JSON, without its end."""
    return json.dumps(asdict(item), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_item(line: str | bytes) -> Item:
    """Return the item that a line holds; ValueError, KeyError or TypeError where it holds none."""
    value = json.loads(line)
    claims = tuple(
        ShownClaim(**claim | {"sources": tuple(Source(**source) for source in claim["sources"])})
        for claim in value["claims"]
    )
    return Item(**value | {"gold": tuple(value["gold"]), "claims": claims})


class ItemLog:
    """The items of a run, on disk as soon as they are appended; a context manager."""

    def __init__(self, folder: Path) -> None:
        """Open the log, with the items that it holds; a torn last line is dropped.

        Raises:
            ConfigError: a line before the last is not an item.
        """
        path = folder / ITEMS
        found = path.read_bytes() if path.exists() else b""
        self.items = list(_items(path, found))
        whole = found.rfind(b"\n") + 1
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(whole)
        self._file.seek(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, item: Item) -> None:
        """Write an item behind the others."""
        self._file.write(item_line(item).encode("utf-8") + b"\n")
        self._file.flush()
        self.items.append(item)


def begin(folder: Path, manifest: Manifest, *, resume: bool) -> Manifest:
    """Make the folder of a run, or find the one to go on with; return the manifest in force.

    Raises:
        ConfigError: the folder holds a run already and is not to be resumed, or that is another
            run: of other data, settings, models, code or seed.
    """
    path = folder / MANIFEST
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"{folder} is not empty and holds no run; name another --out")
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(folder, manifest)
        return manifest
    if not resume:
        raise ConfigError(f"{folder} holds a run already; go on with it by --resume")
    there = read_manifest(folder)
    if (differs := difference(there, manifest)) is not None:
        raise ConfigError(f"{folder} can not be resumed: {differs}; name another --out")
    return replace(there, finished=None)


def difference(first: Manifest, second: Manifest) -> str | None:
    """Return in words what keeps two runs from being parts of one, None where nothing does."""
    one, other = _plain(first), _plain(second)
    for name in ("suite", "kind", "seed", "limit", "dataset", "models", "config", "index"):
        if one[name] != other[name]:
            return f"its {name} was {_short(one[name], other[name])}"
    if one["versions"].get("code") != other["versions"].get("code"):
        return "it was made by other code"
    return None


def _short(there: Any, now: Any) -> str:
    if isinstance(there, dict) and isinstance(now, dict):
        keys = [key for key in {**there, **now} if there.get(key) != now.get(key)]
        there, now = ({key: side.get(key) for key in keys} for side in (there, now))
    return f"{json.dumps(there, ensure_ascii=False)}, now {json.dumps(now, ensure_ascii=False)}"


def _plain(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as JSON gives it back."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(manifest)))
    return found


def _items(path: Path, content: bytes) -> Iterator[Item]:
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            yield parse_item(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number} is not an item of a run: {error}") from None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror
        raise ConfigError(
            f"{path} can not be read: {reason}; expected the folder of a run"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON ({error}); run the suite again") from None


def _write(path: Path, value: object) -> None:
    new = path.with_suffix(".new")
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    new.write_text(text + "\n", encoding="utf-8")
    os.replace(new, path)
