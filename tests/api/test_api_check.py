"""`POST /v1/check`: claims against the sources that come with them, over HTTP."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.limits import MAX_BODY, MAX_SOURCES
from api.schemas import CheckedOut
from rag.build import open_answerer
from rag.checking import Checker
from rag.config import Config
from rag.views import checked_view
from tests.api.test_api_routes import JSON, error_of
from tests.support_models import support_model

CLAIM = "The bridge is 1600 metres long."
SOURCE = "It spans the Danube. The bridge is 1,600 metres long."
ITEMS = [
    {"id": "a", "claim": CLAIM, "sources": ["", SOURCE]},
    {"id": 7, "claim": "The bridge is 1700 metres long.", "sources": [SOURCE]},
    {"id": 0.5, "claim": "Кошка пьёт молоко.", "sources": ["Кошка пьёт молоко. Она спит."]},
    {"claim": CLAIM, "sources": []},
]


@pytest.fixture
def client(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The service without any index."""
    monkeypatch.setattr("rag.checking.load_model", support_model)
    with TestClient(create_app(config), raise_server_exceptions=False) as client:
        yield client


def test_one_claim_or_a_list_of_them_is_checked_without_an_index(client: TestClient) -> None:
    """The views of the core, in order; an object for an object, a list for a list."""
    checker = Checker(None, support_model())
    expected = [
        checked_view(checker.check(item["claim"], item["sources"]), item.get("id"))  # type: ignore[arg-type]
        for item in ITEMS
    ]
    assert client.post("/v1/check", json=ITEMS).json() == expected
    assert [client.post("/v1/check", json=item).json() for item in ITEMS] == expected
    verdicts = [view["verdict"] for view in expected]
    assert verdicts == ["supported", "contradicted", "supported", "unsupported"]
    assert expected[0]["evidence"] == [
        {"source": 1, "start": 21, "end": 53, "quote": "The bridge is 1,600 metres long."}
    ]
    assert client.post("/v1/check", json=[]).json() == []


def test_what_comes_is_as_the_schema_says(client: TestClient) -> None:
    """Every field, and no other."""
    for view in client.post("/v1/check", json=ITEMS).json():
        assert CheckedOut.model_validate(view).model_dump(mode="json") == view


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "claim.claim: Field required"),
        ({"claim": "x"}, "claim.sources: Field required"),
        ({"claim": "x", "sources": "y"}, "claim.sources: Input should be a valid list"),
        ({"claim": "x", "sources": [1]}, "claim.sources.0: Input should be a valid string"),
        ({"claim": 1, "sources": []}, "claim.claim: Input should be a valid string"),
        ({"claim": "x" * 20_001, "sources": []}, "claim.claim: String should have at most 20000"),
        ({"claim": "x", "sources": [""] * 1_001}, "claim.sources: List should have at most 1000"),
        ({"claim": "x", "sources": [], "id": True}, "claim.id"),
        ({"claim": "x", "sources": [], "id": []}, "claim.id"),
        ({"claim": "x", "sources": [], "question": "y"}, "claim.question: Extra inputs"),
        ([{"claim": "x", "sources": []}] * 101, "claims: List should have at most 100"),
        ([{"claim": "x", "sources": []}, {"claim": "x"}], "claims.1.sources: Field required"),
        ([1], "claims.0: Input should be"),
        (None, "body: Field required"),
        ("x", "claim: Input should be"),
    ],
)
def test_malformed_requests_are_422(client: TestClient, body: object, named: str) -> None:
    """What is wrong is named, in the shape of all errors."""
    message = error_of(client.post("/v1/check", json=body), 422, "invalid_request")
    assert message.startswith(named) and len(message) < 300


@pytest.mark.parametrize(
    "content",
    [
        b'{"claim": "x", "sources": ["\\ud800"]}',
        b'{"id": NaN, "claim": "x", "sources": []}',
        b'{"id": 1e999, "claim": "x", "sources": []}',
        b"[" * 90_000,
    ],
)
def test_what_is_no_text_or_number_is_refused(client: TestClient, content: bytes) -> None:
    """Half a character, no number, JSON without end: 4xx, never a failure of the server."""
    response = client.post("/v1/check", content=content, headers=JSON)
    assert response.status_code in (400, 422)
    error_of(response, response.status_code, "invalid_request")


def test_long_sources_may_be_sent(client: TestClient) -> None:
    """More than a question may have; over the limit it is 413."""
    body = json.dumps(ITEMS[0]).encode() + b" " * MAX_BODY
    found = client.post("/v1/check", content=body, headers=JSON).json()
    assert found["verdict"] == "supported"
    response = client.post("/v1/check", content=b" " * (MAX_SOURCES + 1), headers=JSON)
    assert f"at most {MAX_SOURCES:,} bytes" in error_of(response, 413, "content_too_large")


def test_many_threads_share_the_checker(client: TestClient) -> None:
    """Eight at a time: each gets what it would get alone."""
    alone = [client.post("/v1/check", json=item).json() for item in ITEMS]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda item: client.post("/v1/check", json=item).json(), ITEMS * 6)
        assert list(found) == alone * 6


def test_a_server_without_its_models_says_so(config: Config) -> None:
    """As for questions: 503 where they could not be loaded; a given opener needs none."""
    offline = Config(
        index_dir=config.index_dir, model_dir=config.index_dir, embedder="no/such", offline=True
    )
    with TestClient(create_app(offline)) as client:
        error_of(client.post("/v1/check", json=ITEMS), 503, "model_unavailable")
    app = create_app(config, open_index=lambda name: open_answerer(config, name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.checking.load_model", support_model)
        assert TestClient(app).post("/v1/check", json=ITEMS[0]).json()["verdict"] == "supported"
