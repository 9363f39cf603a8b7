"""The application: settings in, a FastAPI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import rag
from api import errors
from api.engine import Engine, OpenIndex
from api.limits import MAX_SOURCES, BodyLimit
from api.openai.errors import OpenAIErrors
from api.openai.routes import openai
from api.routes import router, v1
from rag.config import Config


def create_app(
    config: Config, *, index: str = "default", open_index: OpenIndex | None = None
) -> FastAPI:
    """Return the service over the indexes of `config.index_dir`.

    Args:
        config: the settings, which are the defaults of every request.
        index: the index of requests that name none.
        open_index: name → Answerer; by default indexes are opened with the models that the
            settings name, loaded once when the service starts.
    """
    engine = Engine(config, index, open_index)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield

    # The pages that FastAPI offers for OpenAPI load scripts from elsewhere: none here.
    app = FastAPI(
        title="citable-rag",
        version=rag.__version__,
        description="Answers from a folder of documents, each sentence with its quotes.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.include_router(router)
    app.include_router(v1)
    app.include_router(openai)
    app.add_middleware(BodyLimit, by_path={"/v1/check": MAX_SOURCES})
    app.add_middleware(OpenAIErrors)  # the last that is added is the outermost
    errors.install(app)
    return app
