"""Requests made up from the OpenAPI document: none brings the server down, all fit the document.

A few hundred here; `make fuzz` runs 10,000 (RAG_FUZZ).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings

from api.app import create_app
from api.openai.errors import PATHS
from rag.config import Config
from tests.cli.runner import QUESTION

schemathesis = pytest.importorskip("schemathesis")

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("RAG_FUZZ", "300"))
# What a made-up request may be told besides success.
DECLARED = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, ingested: Path) -> Iterator[TestClient]:
    """A service over a copy of the documents; requests may delete them."""
    import shutil

    place = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(ingested / "indexes", place / "indexes")
    config = Config(index_dir=place / "indexes", embedder="hash", generator="none", parsers=0)
    with TestClient(create_app(config), raise_server_exceptions=False) as client:
        yield client


def operations(client: TestClient) -> list[Any]:
    """Return the operations of the document."""
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    return [found.ok() for found in schema.get_all_operations()]


def _given(given: dict[str, Any]) -> dict[str, Any]:
    """Return a request as the test client takes it."""
    kept = {key: value for key, value in given.items() if key != "cookies"}
    if isinstance(kept.get("data"), bytes | str):
        kept["content"] = kept.pop("data")
    if isinstance(kept.get("files"), list):
        kept["files"] = [(name, _file(value)) for name, value in kept["files"]]
    return kept


def _file(value: Any) -> tuple[str, bytes]:
    """Return a made-up file as the test client takes it: it sends no numbers."""
    name, data = value[:2] if isinstance(value, tuple) else ("made-up.txt", value)
    raw = data if isinstance(data, bytes) else str(data).encode("utf-8", "replace")
    return str(name or "made-up.txt"), raw


def sent(client: TestClient, case: Any) -> Any:
    """Send a made-up request and return the response, checked."""
    given = case.as_transport_kwargs(base_url="http://testserver")
    # Streams of jobs that are not there end; those that are there are not guessed.
    with suppress(UnicodeEncodeError):  # no client can send half a character in a header
        response = client.request(**_given(given))
        assert response.status_code < 500 or response.status_code == 503, response.text
        assert response.status_code < 300 or response.status_code in DECLARED
        if response.status_code >= 300:
            error = response.json()["error"]
            openais = response.request.url.path.startswith(PATHS)
            own = ["param", "type"] if openais else ["request_id"]
            assert sorted(error) == ["code", "message", *own]
            assert "Traceback" not in response.text
        return response
    return None


def test_requests_made_up_from_the_document_are_answered_as_it_says(served: TestClient) -> None:
    """No 5xx but a declared 503; every body as the document has it."""
    found = operations(served)
    each = max(1, CASES // len(found))
    for operation in found:
        run = settings(
            max_examples=each,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(given(case=operation.as_strategy())(_checked(served, operation)))
        run()


def _checked(client: TestClient, operation: Any) -> Callable[..., None]:
    def check(case: Any) -> None:
        response = sent(client, case)
        if response is not None:
            response.request.read()
            operation.validate_response(response)

    return check


def test_the_document_has_examples_that_work(served: TestClient) -> None:
    """Each example of a request body is answered as a request."""
    paths = served.get("/openapi.json").json()["components"]["schemas"]
    assert paths["QuestionIn"]["properties"]["question"]["examples"]
    body = {"question": QUESTION}
    assert served.post("/v1/search", json=body).status_code in (200, 404)
