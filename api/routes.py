"""Questions: ask, search, check; and how the server is.

Those that work are plain functions, which FastAPI runs in threads. The JSON is that of the command
line.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import JSONResponse, Response

from api.access import CallerIn
from api.admission import Admitted
from api.answers import content_hashes
from api.errors import error_response
from api.metrics import TYPE, Metrics
from api.schemas import (
    AskIn,
    CheckedOut,
    ClaimIn,
    ClaimsIn,
    ErrorOut,
    ExplainedReplyOut,
    QuestionIn,
    ReplyOut,
    SearchOut,
    StatusOut,
)
from api.service import Service, UsedEngine, UsedService
from api.streaming import EventStream, Outbox, answer_events
from rag.answerer import Answerer
from rag.build import event_responder, explainer
from rag.dialogue import Reply, replied
from rag.fusion import Retrieval
from rag.retriever import check_question
from rag.stopping import stoppable
from rag.views import Json, answer_view, checked_view, explanation_view, search_view


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


UsedMetrics = Annotated[Metrics, Depends(_metrics)]

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorOut, "description": "a key is needed"},
    403: {"model": ErrorOut, "description": "the key may not do this"},
    404: {"model": ErrorOut, "description": "no such collection"},
    409: {"model": ErrorOut, "description": "made with other models, or being written"},
    413: {"model": ErrorOut, "description": "the body is too large"},
    422: {"model": ErrorOut, "description": "the request is not usable as given"},
    429: {"model": ErrorOut, "description": "too many requests of this key; see Retry-After"},
    500: {"model": ErrorOut, "description": "the index is damaged, or the server failed"},
    503: {"model": ErrorOut, "description": "busy, out of time, or without models"},
}
router = APIRouter()
v1 = APIRouter(prefix="/v1", responses=PROBLEMS)


@v1.post(
    "/ask",
    responses={
        200: {"model": ReplyOut | ExplainedReplyOut, "content": {"text/event-stream": {}}},
    },
)
def ask(
    question: AskIn, service: UsedService, work: Admitted, who: CallerIn, metrics: UsedMetrics
) -> Response:
    """Answer a question, each sentence with the quotes that support it.

    With `stream`, as server-sent events: `hits` once a search is done, `citation` and `claim` as
    each becomes certain, then `answer` (this response's body), or `error`. No claim is ever taken
    back.
    """
    engine = service.engine
    collection = question.named(engine.index)
    answerer = engine.answerer(collection)
    outbox = Outbox()

    def on_found(found: Retrieval) -> None:
        work.go_on()
        outbox.event("hits", search_view(found.hits))

    respond = event_responder(
        stoppable(answerer, work.is_over, metrics.piece),
        k=question.k,
        mode=question.mode,
        filters=question.filters.filters(),
        asking=question.asking(engine.config),
        on_found=on_found,
    )
    shown = _shown(answerer, question)

    def view(said: Reply) -> Json:
        metrics.answer(said.answer)
        return _stored(service, answerer, collection, shown(said), who.id)

    # What is wrong with the question is told by the status, streamed or not.
    asked = check_question(question.question)
    replying = respond(asked, [turn.turn() for turn in question.history])
    if question.stream:
        events = answer_events(replying, view, work.late.is_set)
        return EventStream(events, work.left, outbox)
    return JSONResponse(view(replied(replying)))


def _shown(answerer: Answerer, question: AskIn) -> Callable[[Reply], Json]:
    explained = explainer(answerer) if question.explain else None

    def view(said: Reply) -> Json:
        shown = answer_view(said.answer, said.asked)
        return shown | explanation_view(explained(said.answer)) if explained else shown

    return view


def _stored(
    service: Service, answerer: Answerer, collection: str, view: Json, key: str | None
) -> Json:
    """Return the view with the id under which it is stored from now on."""
    cited = [citation["document_id"] for citation in view["citations"]]
    sources = content_hashes(answerer.retriever.store, cited)
    return service.answers.put(view, collection, key, sources)


@v1.post("/search", responses={200: {"model": SearchOut}})
def search(question: QuestionIn, engine: UsedEngine, work: Admitted) -> Response:
    """Find the passages that answer a question."""
    work.go_on()
    found = engine.answerer(question.named(engine.index)).retriever.search(
        question.question,
        question.k or engine.config.k,
        question.mode or engine.config.mode,
        question.filters.filters(),
    )
    return JSONResponse(search_view(found.hits))


@v1.post("/check", responses={200: {"model": CheckedOut | list[CheckedOut]}})
def check(given: Annotated[ClaimsIn, Body()], engine: UsedEngine, work: Admitted) -> Response:
    """Check a claim against its sources, or each of a list; no index is needed."""
    checker = engine.checker()

    def view(item: ClaimIn) -> Json:
        work.go_on()
        return checked_view(checker.check(item.claim, item.sources), item.id)

    return JSONResponse([view(item) for item in given] if isinstance(given, list) else view(given))


@router.get("/livez", responses={200: {"model": StatusOut}})
async def livez() -> Response:
    """Tell that the server runs."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses={200: {"model": StatusOut}, 503: {"model": ErrorOut}})
def readyz(request: Request, engine: UsedEngine) -> Response:
    """Tell whether questions can be answered, and if not, what is missing."""
    draining = request.app.state.admission.draining
    missing = "the server is about to end" if draining else engine.missing()
    if missing is not None:
        return error_response(503, "not_ready", missing)
    return JSONResponse({"status": "ready"})


@router.get("/metrics", responses={**PROBLEMS, 200: {"content": {"text/plain": {}}}})
def metrics_page(request: Request, service: UsedService, metrics: UsedMetrics) -> Response:
    """Tell Prometheus how the server fares; with keys in use it takes one of scope admin."""
    text = metrics.text(service, request.app.state.admission)
    return Response(text, media_type=TYPE)
