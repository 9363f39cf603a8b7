"""`rag keys`: who may use the service; and `rag feedback`: what they thought of its answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from rag.console import Printer, print_json, print_view
from rag.errors import ConfigError
from rag.options import Common, settings, spread
from rag.views import Json

if TYPE_CHECKING:
    from api.database import ServiceDatabase
    from api.keys import Key, Scope

keys_app = typer.Typer(rich_markup_mode=None, help="Make, list and revoke keys of the service.")
feedback_app = typer.Typer(rich_markup_mode=None, help="Export what people thought of answers.")


def _database(common: Common) -> "ServiceDatabase":
    from api.database import DATABASE, ServiceDatabase

    return ServiceDatabase(settings(common).index_dir / DATABASE)


@keys_app.command("create")
@spread
def keys_create(
    common: Common,
    name: Annotated[str, Argument(help="for whom or what it is")],
    scope: Annotated[
        list[str] | None, Option(help="read, write or admin; may be given several times")
    ] = None,
    collection: Annotated[
        list[str] | None, Option(metavar="NAME", help="only these; may be given several times")
    ] = None,
) -> int:
    """Make a key and print it: once, it is stored nowhere. By default it may read everything."""
    from api.keys import Keys

    scopes = [_scope(given) for given in scope or ["read"]]
    with_names = list(collection) if collection else None
    key, token = Keys(_database(common)).create(name, scopes, with_names)
    print_view({**_view(key), "key": token}, common.json, Printer.table)
    return 0


def _scope(given: str) -> "Scope":
    from api.keys import Scope

    try:
        return Scope(given)
    except ValueError:
        raise ConfigError(f"--scope is {given!r}; expected read, write or admin") from None


@keys_app.command("list")
@spread
def keys_list(common: Common) -> int:
    """List the keys, the revoked too; no secret is shown."""
    from api.keys import Keys

    view = {"keys": [_view(key) for key in Keys(_database(common)).all()]}
    print_view(view, common.json, Printer.keys)
    return 0


@keys_app.command("revoke")
@spread
def keys_revoke(
    common: Common, key_id: Annotated[str, Argument(metavar="ID", help="as 'rag keys list' shows")]
) -> int:
    """Revoke a key; a server that runs refuses it from then on."""
    from api.keys import Keys

    print_view(_view(Keys(_database(common)).revoke(key_id)), common.json, Printer.table)
    return 0


def _view(key: "Key") -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "collections": None if key.collections is None else sorted(key.collections),
        "created": key.created,
        "revoked": key.revoked,
    }


@feedback_app.command("export")
@spread
def feedback_export(
    common: Common,
    collection: Annotated[str | None, Option(metavar="NAME", help="only of this one")] = None,
    raw: Annotated[bool, Option("--raw", help="all that was given, not only cases")] = False,
    out: Annotated[Path | None, Option(metavar="FILE", help="instead of standard output")] = None,
) -> int:
    """Print feedback as questions to evaluate with, a line of JSON each."""
    from api.feedback import Feedback, cases
    from rag.console import json_line

    entries = Feedback(_database(common)).entries(collection)
    found = entries if raw else list(cases(entries))
    if out is None:
        for each in found:
            print_json(each)
        return 0
    try:
        out.write_text("".join(json_line(each) + "\n" for each in found), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out} can not be written: {error.strerror}") from error
    return 0
