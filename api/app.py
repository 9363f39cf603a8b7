"""The application: settings in, a FastAPI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

import rag
from api import errors, page
from api.about import about_v1
from api.access import Access, authenticated
from api.admission import Admission
from api.engine import Engine, OpenIndex
from api.guard import Guard
from api.limits import MAX_SOURCES, BodyLimit
from api.metrics import Metrics
from api.openai.errors import OpenAIErrors
from api.openai.routes import openai
from api.rates import RateLimit
from api.request_log import RequestLog
from api.routes import router, v1
from api.service import Service, build_service
from api.service_routes import service_v1
from rag.config import Config

UPLOADS = "/v1/documents"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who can reach the service.

    Attributes:
        keys_required: nobody passes without a key, even where none was made yet.
        local_hosts: without keys, requests must name this machine as their host.
        processes: that share the work, and so the rate of a key.
    """

    keys_required: bool = False
    local_hosts: bool = False
    processes: int = 1


def create_app(
    config: Config,
    *,
    index: str = "default",
    open_index: OpenIndex | None = None,
    exposure: Exposure = Exposure(),
) -> FastAPI:
    """Return the service over the indexes of `config.index_dir`.

    Args:
        config: the settings, which are the defaults of every request.
        index: the index of requests that name none.
        open_index: name → Answerer; by default indexes are opened with the models that the
            settings name, loaded once when the service starts.
        exposure: who can reach it; by default only this process.
    """
    service = build_service(Engine(config, index, open_index))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.engine.start()
        service.runner.start()
        yield
        app.state.admission.draining = True
        service.runner.stop()
        service.database.close()

    # The pages that FastAPI offers for OpenAPI load scripts from elsewhere: none here.
    app = FastAPI(
        title="citable-rag",
        version=rag.__version__,
        description="Answers from a folder of documents, each sentence with its quotes.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(authenticated)],
    )
    _set_state(app, service, exposure)
    for routes in (router, v1, about_v1, service_v1, openai):
        app.include_router(routes)
    page.install(app)
    _add_middleware(app, config, exposure)
    errors.install(app)
    return app


def _set_state(app: FastAPI, service: Service, exposure: Exposure) -> None:
    config = service.engine.config
    limit = RateLimit(config.rate_limit / exposure.processes)
    app.state.service = service
    app.state.engine = service.engine
    app.state.access = Access(service.keys, limit, required=exposure.keys_required)
    app.state.admission = Admission(config)
    app.state.metrics = Metrics()


def _add_middleware(app: FastAPI, config: Config, exposure: Exposure) -> None:
    """Wrap the app, from the inside out."""
    origins = [each.strip() for each in config.cors_origins.split(",") if each.strip()]
    app.add_middleware(BodyLimit, by_path={"/v1/check": MAX_SOURCES}, streamed={UPLOADS})
    app.add_middleware(Guard, origins=origins, local_hosts=exposure.local_hosts)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.add_middleware(OpenAIErrors)
