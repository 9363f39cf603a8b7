"""The options that commands share, in groups: a group is a dataclass, each field an option.

A command takes groups as parameters, and `spread` makes one option of every field. None stands
for what was not given, so that the environment, rag.toml and the defaults count (`rag.config`).
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from typer import Option

from rag.config import Config, load_config
from rag.errors import ConfigError
from rag.types import Filters, Mode

Command = Callable[..., int | None]

_DOCS = {field.name: field.metadata["doc"] for field in dataclasses.fields(Config)}


def _option(name: str, *flags: str, metavar: str | None = None) -> Any:
    """Return the option of a setting, with the help text of `rag.config.Config`."""
    return Option(*flags, help=_DOCS[name], metavar=metavar)


@dataclass(frozen=True, slots=True)
class Common:
    """What every command takes."""

    index: Annotated[str, Option(metavar="NAME", help="index to use")] = "default"
    index_dir: Annotated[Path | None, _option("index_dir", metavar="DIR")] = None
    json: Annotated[bool, Option("--json", help="print one line of JSON, nothing else")] = False
    events: Annotated[
        bool, Option("--events", help="tell progress as lines of JSON on standard error")
    ] = False


@dataclass(frozen=True, slots=True)
class Models:
    """Which models are used, and where they come from and run."""

    embedder: Annotated[str | None, _option("embedder", metavar="NAME")] = None
    generator: Annotated[str | None, _option("generator", metavar="NAME")] = None
    verifier: Annotated[str | None, _option("verifier", metavar="NAME")] = None
    device: Annotated[str | None, _option("device", metavar="DEVICE")] = None
    model_dir: Annotated[Path | None, _option("model_dir", metavar="DIR")] = None
    offline: Annotated[bool | None, _option("offline", "--offline/--no-offline")] = None


@dataclass(frozen=True, slots=True)
class Chunks:
    """How documents are cut into passages."""

    passage_tokens: Annotated[int | None, _option("passage_tokens", metavar="N")] = None
    overlap_tokens: Annotated[int | None, _option("overlap_tokens", metavar="N")] = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """How passages are ranked, and how many are taken."""

    k: Annotated[int | None, _option("k", "-k", metavar="N")] = None
    mode: Annotated[Mode | None, _option("mode")] = None


@dataclass(frozen=True, slots=True)
class Answering:
    """How sure an answer has to be, and whether anything but quotes may be in it."""

    strictness: Annotated[float | None, _option("strictness", metavar="0..1")] = None
    quote_only: Annotated[bool | None, _option("quote_only", "--quote-only/--no-quote-only")] = None


@dataclass(frozen=True, slots=True)
class Running:
    """How suites are run."""

    data: Annotated[
        Path | None,
        Option(metavar="DIR", help="folder of the public data sets (or RAG_TEST_DATA)"),
    ] = None
    limit: Annotated[
        int | None, Option(metavar="N", min=1, help="so many items, drawn by the seed")
    ] = None
    seed: Annotated[int, Option(min=0, help="of the draw and of the intervals")] = 0
    out: Annotated[
        Path | None, Option(metavar="DIR", help="run folder; by default evals/runs/TIME-SUITE")
    ] = None
    resume: Annotated[
        bool, Option("--resume", help="go on with the run of that folder, or the last one stopped")
    ] = False
    jobs: Annotated[
        int, Option(metavar="N", min=1, max=8, help="items at a time; times are honest with 1")
    ] = 1
    cache: Annotated[
        Path | None, Option(metavar="DIR", help="what was made before; by default the user's cache")
    ] = None
    no_cache: Annotated[bool, Option("--no-cache", help="make every item anew")] = False
    config: Annotated[Path | None, Option(metavar="FILE", help="settings, instead of rag.toml")] = (
        None
    )


@dataclass(frozen=True, slots=True)
class Filtering:
    """Which passages may be found: every filter given must hold."""

    source: Annotated[str | None, Option(metavar="GLOB", help="only sources that match")] = None
    title: Annotated[str | None, Option(help="only titles that hold this text")] = None
    language: Annotated[str | None, Option(metavar="CODE", help="only this language (en)")] = None
    since: Annotated[str | None, Option(metavar="DATE", help="only this date and later")] = None
    until: Annotated[str | None, Option(metavar="DATE", help="only this date and before")] = None
    metadata: Annotated[
        list[str] | None,
        Option(metavar="KEY=VALUE", help="only with this metadata; may be given several times"),
    ] = None

    def filters(self) -> Filters:
        """Return the filters.

        Raises:
            ConfigError: a date is none, or metadata is not KEY=VALUE.
        """
        return Filters(
            source=self.source,
            title=self.title,
            language=self.language,
            since=_date("since", self.since),
            until=_date("until", self.until),
            metadata=dict(_pair(given) for given in self.metadata or ()),
        )


def _date(name: str, given: str | None) -> str | None:
    try:
        return given and date.fromisoformat(given).isoformat()
    except ValueError:
        raise ConfigError(f"--{name} is {given!r}; expected a date such as 2024-12-31") from None


def _pair(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not key or not equals:
        raise ConfigError(f"--metadata is {given!r}; expected KEY=VALUE")
    return key, value


def settings(*groups: object, file: Path | None = None) -> Config:
    """Return the settings in force when these options are given; raises what load_config does.

    Args:
        file: what stands for rag.toml.
    """
    return load_config(overrides(*groups), file=file)


def overrides(*groups: object) -> dict[str, object]:
    """Return the settings that these options give; None where one was not given."""
    return {
        field.name: getattr(group, field.name)
        for group in groups
        for field in dataclasses.fields(group)  # type: ignore[arg-type]
        if field.name in _DOCS
    }


def spread(command: Command) -> Command:
    """Return the command with every group of options replaced by the options themselves."""
    signature = inspect.signature(command)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if dataclasses.is_dataclass(parameter.annotation)
    }

    def run(**values: Any) -> int | None:
        for name, group in groups.items():
            names = [field.name for field in dataclasses.fields(group)]
            values[name] = group(**{field: values.pop(field) for field in names})
        return command(**values)

    parameters = list(_spread(signature.parameters.values()))
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _spread(parameters: Any) -> Iterator[inspect.Parameter]:
    for parameter in parameters:
        if not dataclasses.is_dataclass(parameter.annotation):
            yield parameter.replace(kind=parameter.KEYWORD_ONLY)
            continue
        hints = get_type_hints(parameter.annotation, include_extras=True)
        for field in dataclasses.fields(parameter.annotation):
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=hints[field.name],
            )
