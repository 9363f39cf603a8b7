"""The routes of OpenAI's API: plain functions, which FastAPI runs in threads."""

import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from api.openai import collections
from api.openai.answering import Telling, Told, counter, telling, tokens_of, tuned
from api.openai.chat import Chunks, completion
from api.openai.citing import link_to
from api.openai.embeddings import embeddings
from api.openai.errors import OpenAIRoute
from api.openai.events import LivingStream
from api.openai.head import Head, new_head
from api.openai.outputs import CHAT, EMBEDDINGS, MODEL, MODELS, PROBLEMS, RESPONSE
from api.openai.responses import ResponseEvents, response
from api.openai.schemas import ChatIn, EmbeddingsIn, ResponseIn
from api.routes import UsedEngine
from rag.build import event_responder
from rag.stopping import stoppable
from rag.types import Claimed
from rag.views import Json

openai = APIRouter(
    prefix="/v1", route_class=OpenAIRoute, responses=PROBLEMS, tags=["for OpenAI's clients"]
)


@openai.post("/chat/completions", responses={200: CHAT})
def chat_completions(given: ChatIn, request: Request, engine: UsedEngine) -> Response:
    """Answer the last message of a conversation from a collection, chosen by the model's name.

    Earlier messages only complete the question; citations are of this turn's own search. The
    answer has OpenAI's annotations and, at the top level, `citations` with the quotes, `claims`
    with the verdicts, and `abstained`. Instructions, tools, penalties and unknown fields are passed
    over; what would change the answer and can not be done is refused.
    """
    usage = given.stream_options is not None and bool(given.stream_options.include_usage)
    head, told, stopped = _telling(given, request, engine)
    if given.stream:
        return LivingStream(Chunks(head, usage).events(told), stopped)
    return JSONResponse(_whole(told, head, completion))


@openai.post("/responses", responses={200: RESPONSE})
def responses(given: ResponseIn, request: Request, engine: UsedEngine) -> Response:
    """Answer an input from a collection, with `file_citation` annotations.

    Nothing is kept, so earlier messages are sent in `input`, not named. Beyond OpenAI's fields the
    answer has those of a chat completion: `citations`, `claims`, `abstained`.
    """
    head, told, stopped = _telling(given, request, engine)
    if given.stream:
        return LivingStream(ResponseEvents(head).events(told), stopped)
    return JSONResponse(_whole(told, head, response))


@openai.post("/embeddings", responses={200: EMBEDDINGS})
def embed(given: EmbeddingsIn, engine: UsedEngine) -> Response:
    """Embed texts with the model of the collections; vectors have unit length."""
    return JSONResponse(embeddings(given, collections.embedding(engine, given.model)))


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


def _telling(
    given: ChatIn | ResponseIn, request: Request, engine: UsedEngine
) -> tuple[Head, Telling, threading.Event]:
    """Return an answer that is to be told, and what stops its telling.

    Raises what is wrong with the request; nothing is searched before the first claim is asked for.
    """
    wishes = given.wishes()
    question, history = given.asked()
    collection, found = collections.asked(engine, given.model)
    stopped = threading.Event()
    answerer = tuned(found, wishes)
    if given.stream:
        answerer = stoppable(answerer, stopped.is_set)
    count = counter(found)
    link = link_to(str(request.base_url).rstrip("/"), collection)
    head = new_head(given.model, tokens_of(given.texts(), count), link, count)
    return head, telling(event_responder(answerer)(question, history), wishes, count), stopped


def _whole(told: Telling, head: Head, view: Callable[[Head, Told], Json]) -> Json:
    *_, last = told
    assert not isinstance(last, Claimed)
    return view(head, last)
