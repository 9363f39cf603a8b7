"""The page that people use, at `/`: files of ours, and nothing of anybody else.

What the page may do is told with it: it loads from this service alone and runs no script but these
files. So text of a document that got into it by a mistake of ours would still run nothing, and
send nothing away. The page needs no key: it holds nothing, and asks for what it shows with the
key that its user gives it.
"""

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).resolve().parent / "static"
INDEX = "index.html"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Where a browser knows it: no text becomes markup or script, whatever our scripts try.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Asked for anew each time, and sent only when it has changed.
    "Cache-Control": "no-cache",
}


class Files(StaticFiles):
    """The files of the page, each with what it may do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file.

        Raises:
            HTTPException: 404 there is none, 405 for methods that do not read.
        """
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


async def page(request: Request) -> Response:
    """Send the page."""
    return FileResponse(FOLDER / INDEX, headers=HEADERS)


def install(app: FastAPI) -> None:
    """Serve the page and its files, outside of the API and its keys."""
    app.add_route("/", page, methods=["GET"], include_in_schema=False)
    app.mount("/static", Files(directory=FOLDER), name="static")
