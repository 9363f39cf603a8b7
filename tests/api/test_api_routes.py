"""The routes: the same JSON as the command line, one shape for every error."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api import errors, schemas
from api.app import create_app
from api.limits import MAX_BODY
from rag.answerer import Answerer
from rag.build import open_answerer
from rag.cli import main
from rag.config import Config
from rag.errors import GenerationError, IndexCorrupt, RagError
from rag.ingest import ingest
from rag.store import DATABASE
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.cli.runner import QUESTION, write

JSON = {"content-type": "application/json"}


def error_of(response: Any, status: int, code: str) -> str:
    """Check an error's status and shape and return its message."""
    assert response.status_code == status, response.text
    body = response.json()
    assert list(body) == ["error"] and sorted(body["error"]) == ["code", "message", "request_id"]
    assert response.headers["x-request-id"] == body["error"]["request_id"]
    assert body["error"]["code"] == code
    message: str = body["error"]["message"]
    assert message and "\n" not in message and "Traceback" not in message
    return message


# -- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["ask", "search"])
def test_answers_are_those_of_the_command_line(
    client: TestClient, config: Config, capsys: pytest.CaptureFixture[str], route: str
) -> None:
    """The same question gives the same JSON over HTTP as in a shell."""
    options = ["--embedder", "hash", "--generator", "none", "--index-dir", str(config.index_dir)]
    assert main([route, QUESTION, "-k", "3", "--json", *options]) == 0
    expected = json.loads(capsys.readouterr().out)
    found = client.post(f"/v1/{route}", json={"question": QUESTION, "k": 3})
    assert found.status_code == 200
    view = found.json()
    assert view.pop("id", "ans_").startswith("ans_")
    assert dict(view, timings=None) == dict(expected, timings=None)


@pytest.mark.parametrize(
    ("route", "model"), [("ask", schemas.ReplyOut), ("search", schemas.SearchOut)]
)
@pytest.mark.parametrize("question", [QUESTION, "Wer ist Kanzler?"])
def test_answers_are_as_the_schema_says(
    client: TestClient, route: str, model: type[BaseModel], question: str
) -> None:
    """What OpenAPI promises is what comes: every field, and no other."""
    body = client.post(f"/v1/{route}", json={"question": question}).text
    assert model.model_validate_json(body).model_dump(mode="json") == json.loads(body)


def test_requests_choose_index_mode_k_and_filters(
    client: TestClient, config: Config, tmp_path: Path
) -> None:
    """Everything that a request may say counts."""
    folder = write(tmp_path / "other", {"whales.txt": "Whales sing under water."})
    ingest([folder], "other", HashEmbedder(), config)

    def sources(**body: object) -> list[str]:
        response = client.post("/v1/search", json={"question": "cat milk", **body})
        return [hit["source"] for hit in response.json()["hits"]]

    assert sources(index="other") == ["whales.txt"]
    assert len(sources()) == config.k and len(sources(k=1)) == 1
    assert sources(mode="lexical") == ["animals/cats.md"]
    assert sources(filters={"language": "ru"}) == ["история.txt"]
    assert sources(filters={"since": "2000-01-01", "until": "2000-01-02"}) == []
    assert sources(filters={"metadata": {"author": "nobody"}}) == []
    answer = client.post("/v1/ask", json={"question": QUESTION, "filters": {"title": "dog"}})
    assert answer.json()["abstained"] is True


def test_many_threads_get_their_own_answers(client: TestClient) -> None:
    """Eight at a time: no answer is lost or mixed up."""
    questions = {"cat drinks cold milk": "animals/cats.md", "Danube Black Sea": "rivers.txt"}

    def best(question: str) -> str:
        hits = client.post("/v1/search", json={"question": question}).json()["hits"]
        return str(hits[0]["source"])

    asked = list(questions) * 12
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(best, asked)) == [questions[question] for question in asked]


def test_an_index_made_anew_is_opened_anew(client: TestClient, config: Config, docs: Path) -> None:
    """Deleted: 404. Ingested again under the same name: answered, without a restart."""
    body = {"question": "Which whales sing under water?"}
    assert client.post("/v1/search", json=body).status_code == 200
    for path in sorted((config.index_dir / "default").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    error_of(client.post("/v1/search", json=body), 404, "index_not_found")
    write(docs, {"whales.txt": "Humpback whales sing long songs under water."})
    ingest([docs], "default", HashEmbedder(), config)
    assert client.post("/v1/search", json=body).json()["hits"][0]["source"] == "whales.txt"


# -- health -------------------------------------------------------------------------------------


def test_hits_and_citations_name_all_files(client: TestClient, config: Config, docs: Path) -> None:
    """Files with the same bytes are one document, whose further files come with it."""
    write(docs, {"copy/cats.md": (docs / "animals/cats.md").read_text()})
    ingest([docs], "default", HashEmbedder(), config)
    (hit,) = client.post("/v1/search", json={"question": "cat milk", "k": 1}).json()["hits"]
    assert (hit["source"], hit["also_in"]) == ("animals/cats.md", ["copy/cats.md"])
    asked = {"question": QUESTION, "filters": {"source": "copy/*"}}
    (citation, *_) = client.post("/v1/ask", json=asked).json()["citations"]
    assert (citation["source"], citation["also_in"]) == ("animals/cats.md", ["copy/cats.md"])


def test_livez_and_readyz_of_a_server_that_works(client: TestClient) -> None:
    """Both say so; readyz once the models are loaded."""
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
    assert client.get("/readyz").json() == {"status": "ready"}


def test_readyz_needs_no_index(tmp_path: Path) -> None:
    """An index may be ingested after the server has started."""
    config = Config(index_dir=tmp_path, embedder="hash", generator="none")
    with TestClient(create_app(config)) as client:
        question = {"question": QUESTION}
        message = error_of(client.post("/v1/ask", json=question), 404, "index_not_found")
        assert "rag ingest" in message
        assert client.get("/readyz").status_code == 200


def test_readyz_tells_what_is_missing(config: Config, docs: Path, tmp_path: Path) -> None:
    """Models that are still loading, models that can not be had, a damaged index."""
    message = error_of(TestClient(create_app(config)).get("/readyz"), 503, "not_ready")
    assert "still being loaded" in message
    absent = Config(
        index_dir=config.index_dir, embedder="no/such", offline=True, model_dir=tmp_path / "none"
    )
    with TestClient(create_app(absent)) as client:
        question = {"question": QUESTION}
        told = error_of(client.post("/v1/ask", json=question), 503, "model_unavailable")
        assert "no weights for no/such" in told
        assert error_of(client.get("/readyz"), 503, "not_ready") == told
        assert client.get("/livez").status_code == 200
    (config.index_dir / "default" / DATABASE).write_bytes(b"not a database" * 1000)
    with TestClient(create_app(config)) as client:
        question = {"question": QUESTION}
        error_of(client.post("/v1/ask", json=question), 500, "index_corrupt")
        assert "is damaged" in error_of(client.get("/readyz"), 503, "not_ready")


def test_openapi_tells_requests_answers_and_errors(client: TestClient) -> None:
    """The description is served here; no page loads scripts from elsewhere."""
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/livez", "/readyz", "/metrics", "/v1/ask", "/v1/documents"} <= set(paths)
    responses = paths["/v1/ask"]["post"]["responses"]
    expected = ["200", "401", "403", "404", "409", "413", "422", "429", "500", "503"]
    assert sorted(responses) == expected
    reference = responses["422"]["content"]["application/json"]["schema"]["$ref"]
    assert reference.endswith("/ErrorOut")
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "question: Field required"),
        ({"question": 1}, "question: Input should be a valid string"),
        ({"question": " "}, "the question is empty"),
        ({"question": "x" * 100_000}, "the question has 100,000 characters"),
        ({"question": "x", "k": 0}, "k: Input should be greater than or equal to 1"),
        ({"question": "x", "k": 101}, "k: Input should be less than or equal to 100"),
        ({"question": "x", "k": "5"}, "k: Input should be a valid integer"),
        ({"question": "x", "mode": "sideways"}, "mode: Input should be 'hybrid'"),
        ({"question": "x", "index": "../docs"}, "index name '../docs' is not usable"),
        ({"question": "x", "filters": {"since": "soon"}}, "filters.since: Input should be"),
        ({"question": "x", "filters": {"colour": "red"}}, "filters.colour: Extra inputs"),
        ({"question": "x", "answer": "y"}, "answer: Extra inputs are not permitted"),
        ([], "body: Input should be"),
    ],
)
def test_malformed_requests_are_422(client: TestClient, body: object, named: str) -> None:
    """What is wrong is named; what was sent is not sent back."""
    message = error_of(client.post("/v1/ask", json=body), 422, "invalid_request")
    assert message.startswith(named) and len(message) < 300


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"question": "\\ud800"}', b"[" * 90_000])
def test_bodies_that_are_no_json_are_refused(client: TestClient, content: bytes) -> None:
    """Broken, undecodable, or nested too deeply: 4xx in the shape of all errors."""
    response = client.post("/v1/ask", content=content, headers=JSON)
    assert response.status_code in (400, 422)
    error_of(response, response.status_code, "invalid_request")


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/chat/completions"])
def test_broken_json_is_told_with_its_place(client: TestClient, route: str) -> None:
    """To clients of either kind."""
    said = client.post(route, content=b'{"question": x}', headers=JSON).json()["error"]
    assert said["message"] == "the body is no JSON: Expecting value, at character 13"
    assert said.get("param") is None


def test_json_that_is_not_said_to_be_json_is_refused(client: TestClient) -> None:
    """What a client sends that forgets the header; the message names it."""
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        response = client.post("/v1/ask", content=b'{"question": "x"}', headers=headers)
        message = error_of(response, 422, "invalid_request")
        assert "'Content-Type: application/json'" in message


def test_large_bodies_are_refused_with_and_without_a_length(client: TestClient) -> None:
    """413 before parsing; a body of just the limit is read."""

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * (MAX_BODY // 10)

    for content in (b" " * (MAX_BODY + 1), chunks()):
        response = client.post("/v1/ask", content=content, headers=JSON)
        assert "at most 1,000,000 bytes" in error_of(response, 413, "content_too_large")
    body = json.dumps({"question": QUESTION}).encode()
    padded = body + b" " * (MAX_BODY - len(body))
    assert client.post("/v1/search", content=padded, headers=JSON).status_code == 200


def test_unknown_paths_and_methods_have_the_shape_of_errors(client: TestClient) -> None:
    """404 and 405 too; the latter says what is allowed."""
    error_of(client.get("/v2/ask"), 404, "not_found")
    response = client.get("/v1/ask")
    error_of(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_another_site_gets_no_permission(client: TestClient) -> None:
    """No CORS: a page from elsewhere can not read answers, nor post JSON as plain text."""
    origin = {"origin": "https://elsewhere.example"}
    response = client.post("/v1/search", json={"question": QUESTION}, headers=origin)
    assert "access-control-allow-origin" not in response.headers
    plain = client.post(
        "/v1/search", content=b'{"question": "cat"}', headers={"content-type": "text/plain"}
    )
    error_of(plain, 422, "invalid_request")


def test_an_index_of_another_model_is_a_conflict(
    client: TestClient, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409, naming both."""
    folder = write(tmp_path / "other", {"whales.txt": "Whales sing under water."})
    monkeypatch.setattr(HashEmbedder, "fingerprint", "hash-2")
    ingest([folder], "other", HashEmbedder(), config)
    monkeypatch.undo()
    response = client.post("/v1/ask", json={"question": "whales", "index": "other"})
    assert "hash-2" in error_of(response, 409, "index_mismatch")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GenerationError("the generator stopped"), "generation_failed"),
        (IndexCorrupt("damaged"), "index_corrupt"),
        (ZeroDivisionError("a secret"), "internal"),
    ],
)
def test_failures_on_the_way_are_500(
    config: Config, docs: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    """Ours with their message; a bug without what it says."""

    def fail(*arguments: object, **options: object) -> None:
        raise error

    app = create_app(config, open_index=lambda name: open_answerer(config, name))
    monkeypatch.setattr("rag.answerer.Answerer.events", fail)
    client = TestClient(app, raise_server_exceptions=False)
    message = error_of(client.post("/v1/ask", json={"question": QUESTION}), 500, code)
    assert "secret" not in message


def test_every_error_has_a_status() -> None:
    """A class that the table does not name has the status of the class above it."""

    def below(kind: type[RagError]) -> list[type[RagError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in below(child))]

    assert {errors.status_of(kind("x")) for kind in below(RagError)} == {404, 409, 422, 500, 503}


# -- conversations ------------------------------------------------------------------------------


def test_a_follow_up_is_completed_from_the_history(client: TestClient) -> None:
    """`question` is what was searched, `asked` what was asked; the citations are this turn's."""
    history = [{"question": QUESTION, "answer": "The cat drinks petrol [1]."}]
    view = client.post("/v1/ask", json={"question": "And the dog?", "history": history}).json()
    assert view["asked"] == "And the dog?" and "milk" in view["question"]
    assert "petrol" not in json.dumps([view["answer"], view["citations"]])
    alone = client.post("/v1/ask", json={"question": "And the dog?"}).json()
    assert alone["question"] == alone["asked"] == "And the dog?"


@pytest.mark.parametrize(
    "history",
    [
        "x",
        [{"answer": "x"}],
        [{"question": ""}],
        [{"question": "x", "role": "system"}],
        [{"question": "x" * 4_001}],
        [{"question": "x", "answer": "x" * 20_001}],
        [{"question": "x"}] * 21,
    ],
)
def test_a_history_that_is_none_or_too_much_is_refused(client: TestClient, history: object) -> None:
    """422, with what is wrong; nor does search take one."""
    body = {"question": QUESTION, "history": history}
    error_of(client.post("/v1/ask", json=body), 422, "invalid_request")
    error_of(client.post("/v1/search", json=body), 422, "invalid_request")


# -- where claims come from ----------------------------------------------------------------------


def test_claims_are_explained_on_request(config: Config, docs: Path) -> None:
    """`explain` adds what the schema says, and nothing is changed by it."""

    def open_index(name: str) -> Answerer:
        opened = open_answerer(config, name)
        return Answerer(opened.retriever, ScriptedGenerator(["No."]), opened.verifier, config)

    with TestClient(create_app(config, open_index=open_index)) as client:
        plain = client.post("/v1/ask", json={"question": QUESTION}).json()
        body = client.post("/v1/ask", json={"question": QUESTION, "explain": True}).text
    view = json.loads(body)
    assert schemas.ExplainedReplyOut.model_validate_json(body).model_dump(mode="json") == view
    assert view["explain"][0]["summary"].startswith("from the passages (+")
    assert plain.keys() | {"explain", "explain_notes"} == view.keys()
    assert plain["answer"] == view["answer"] and plain["claims"] == view["claims"]


def test_nothing_is_explained_without_a_generator(client: TestClient) -> None:
    """422 with the remedy; and it is true or false, nothing like it."""
    body = {"question": QUESTION, "explain": True}
    message = error_of(client.post("/v1/ask", json=body), 422, "invalid_request")
    assert "generator is 'none'" in message
    for wrong in ("yes", 1, None):
        response = client.post("/v1/ask", json=body | {"explain": wrong})
        assert "explain: Input should be" in error_of(response, 422, "invalid_request")
    assert client.post("/v1/search", json=body).status_code == 422
