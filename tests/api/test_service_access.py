"""Keys over HTTP, how often they may ask, and pages of other sites."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import server
from api.app import Exposure, create_app
from api.database import DATABASE, ServiceDatabase
from api.guard import is_local
from api.keys import Keys, Scope
from api.rates import RateLimit
from rag.cli import main
from rag.config import Config
from rag.errors import ConfigError
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.api.test_api_routes import error_of
from tests.cli.runner import QUESTION, write

ASK = {"question": QUESTION}
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def bearer(config: Config) -> Bearer:
    """Return what makes a key and gives the header that sends it."""
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))

    def make(*scopes: Scope, collections: list[str] | None = None) -> dict[str, str]:
        _, token = keys.create("test", scopes or [Scope.READ], collections)
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
def other(config: Config, docs: Path, tmp_path: Path) -> str:
    """A second collection."""
    folder = write(tmp_path / "more", {"secret.md": "The vault opens with the word porcupine.\n"})
    ingest([folder], "other", HashEmbedder(), config)
    return "other"


def test_without_keys_any_token_is_taken(client: TestClient) -> None:
    """Clients that must send one can send anything."""
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}):
        assert client.post("/v1/ask", json=ASK, headers=headers).status_code == 200


def test_once_there_is_a_key_nothing_passes_without(client: TestClient, bearer: Bearer) -> None:
    """The running server sees it at once; health needs none."""
    headers = bearer()
    assert client.post("/v1/ask", json=ASK, headers=headers).status_code == 200
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}):
        response = client.post("/v1/ask", json=ASK, headers=wrong)
        assert "needs a key" in error_of(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_every_route_but_health_needs_a_key(client: TestClient, bearer: Bearer) -> None:
    """Taken from the description, so that a new route can not be forgotten."""
    bearer()
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            status = client.request(method, path.replace("{", "").replace("}", "")).status_code
            assert (status == 401) is (path not in ("/livez", "/readyz")), (method, path)


def test_a_revoked_key_is_refused_from_then_on(
    client: TestClient, config: Config, bearer: Bearer
) -> None:
    """Though it was the only one."""
    headers = bearer()
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    keys.revoke(keys.all()[0].id)
    error_of(client.post("/v1/ask", json=ASK, headers=headers), 401, "unauthorized")
    error_of(client.post("/v1/ask", json=ASK), 401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/search", Scope.READ),
        ("GET", "/v1/documents", Scope.READ),
        ("POST", "/v1/documents", Scope.WRITE),
        ("DELETE", "/v1/documents/x", Scope.WRITE),
        ("POST", "/v1/collections", Scope.ADMIN),
        ("DELETE", "/v1/collections/x", Scope.ADMIN),
        ("GET", "/metrics", Scope.ADMIN),
    ],
)
def test_a_scope_opens_its_routes_only(
    client: TestClient, bearer: Bearer, method: str, path: str, scope: Scope
) -> None:
    """403 with any other one, which is told; no scope holds another."""
    for each in Scope:
        response = client.request(method, path, headers=bearer(each))
        if each is scope:
            assert response.status_code not in (401, 403)
        else:
            assert scope in error_of(response, 403, "forbidden")


def test_a_key_never_learns_of_other_collections(
    client: TestClient, bearer: Bearer, other: str
) -> None:
    """One that is there and one that is not give the same errors, to the letter."""
    headers = bearer(Scope.READ, Scope.WRITE, Scope.ADMIN, collections=["default"])

    def told(method: str, path: str, **given: Any) -> list[str]:
        found = []
        for name in (other, "nowhere"):
            body = json.loads(json.dumps(given).replace("NAME", name))
            response = client.request(method, path.replace("NAME", name), headers=headers, **body)
            error = dict(response.json()["error"], request_id=None)
            found.append(f"{response.status_code} {error}".replace(name, "NAME"))
        return found

    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/ask", {"json": ASK | {"collection": "NAME"}}),
        ("POST", "/v1/ask", {"json": ASK | {"index": "NAME", "stream": True}}),
        ("POST", "/v1/search", {"json": ASK | {"index": "NAME"}}),
        ("GET", "/v1/documents?collection=NAME", {}),
        ("POST", "/v1/documents?collection=NAME", {}),
        ("GET", "/v1/documents/x?collection=NAME", {}),
        ("DELETE", "/v1/documents/x?collection=NAME", {}),
        ("DELETE", "/v1/collections/NAME", {}),
        ("POST", "/v1/collections", {"json": {"name": "NAME"}}),
    ]
    for method, path, given in requests:
        there, absent = told(method, path, **given)
        assert there == absent, path
    listed = client.get("/v1/collections", headers=headers).json()
    assert [each["name"] for each in listed["collections"]] == ["default"]
    everything = client.get("/v1/collections", headers=bearer()).json()
    assert [each["name"] for each in everything["collections"]] == ["default", other]
    only = client.get("/v1/collections", headers=bearer(collections=[other])).json()
    assert only["default"] is None


def test_answers_are_for_the_key_that_asked(client: TestClient, bearer: Bearer) -> None:
    """And for an admin; to another one they are not there."""
    mine, yours, admin = bearer(), bearer(), bearer(Scope.READ, Scope.ADMIN)
    identity = client.post("/v1/ask", json=ASK, headers=mine).json()["id"]
    path, opinion = f"/v1/answers/{identity}", {"answer": identity, "rating": "up"}
    assert client.get(path, headers=mine).status_code == 200
    assert client.get(path, headers=admin).status_code == 200
    error_of(client.get(path, headers=yours), 404, "not_found")
    error_of(client.post("/v1/feedback", json=opinion, headers=yours), 404, "not_found")


# -- how often ------------------------------------------------------------------------------------


def test_a_key_that_asks_too_often_is_told_when_to_come_again(
    config: Config, docs: Path, bearer: Bearer
) -> None:
    """429 with Retry-After; another key goes on."""
    with TestClient(create_app(replace(config, rate_limit=8))) as client:
        headers, others = bearer(), bearer()
        codes = [client.get("/v1/collections", headers=headers).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        response = client.get("/v1/collections", headers=headers)
        assert "too many requests" in error_of(response, 429, "too_many_requests")
        assert 1 <= int(response.headers["retry-after"]) <= 8
        assert client.get("/v1/collections", headers=others).status_code == 200


def test_a_bucket_fills_again() -> None:
    """At 60 a minute: 15 at once, then one a second; refusals cost nothing; 0 is no limit."""
    clock = [0.0]
    limit = RateLimit(60, lambda: clock[0])
    assert [limit.wait("k") for _ in range(15)] == [0.0] * 15
    assert limit.wait("k") == pytest.approx(1.0) == limit.wait("k")
    clock[0] = 0.75
    assert limit.wait("k") == pytest.approx(0.25)
    clock[0] = 1.0
    assert limit.wait("k") == 0.0 < limit.wait("k")
    clock[0] = 1000.0
    assert [limit.wait("k") > 0 for _ in range(16)] == [False] * 15 + [True]
    assert not any(RateLimit(0).wait("k") for _ in range(100))


# -- pages of other sites -------------------------------------------------------------------------


@pytest.fixture
def local(config: Config, docs: Path) -> Iterator[TestClient]:
    """The service as it is on this machine, without keys."""
    app = create_app(config, exposure=Exposure(local_hosts=True))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


def test_another_host_name_is_refused_without_keys(local: TestClient) -> None:
    """A page that made its name point here reads nothing."""
    assert local.get("/v1/collections").status_code == 200
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""):
        error_of(local.get("/v1/collections", headers={"Host": host}), 403, "forbidden")


def test_pages_of_other_sites_may_not_write_or_ask(local: TestClient) -> None:
    """The service's own page may; whose origin is null may not."""
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9000"):
        response = local.post("/v1/ask", json=ASK, headers={"Origin": origin})
        error_of(response, 403, "forbidden")
        assert "access-control-allow-origin" not in response.headers
    own = local.post("/v1/ask", json=ASK, headers={"Origin": "http://127.0.0.1:8000"})
    assert own.status_code == 200


def test_sites_that_are_named_may(config: Config, docs: Path) -> None:
    """cors_origins lists them; others are still refused."""
    named = replace(config, cors_origins="https://a.example, https://b.example")
    with TestClient(create_app(named)) as client:
        response = client.post("/v1/ask", json=ASK, headers={"Origin": "https://b.example"})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "https://b.example"
        refused = client.post("/v1/ask", json=ASK, headers={"Origin": "https://c.example"})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("localhost:80", True),
        ("127.8.9.1:80", True),
        ("[::1]:80", True),
        ("[::1", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("user@localhost", True),
        ("", False),
    ],
)
def test_names_of_this_machine(host: str, local: bool) -> None:
    """localhost and the loopback addresses."""
    assert is_local(host) is local


# -- request ids ----------------------------------------------------------------------------------


def test_a_request_keeps_the_id_it_came_with(client: TestClient) -> None:
    """In the response and in errors; one that is no plain name is replaced."""
    response = client.get("/v1/jobs/x", headers={"X-Request-ID": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.json()["error"]["request_id"] == "abc-1"
    for given in ("a b", "x" * 65, "<script>"):
        assert client.get("/livez", headers={"X-Request-ID": given}).headers[
            "x-request-id"
        ] not in (given, "")


# -- the command line -----------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is in the output of create and of nothing else."""
    where = ["--index-dir", str(config.index_dir), "--json"]
    options = ["--scope", "read", "--scope", "write", "--collection", "a"]
    assert main(["keys", "create", "page", *options, *where]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["scopes"] == ["read", "write"] and made["collections"] == ["a"]
    assert main(["keys", "list", *where]) == 0
    out = capsys.readouterr().out
    (listed,) = json.loads(out)["keys"]
    assert listed["id"] == made["id"] and listed["revoked"] is None and made["key"] not in out
    assert main(["keys", "revoke", made["id"], *where]) == 0
    assert json.loads(capsys.readouterr().out)["revoked"]
    assert main(["keys", "list", *where[:2]]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["keys", "revoke", "nobody", *where]) == 2
    assert main(["keys", "create", "x", "--scope", "root", *where]) == 2


def test_beyond_this_machine_a_key_is_needed(config: Config) -> None:
    """None, or a revoked one, is not enough."""
    with pytest.raises(ConfigError, match="make a key first with 'rag keys create NAME'"):
        server.listen("0.0.0.0", 0, keyed=server.has_key(config))
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    key, _ = keys.create("me", [Scope.READ])
    with server.listen("0.0.0.0", 0, keyed=server.has_key(config)) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"
    keys.revoke(key.id)
    assert not server.has_key(config)


def test_an_exposed_service_needs_keys_though_its_database_is_gone(
    config: Config, docs: Path
) -> None:
    """It was bound with one; without the file nobody passes."""
    with TestClient(create_app(config, exposure=Exposure(keys_required=True))) as client:
        error_of(client.post("/v1/ask", json=ASK), 401, "unauthorized")
