"""What a client, such as the page, needs to know of the service before it asks."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

import rag
from api.access import Caller, CallerIn
from api.guard import is_local
from api.keys import Scope
from api.routes import PROBLEMS
from api.service import UsedService
from api.service_schemas import AboutOut
from rag.build import NO_GENERATOR
from rag.config import SERVER, Config
from rag.loaders import LOADERS
from rag.views import Json

about_v1 = APIRouter(prefix="/v1", responses=PROBLEMS)


@about_v1.get("/about", responses={200: {"model": AboutOut}})
def about(service: UsedService, who: CallerIn) -> Response:
    """Tell what is served, what the caller may do, and whether passages leave the machine."""
    return JSONResponse(about_view(service.engine.config, service.engine.index, who))


def about_view(config: Config, index: str, who: Caller) -> Json:
    """Return what is told of a service whose default collection is `index`."""
    return {
        "version": rag.__version__,
        "collection": index if who.reaches(index) else None,
        "scopes": [scope.value for scope in Scope if who.may(scope)],
        "writes": config.generator != NO_GENERATOR,
        "sends_to": sends_to(config),
        "strictness": config.strictness,
        "quote_only": config.quote_only,
        "keeps_answers": config.keep_answers > 0,
        "uploads": {"megabytes": config.max_upload_mb, "kinds": sorted(LOADERS)},
    }


def sends_to(config: Config) -> str | None:
    """Return the machine to which passages are sent; None where they stay on this one."""
    if not config.generator.startswith(SERVER) or config.openai_base_url is None:
        return None
    netloc = urlsplit(config.openai_base_url).netloc.rpartition("@")[2]
    return None if is_local(netloc) else netloc
