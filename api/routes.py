"""The routes. Those that work are plain functions, which FastAPI runs in threads."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import JSONResponse, Response

from api.engine import Engine
from api.errors import error_response
from api.schemas import (
    AnswerOut,
    AskIn,
    CheckedOut,
    ClaimIn,
    ClaimsIn,
    ErrorOut,
    ExplainedOut,
    QuestionIn,
    SearchOut,
    StatusOut,
)
from api.streaming import EventStream, answer_events
from rag.build import event_responder, explainer
from rag.dialogue import Reply, replied
from rag.retriever import check_question
from rag.stopping import stoppable
from rag.views import Json, answer_view, checked_view, explanation_view, search_view


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


UsedEngine = Annotated[Engine, Depends(_engine)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "no such index"},
    409: {"model": ErrorOut, "description": "the index was made with other models"},
    413: {"model": ErrorOut, "description": "the body is too large"},
    422: {"model": ErrorOut, "description": "the request is not usable as given"},
    500: {"model": ErrorOut, "description": "the index is damaged, or the server failed"},
    503: {"model": ErrorOut, "description": "the models are not available"},
}
router = APIRouter()
v1 = APIRouter(prefix="/v1", responses=_PROBLEMS)


@v1.post(
    "/ask",
    responses={200: {"model": AnswerOut | ExplainedOut, "content": {"text/event-stream": {}}}},
)
def ask(question: AskIn, engine: UsedEngine) -> Response:
    """Answer a question, each sentence with the quotes that support it.

    With `stream`, as server-sent events: `claim` as each becomes certain (claim, new citations,
    what it adds to the text), then `answer` (this response's body), or `error`.
    """
    answerer = engine.answerer(question.index)
    stopped = threading.Event()
    respond = event_responder(
        stoppable(answerer, stopped.is_set) if question.stream else answerer,
        k=question.k,
        mode=question.mode,
        filters=question.filters.filters(),
        asking=question.asking(engine.config),
    )
    explained = explainer(answerer) if question.explain else None

    def view(said: Reply) -> Json:
        shown = answer_view(said.answer, said.asked)
        return shown | explanation_view(explained(said.answer)) if explained else shown

    # What is wrong with the question is told by the status, streamed or not.
    asked = check_question(question.question)
    replying = respond(asked, [turn.turn() for turn in question.history])
    if question.stream:
        return EventStream(answer_events(replying, view), stopped)
    return JSONResponse(view(replied(replying)))


@v1.post("/search", responses={200: {"model": SearchOut}})
def search(question: QuestionIn, engine: UsedEngine) -> Response:
    """Find the passages that answer a question."""
    found = engine.answerer(question.index).retriever.search(
        question.question,
        question.k or engine.config.k,
        question.mode or engine.config.mode,
        question.filters.filters(),
    )
    return JSONResponse(search_view(found.hits))


@v1.post("/check", responses={200: {"model": CheckedOut | list[CheckedOut]}})
def check(given: Annotated[ClaimsIn, Body()], engine: UsedEngine) -> Response:
    """Check a claim against its sources, or each of a list; no index is needed."""
    checker = engine.checker()

    def view(item: ClaimIn) -> Json:
        return checked_view(checker.check(item.claim, item.sources), item.id)

    return JSONResponse([view(item) for item in given] if isinstance(given, list) else view(given))


@router.get("/livez", responses={200: {"model": StatusOut}})
async def livez() -> Response:
    """Tell that the server runs."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses={200: {"model": StatusOut}, 503: {"model": ErrorOut}})
def readyz(engine: UsedEngine) -> Response:
    """Tell whether questions can be answered, and if not, what is missing."""
    missing = engine.missing()
    if missing is not None:
        return error_response(503, "not_ready", missing)
    return JSONResponse({"status": "ready"})
