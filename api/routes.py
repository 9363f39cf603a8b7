"""The routes. Those that work are plain functions, which FastAPI runs in threads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from api.engine import Engine
from api.errors import error_response
from api.schemas import (
    AnswerOut,
    AskIn,
    ErrorOut,
    ExplainedOut,
    QuestionIn,
    SearchOut,
    StatusOut,
)
from rag.build import explainer, responder
from rag.views import answer_view, explanation_view, search_view


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


@v1.post("/ask", responses={200: {"model": AnswerOut | ExplainedOut}})
def ask(question: AskIn, engine: UsedEngine) -> Response:
    """Answer a question, each sentence with the quotes that support it."""
    answerer = engine.answerer(question.index)
    respond = responder(
        answerer, k=question.k, mode=question.mode, filters=question.filters.filters()
    )
    explained = explainer(answerer) if question.explain else None
    said = respond(question.question, [turn.turn() for turn in question.history])
    view = answer_view(said.answer, said.asked)
    return JSONResponse(view | explanation_view(explained(said.answer)) if explained else view)


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
