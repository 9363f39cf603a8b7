"""`rag models`: what models are known, where they are, and fetching them ahead of time."""

from typing import Annotated

import typer
from typer import Argument

from rag.config import SERVER, Config
from rag.console import Printer, print_view
from rag.options import Common, Models, settings, spread
from rag.progress import Reporter

models_app = typer.Typer(rich_markup_mode=None, help="List models, or fetch them ahead of time.")


@models_app.command("list")
@spread
def models_list(common: Common, models: Models) -> int:
    """List the models that need no hub, and which of them are here."""
    from rag.models import catalogue

    view = [
        {
            "name": entry.model.name,
            "kind": entry.model.kind.value,
            "licence": entry.model.licence,
            "languages": sorted(entry.model.languages),
            "megabytes": entry.megabytes,
            "origin": entry.origin,
            "path": str(entry.place) if entry.place else None,
        }
        for entry in catalogue(model_dir=settings(common, models).model_dir)
    ]
    print_view({"models": view}, common.json, Printer.models)
    return 0


@models_app.command("pull")
@spread
def models_pull(
    common: Common,
    models: Models,
    name: Annotated[str | None, Argument(help="by default, the models that are set")] = None,
) -> int:
    """Fetch models ahead of time."""
    config = settings(common, models)
    with Reporter(events=common.events) as reporter:
        names = [name] if name else wanted_models(config)
        pulled = [{"name": each, "path": fetch(each, config, reporter)} for each in names]
    print_view({"models": pulled}, common.json, Printer.models)
    return 0


@models_app.command("path")
@spread
def models_path(common: Common, models: Models, name: str) -> int:
    """Print the folder of a model, fetched if need be."""
    config = settings(common, models)
    with Reporter(events=common.events) as reporter:
        path = fetch(name, config, reporter)
    print_view({"name": name, "path": path}, common.json, Printer.path)
    return 0


def wanted_models(config: Config) -> list[str]:
    """Return the names of the models that are set and have weights to fetch."""
    from rag.build import FEATURES, HASH, LLM, NO_GENERATOR, OVERLAP

    names = (config.embedder, config.generator, config.verifier)
    without = (HASH, NO_GENERATOR, OVERLAP, FEATURES, LLM)
    return [name for name in names if name not in without and not name.startswith(SERVER)]


def fetch(name: str, config: Config, reporter: Reporter) -> str:
    from rag.models import resolve

    path = resolve(
        name, model_dir=config.model_dir, offline=config.offline, progress=reporter.fetch
    )
    return str(path.resolve())
