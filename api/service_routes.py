"""What the service keeps: collections, documents, jobs, stored answers, feedback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import collections
from api.access import CallerIn, caller
from api.answers import StoredAnswer, source_states
from api.collections import collection_view, reach
from api.documents import Page, delete_document, documents_view, find, text_view
from api.feedback import Opinion
from api.jobs import ENDS, Job
from api.multipart import FileReceiver, too_large
from api.page_images import LEAST_WIDTH, MOST_WIDTH, Sheet
from api.routes import PROBLEMS
from api.service import Service, UsedService
from api.service_schemas import (
    CollectionIn,
    CollectionOut,
    CollectionsOut,
    DeletedOut,
    DocumentsOut,
    FeedbackIn,
    FeedbackOut,
    JobOut,
    StoredOut,
    TextOut,
    UploadedOut,
)
from api.streaming import HEADERS, HEARTBEAT, HEARTBEAT_SECONDS, sse
from rag.errors import IndexNotFound
from rag.store import Store
from rag.views import Json

service_v1 = APIRouter(prefix="/v1", responses=PROBLEMS)

Named = Annotated[str | None, Query(description="the server's default by default")]
Offset = Annotated[int | None, Query(ge=0, le=2**53, description="code points")]
# A picture of what may be for one key alone; no browser is to guess what it is.
IMAGE_HEADERS = {
    "Content-Type": "image/png",
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
}
# How often a job's stream looks at the job.
LOOK = 0.25


# -- collections --------------------------------------------------------------------------------


@service_v1.get("/collections", responses={200: {"model": CollectionsOut}})
def list_collections(service: UsedService, who: CallerIn) -> Response:
    """List the collections that the key reaches."""
    index_dir, default = service.engine.config.index_dir, service.engine.index
    found = [collection_view(index_dir / name) for name in collections.names(index_dir)]
    shown = default if who.reaches(default) else None
    return JSONResponse({"collections": found, "default": shown})


@service_v1.post("/collections", status_code=201, responses={201: {"model": CollectionOut}})
def create_collection(given: CollectionIn, service: UsedService) -> Response:
    """Make an empty collection."""
    engine = service.engine
    path = collections.create(engine.config, given.name, engine.embedder())
    return JSONResponse(collection_view(path), 201)


@service_v1.delete("/collections/{name}", status_code=204, responses={204: {"model": None}})
def delete_collection(name: str, service: UsedService) -> Response:
    """Delete a collection with its uploads, answers, feedback and jobs."""
    collections.delete(service.engine.config, name, service.database)
    service.engine.forget(name)
    return Response(status_code=204)


# -- documents ----------------------------------------------------------------------------------


@service_v1.get("/documents", responses={200: {"model": DocumentsOut}})
def list_documents(
    service: UsedService,
    collection: Named = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[
        str | None, Query(max_length=10_000, description="next of the page before")
    ] = None,
) -> Response:
    """List the documents of a collection by source, a page at a time."""
    with closing(Store(_reach(service, collection))) as store:
        return JSONResponse(documents_view(store, Page(limit, after)))


@service_v1.post(
    "/documents",
    status_code=202,
    responses={202: {"model": UploadedOut}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "files": {
                                "type": "array",
                                "items": {"type": "string", "format": "binary"},
                            }
                        },
                        "required": ["files"],
                    }
                }
            },
        }
    },
)
async def upload(request: Request, service: UsedService, collection: Named = None) -> Response:
    """Take files and begin a job that ingests them; one of a known name replaces the earlier.

    Files of kinds that are not read are refused by name, the others taken.
    """
    with request.app.state.admission.upload():
        return await _upload(request, service, collection)


async def _upload(request: Request, service: Service, collection: str | None) -> Response:
    config = service.engine.config
    name = service.engine.index if collection is None else collection
    await run_in_threadpool(_prepare, service, name)
    limit = config.max_upload_mb * 1_000_000
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    taken = partial(_taken, service, name)
    incoming = service.uploads.incoming(name)
    folder = await run_in_threadpool(incoming.__enter__)
    try:
        receiver = FileReceiver(request.headers.get("content-type", ""), folder, limit)
        with closing(receiver):
            with suppress(ClientDisconnect):  # what came is told to be too little
                async for piece in request.stream():
                    await run_in_threadpool(receiver.feed, piece)
            receiver.finish()
        job = await run_in_threadpool(taken, receiver)
    finally:
        await run_in_threadpool(incoming.__exit__, None, None, None)
    refused = [asdict(each) for each in receiver.refused]
    return JSONResponse({"job": job_view(job), "refused": refused}, 202)


def _prepare(service: Service, name: str) -> None:
    """See that the collection is there; the default one is made for its first upload."""
    engine = service.engine
    try:
        reach(engine.config.index_dir, name)
    except IndexNotFound:
        if name != engine.index or not caller().reaches(name):
            raise
        collections.create(engine.config, name, engine.embedder())


def _taken(service: Service, name: str, receiver: FileReceiver) -> Job:
    if not receiver.received:
        told = "; ".join(f"{file.name}: {file.reason}" for file in receiver.refused[:3])
        raise HTTPException(422, f"no file was taken: {told}")
    # A collection that was deleted meanwhile must not get a folder again.
    reach(service.engine.config.index_dir, name)
    job = service.jobs.add(name, service.uploads.keep(name, receiver.received))
    service.runner.wake()
    return job


@service_v1.get("/documents/{document_id}", responses={200: {"model": TextOut}})
def read_document(
    document_id: str,
    service: UsedService,
    collection: Named = None,
    start: Offset = None,
    end: Offset = None,
) -> Response:
    """Read a document: its beginning, or the text around what a citation quotes."""
    with closing(Store(_reach(service, collection))) as store:
        return JSONResponse(text_view(find(store, document_id), start, end))


@service_v1.get(
    "/documents/{document_id}/pages/{page}",
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
    response_class=Response,
)
def draw_page(
    document_id: str,
    page: Annotated[int, PathParameter(ge=1, le=1_000_000)],
    service: UsedService,
    collection: Named = None,
    width: Annotated[int, Query(ge=LEAST_WIDTH, le=MOST_WIDTH, description="pixels")] = 900,
    start: Offset = None,
    end: Offset = None,
) -> Response:
    """Draw a page of a PDF, what a citation quotes marked on it."""
    path = _reach(service, collection)
    sheet = Sheet(page, width, start, end)
    return Response(service.page_images.png(path, document_id, sheet), headers=IMAGE_HEADERS)


@service_v1.delete("/documents/{document_id}", responses={200: {"model": DeletedOut}})
def remove_document(document_id: str, service: UsedService, collection: Named = None) -> Response:
    """Delete a document; of one that was uploaded, the file too."""
    path = _reach(service, collection)
    return JSONResponse(delete_document(path, document_id, service.uploads))


def _reach(service: Service, collection: str | None) -> Path:
    name = service.engine.index if collection is None else collection
    return reach(service.engine.config.index_dir, name)


# -- jobs ---------------------------------------------------------------------------------------


@service_v1.get("/jobs/{job_id}", responses={200: {"model": JobOut}})
def read_job(job_id: str, service: UsedService) -> Response:
    """Tell how far a job is, and at its end what came of it."""
    return JSONResponse(job_view(_job(service, job_id)))


@service_v1.get(
    "/jobs/{job_id}/events",
    responses={200: {"content": {"text/event-stream": {}}}},
    response_class=StreamingResponse,
)
def follow_job(job_id: str, request: Request, service: UsedService) -> Response:
    """Follow a job as server-sent events: `progress`, then `done` or `failed` with the job."""
    first = _job(service, job_id)
    events = _job_events(request, service, first)
    return StreamingResponse(events, headers=HEADERS, media_type="text/event-stream")


async def _job_events(request: Request, service: Service, job: Job) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    told: Json | None = None
    sent = loop.time()
    found: Job | None = job
    while found is not None and not request.app.state.admission.draining:
        if found.state in ENDS:
            yield sse(found.state, job_view(found))
            return
        if found.progress != told:
            told, sent = found.progress, loop.time()
            yield sse("progress", {"state": found.state, **found.progress})
        elif loop.time() - sent > HEARTBEAT_SECONDS:
            sent = loop.time()
            yield HEARTBEAT
        await asyncio.sleep(LOOK)
        found = await run_in_threadpool(service.jobs.get, job.id)


def _job(service: Service, identity: str) -> Job:
    found = service.jobs.get(identity) if identity.isascii() else None
    if found is None or not caller().reaches(found.collection):
        raise HTTPException(404, f"there is no job {identity[:80]!r}")
    return found


def job_view(job: Job) -> Json:
    """Return a job as it is sent."""
    names = ("id", "collection", "created", "state", "finished")
    shown = {name: getattr(job, name) for name in names}
    kept = {name: getattr(job, name) for name in ("files", "progress", "report", "error")}
    return {**shown, **kept}


# -- answers and feedback -----------------------------------------------------------------------


@service_v1.get("/answers/{answer_id}", responses={200: {"model": StoredOut}})
def read_answer(answer_id: str, service: UsedService) -> Response:
    """Return an answer as it was given, and for each citation whether its source still holds."""
    stored = _answer(service, answer_id)
    try:
        store = Store(reach(service.engine.config.index_dir, stored.collection))
    except IndexNotFound:
        states = source_states(stored, None)
    else:
        with closing(store):
            states = source_states(stored, store)
    citations = stored.body["citations"]
    return JSONResponse(
        {
            "id": stored.id,
            "collection": stored.collection,
            "created": stored.created,
            "answer": stored.body,
            "sources": [
                {"citation": citation["n"], "state": state}
                for citation, state in zip(citations, states, strict=True)
            ],
        }
    )


@service_v1.post("/feedback", status_code=201, responses={201: {"model": FeedbackOut}})
def give_feedback(given: FeedbackIn, service: UsedService, who: CallerIn) -> Response:
    """Say what is thought of an answer; `rag feedback export` makes questions to evaluate with."""
    over = None if given.preferred_to is None else _answer(service, given.preferred_to)
    opinion = Opinion(given.rating, over, given.correction, given.comment)
    identity = service.feedback.put(_answer(service, given.answer), opinion, who.id)
    return JSONResponse({"id": identity}, 201)


def _answer(service: Service, identity: str) -> StoredAnswer:
    """Return a stored answer that is the caller's, or that an admin of its collection asks for."""
    found = service.answers.get(identity) if identity.isascii() else None
    who = caller()
    if found is None or not who.reaches(found.collection) or not who.owns(found.key):
        raise HTTPException(404, f"there is no answer {identity[:80]!r}")
    return found
