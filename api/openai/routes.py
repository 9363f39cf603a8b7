"""The routes of OpenAI's API: plain functions, which FastAPI runs in threads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response

from api.admission import Admitted
from api.openai import collections
from api.openai.answering import Telling, Told, counter, telling, tokens_of, tuned
from api.openai.chat import Chunks, completion
from api.openai.citing import link_to
from api.openai.embeddings import embeddings
from api.openai.errors import OpenAIRoute
from api.openai.head import Head, new_head
from api.openai.outputs import CHAT, EMBEDDINGS, MODEL, MODELS, PROBLEMS, RESPONSE
from api.openai.responses import ResponseEvents, response
from api.openai.schemas import ChatIn, EmbeddingsIn, ResponseIn
from api.routes import UsedMetrics
from api.service import UsedEngine
from api.streaming import EventStream
from rag.build import event_responder
from rag.stopping import stoppable
from rag.types import Claimed
from rag.views import Json

openai = APIRouter(
    prefix="/v1", route_class=OpenAIRoute, responses=PROBLEMS, tags=["for OpenAI's clients"]
)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What answering a request takes."""

    request: Request
    engine: UsedEngine
    metrics: UsedMetrics
    work: Admitted

    def telling(self, given: ChatIn | ResponseIn) -> tuple[Head, Telling]:
        """Return an answer that is to be told.

        Raises what is wrong with the request; nothing is searched before the first claim is asked
        for.
        """
        wishes = given.wishes()
        question, history = given.asked()
        collection, found = collections.asked(self.engine, given.model)
        work, metrics = self.work, self.metrics
        answerer = stoppable(tuned(found, wishes), work.is_over, metrics.piece)
        count = counter(answerer)
        link = link_to(str(self.request.base_url).rstrip("/"), collection)
        head = new_head(given.model, tokens_of(given.texts(), count), link, count)
        replying = event_responder(answerer, on_found=work.go_on)(question, history)
        return head, telling(replying, wishes, count, metrics.answer)


def _desk(request: Request, engine: UsedEngine, metrics: UsedMetrics, work: Admitted) -> _Desk:
    return _Desk(request, engine, metrics, work)


Desk = Annotated[_Desk, Depends(_desk)]


@openai.post("/chat/completions", responses={200: CHAT})
def chat_completions(given: ChatIn, desk: Desk) -> Response:
    """Answer the last message of a conversation from a collection, chosen by the model's name.

    Earlier messages only complete the question; citations are of this turn's own search. The
    answer has OpenAI's annotations and, at the top level, `citations` with the quotes, `claims`
    with the verdicts, and `abstained`. Instructions, tools, penalties and unknown fields are passed
    over; what would change the answer and can not be done is refused.
    """
    usage = given.stream_options is not None and bool(given.stream_options.include_usage)
    head, told = desk.telling(given)
    if given.stream:
        events = Chunks(head, usage).events(told, desk.work.late.is_set)
        return EventStream(events, desk.work.left)
    return JSONResponse(_whole(told, head, completion))


@openai.post("/responses", responses={200: RESPONSE})
def responses(given: ResponseIn, desk: Desk) -> Response:
    """Answer an input from a collection, with `file_citation` annotations.

    Nothing is kept, so earlier messages are sent in `input`, not named. Beyond OpenAI's fields the
    answer has those of a chat completion: `citations`, `claims`, `abstained`.
    """
    head, told = desk.telling(given)
    if given.stream:
        events = ResponseEvents(head).events(told, desk.work.late.is_set)
        return EventStream(events, desk.work.left)
    return JSONResponse(_whole(told, head, response))


@openai.post("/embeddings", responses={200: EMBEDDINGS})
def embed(given: EmbeddingsIn, desk: Desk) -> Response:
    """Embed texts with the model of the collections; vectors have unit length."""
    return JSONResponse(
        embeddings(given, collections.embedding(desk.engine, given.model), desk.work.go_on)
    )


@openai.get("/models", responses={200: MODELS})
def list_models(engine: UsedEngine) -> Response:
    """List the collections, the default one first, and the embedding model."""
    return JSONResponse({"object": "list", "data": collections.models(engine)})


@openai.get("/models/{model:path}", responses={200: MODEL})
def get_model(
    model: Annotated[str, Path(max_length=500, examples=["rag:demo"])], engine: UsedEngine
) -> Response:
    """Return one of the models."""
    return JSONResponse(collections.model(engine, model))


def _whole(told: Telling, head: Head, view: Callable[[Head, Told], Json]) -> Json:
    *_, last = told
    assert not isinstance(last, Claimed)
    return view(head, last)
