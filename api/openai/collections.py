"""Which models there are: a collection is one, "rag:NAME", and the embedding model another."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.collections import names
from api.engine import Engine
from api.openai.errors import UnknownModel
from rag.answerer import Answerer
from rag.errors import ConfigError
from rag.protocols import Embedder
from rag.store import DATABASE, index_path
from rag.views import Json

PREFIX = "rag:"
OWNER = "citable-rag"
# Of the collections that a message names.
NAMED = 10


@dataclass(frozen=True, slots=True)
class Collection:
    """An index that can be asked.

    Attributes:
        created: when its database was made or last changed, in seconds since 1970.
    """

    name: str
    created: int

    @property
    def model(self) -> str:
        """The name under which OpenAI's clients know it."""
        return PREFIX + self.name


def collections(engine: Engine) -> list[Collection]:
    """Return the collections that the caller may know of, the default one first."""
    found = [_collection(engine.config.index_dir, name) for name in names(engine.config.index_dir)]
    return sorted(found, key=lambda each: (each.name != engine.index, each.name))


def _collection(index_dir: Path, name: str) -> Collection:
    try:
        return Collection(name, int((index_path(index_dir, name) / DATABASE).stat().st_mtime))
    except OSError:
        return Collection(name, 0)  # it is just being deleted


def models(engine: Engine) -> list[Json]:
    """Return what /v1/models lists: the collections, then the model that embeds for them."""
    found = collections(engine)
    listed = [_model(each.model, each.created) for each in found]
    if found:
        listed.append(_model(engine.config.embedder, found[0].created))
    return listed


def _model(name: str, created: int) -> Json:
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER}


def model(engine: Engine, name: str) -> Json:
    """Return one of what /v1/models lists.

    Raises:
        UnknownModel: it is not among them.
    """
    listed = models(engine)
    for each in listed:
        if each["id"] == name:
            return each
    raise _unknown(name, (each["id"] for each in listed))


def asked(engine: Engine, name: str) -> tuple[str, Answerer]:
    """Return the collection that a model's name stands for, and what answers over it.

    Raises:
        UnknownModel: there is no such collection.
        what `Engine.answerer` raises.
    """
    found = collections(engine)
    if name not in {each.model for each in found}:
        raise _unknown(name, (each.model for each in found))
    collection = name.removeprefix(PREFIX)
    return collection, engine.answerer(collection)


def embedding(engine: Engine, name: str) -> Embedder:
    """Return what embeds for a collection, or the embedding model by its own name.

    Raises:
        UnknownModel: there is no such collection.
        ConfigError: the service searches by words alone.
        what `Engine.answerer` raises.
    """
    if name == engine.config.embedder:
        found = collections(engine)
        name = found[0].model if found else name
    _, answerer = asked(engine, name)
    if answerer.retriever.embedder is None:
        raise ConfigError("this service has no embedding model; expected one with mode hybrid")
    return answerer.retriever.embedder


def _unknown(name: str, known: Iterable[str]) -> UnknownModel:
    listed = list(known)
    some = ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")
    there = f"expected one of: {some}" if listed else "there is no collection yet"
    return UnknownModel(
        f"there is no model {name[:80]!r}; {there} (GET /v1/models lists them)", name
    )
