"""The tools: plain functions from bounded arguments to JSON values, over one index."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.answerer import Answerer
from rag.build import event_responder, open_answerer
from rag.checking import Checker
from rag.config import Config
from rag.dialogue import replied
from rag.errors import ConfigError
from rag.excerpts import Listed, excerpt, find, listed
from rag.mcp.arguments import (
    MOST_TEXT,
    AskArguments,
    CheckArguments,
    OpenArguments,
    SearchArguments,
)
from rag.stopping import stoppable
from rag.store import DATABASE, index_path, require_index
from rag.types import Asking
from rag.views import Json, answer_view, checked_view, hit_view, search_view

Stop = Callable[[], bool]
"""Tells whether nobody waits for the result any more."""

# A document is read whole, or opened in parts.
MOST_RESOURCE = 1_000_000
MOST_SOURCES = 1_000_000
PAGE = 100
# How an answer came about is of no use to a model that reads it.
UNTOLD = ("trace", "timings", "asked")


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open index, and which file it was: one made anew under its name is another."""

    file: tuple[int, int]
    answerer: Answerer
    checker: Checker


class Toolbox:
    """The tools over one index; safe to share between threads."""

    def __init__(self, config: Config, index: str) -> None:
        """Take the settings and the index; models are loaded when they are first needed.

        Raises:
            ConfigError, IndexNotFound: see `rag.errors`.
        """
        self.index = index
        self._config = config
        self._path = index_path(config.index_dir, index)
        require_index(self._path)
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def search(self, given: SearchArguments, stop: Stop) -> Json:
        """Return the passages that answer a question, best first."""
        k, mode = given.k or self._config.k, self._config.mode
        retriever = self._open().answerer.retriever
        return search_view(retriever.search(given.question, k, mode, given.filters()).hits)

    def ask(self, given: AskArguments, stop: Stop) -> Json:
        """Return an answer whose every sentence is quoted, or one that abstains."""
        answerer = stoppable(self._open().answerer, stop)
        options: dict[str, Any] = {"filters": given.filters()}
        if given.strictness is not None:
            options["asking"] = Asking(given.strictness, self._config.quote_only)
        replying = event_responder(answerer, **options)(given.question, [])
        view = answer_view(replied(replying).answer)
        return {name: value for name, value in view.items() if name not in UNTOLD}

    def check(self, given: CheckArguments, stop: Stop) -> Json:
        """Return whether sources support a claim, with the words that decide.

        Evidence counts its sources from 0: into those given, else into `passages`.
        """
        opened, sources, passages = self._open(), given.sources, list[Json]()
        if sources is None:
            retriever = opened.answerer.retriever
            found = retriever.search(given.claim, self._config.k, self._config.mode).hits
            sources = [hit.passage.text for hit in found]
            passages = [hit_view(hit) for hit in found]
        if (total := sum(map(len, sources))) > MOST_SOURCES:
            raise ConfigError(
                f"the sources have {total:,} characters; expected at most {MOST_SOURCES:,}"
            )
        view = checked_view(opened.checker.check(given.claim, sources), None)
        return {name: value for name, value in view.items() if name != "id"} | {
            "passages": passages
        }

    def open_source(self, given: OpenArguments, stop: Stop) -> Json:
        """Return a document's text around a span, with its offsets."""
        document = find(self._open().answerer.retriever.store, given.document)
        if given.end is None:
            found = excerpt(document, given.start, given.start + MOST_TEXT, 0, MOST_TEXT)
        else:
            found = excerpt(document, given.start, given.end, given.around, MOST_TEXT)
        return {
            "document_id": document.id,
            "source": document.source,
            "title": document.title,
            "language": document.language,
            "page": found.page,
            "unit": document.unit,
            "start": found.start,
            "end": found.end,
            "length": len(document.text),
            "text": found.text,
        }

    def documents(self, after: str) -> Sequence[Listed]:
        """Return at most `PAGE` documents in the order of their ids, those after one."""
        return listed(self._open().answerer.retriever.store, after, PAGE)

    def text(self, name: str) -> str:
        """Return a document's whole text.

        Raises:
            ConfigError: there is none of that id, or it is longer than `MOST_RESOURCE`.
        """
        document = find(self._open().answerer.retriever.store, name)
        if len(document.text) > MOST_RESOURCE:
            raise ConfigError(
                f"the document has {len(document.text):,} characters; expected at most"
                f" {MOST_RESOURCE:,}: read it in parts with open_source"
            )
        return document.text

    def _open(self) -> _Opened:
        with self._lock:  # two calls at once must not both load the models
            require_index(self._path)
            status = os.stat(self._path / DATABASE)
            file = status.st_dev, status.st_ino
            if self._opened is None or self._opened.file != file:
                answerer = open_answerer(self._config, self.index)
                self._opened = _Opened(file, answerer, Checker(answerer.retriever.embedder))
            return self._opened
