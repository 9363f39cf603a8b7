"""What is seen from outside: metrics, logs, traces, readiness; and what must not be."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.database import DATABASE, ServiceDatabase
from api.engine import Engine
from api.keys import Keys, Scope
from api.logs import Contentless, configure_logs
from api.tracing import instrument, trace_with
from rag.config import Config
from rag.errors import ConfigError
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.api.test_api_routes import error_of
from tests.api.test_service_access import Bearer, bearer  # noqa: F401
from tests.api.test_service_documents import files, uploaded
from tests.cli.runner import QUESTION, write

ASK = {"question": QUESTION}
CANARY = "kanarek7431"


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Log as the server does; give what reads the lines."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    configure_logs()
    try:
        yield lambda: capsys.readouterr().err
    finally:
        structlog.reset_defaults()
        root.handlers, root.level = before, level


def metrics(client: TestClient, headers: dict[str, str] | None = None) -> dict[str, float]:
    """Return the samples of /metrics by name and labels."""
    text = client.get("/metrics", headers=headers).text
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# -- metrics --------------------------------------------------------------------------------------


def test_metrics_count_answers_verdicts_stages_and_abstentions(client: TestClient) -> None:
    """In a form that Prometheus's own parser reads."""
    client.post("/v1/ask", json=ASK)
    client.post("/v1/ask", json=ASK | {"strictness": 1.0, "question": "Who is chancellor?"})
    found = metrics(client)
    assert sum(v for k, v in found.items() if k.startswith("rag_answers_total")) == 2
    assert found['rag_answers_total{"outcome": "quoted"}'] == 1
    assert found['rag_claims_total{"verdict": "supported"}'] >= 1
    assert found['rag_stage_seconds_count{"stage": "search"}'] == 2
    route = '{"method": "POST", "route": "/v1/ask", "status": "200"}'
    assert found[f"rag_request_seconds_count{route}"] == 2
    assert found["rag_active{}"] == found["rag_waiting{}"] == found["rag_draining{}"] == 0
    assert found["rag_index_documents{}"] == 8 <= found["rag_index_passages{}"]
    assert found['rag_embedding_cache_total{"result": "miss"}'] > 0


def test_the_second_time_nothing_is_embedded(client: TestClient) -> None:
    """The cache's hits grow, its misses do not."""
    client.post("/v1/ask", json=ASK)
    miss, hit = (f'rag_embedding_cache_total{{"result": "{name}"}}' for name in ("miss", "hit"))
    before = metrics(client)
    client.post("/v1/ask", json=ASK)
    after = metrics(client)
    assert after[miss] == before[miss] and after[hit] > before[hit]


def test_made_up_paths_make_no_labels(client: TestClient) -> None:
    """Else anybody could fill the memory of whoever counts."""
    for i in range(5):
        client.get(f"/nothing/{i}")
        client.get(f"/v1/documents/made-up-{i}")
        client.request(f"VERB{i}", "/livez")
    found = " ".join(metrics(client))
    assert "made-up" not in found and "nothing" not in found and "VERB" not in found
    assert '"route": "unknown"' in found


# -- logs -----------------------------------------------------------------------------------------


def test_a_request_is_one_line_of_the_log(config: Config, docs: Path, logged: Any) -> None:
    """Id, route, status, bytes and time."""
    with TestClient(create_app(config)) as client:
        client.post("/v1/ask", json=ASK, headers={"X-Request-ID": "abc"})
    lines = [json.loads(line) for line in logged().splitlines()]
    (line,) = [line for line in lines if line.get("id") == "abc"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/ask", 200)
    assert line["bytes"] > 0 and line["seconds"] >= 0 and line["key"] is None


def test_errors_are_logged_by_place_not_by_what_they_say(logged: Any) -> None:
    """Neither a message, nor its arguments, nor the text of an exception."""
    logger = logging.getLogger("somewhere")
    try:
        raise ValueError(CANARY)
    except ValueError:
        logger.exception("failed for %s", CANARY)
    logger.error(CANARY)
    out = logged()
    assert CANARY not in out
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["error"] == "ValueError" and first["event"] == "failed for %s"
    assert "test_errors_are_logged" in first["trace"][-1] and second["logger"] == "somewhere"
    assert isinstance(logging.getLogger().handlers[0], Contentless)


def test_canaries_stay_where_they_were_put(
    config: Config,
    docs: Path,
    tmp_path: Path,
    logged: Any,
    bearer: Bearer,  # noqa: F811
) -> None:
    """In keys, questions, claims, documents, file names, collections: in no log, metric or
    error of anybody else."""
    admin = bearer(Scope.READ, Scope.WRITE, Scope.ADMIN)
    token = admin["Authorization"].removeprefix("Bearer ")
    text = f"The word is {CANARY}. It is said every morning.\n".encode()
    told = []
    with TestClient(create_app(config)) as client:
        client.headers.update(admin)
        client.post("/v1/collections", json={"name": f"c-{CANARY}"})
        given = files(**{f"{CANARY}__md": text}) + files(broken__pdf=b"%PDF " + text)
        uploaded(client, given, f"c-{CANARY}")
        for body in ({"collection": f"c-{CANARY}"}, {"stream": True}, {"k": CANARY}):
            asked = {"question": f"What about {CANARY}?"} | body
            client.post("/v1/ask", json=asked, headers={"Cookie": CANARY})
        client.post("/v1/check", json={"claim": CANARY, "sources": [CANARY]})
        client.post("/v1/feedback", json={"answer": CANARY, "rating": "up"})
        client.post("/v1/ask", content=b'{"question": "' + CANARY.encode())
        client.get(f"/{CANARY}?{CANARY}={CANARY}")
        client.get(f"/v1/documents/{CANARY}", headers={"X-Request-ID": f"<{CANARY}>"})
        client.request("DELETE", f"/v1/collections/c-{CANARY}x")
        told.append(client.get("/metrics").text)
        for headers in ({"Authorization": f"Bearer {CANARY}"}, {"Authorization": f"Bear {token}"}):
            refused = client.post("/v1/ask", json={"question": CANARY}, headers=headers)
            told.append(error_of(refused, 401, "unauthorized"))
        told.append(client.get("/readyz").text)
    told.append(logged())
    secret = token.rpartition("_")[2]
    assert told[-1].count("\n") > 10
    for each in told:
        assert CANARY not in each and token not in each and secret not in each


# -- traces ---------------------------------------------------------------------------------------


def test_a_span_a_request_with_the_stages_of_its_answer(config: Config, docs: Path) -> None:
    """And nothing of what was asked."""
    export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    exporter = export.InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(config)
    trace_with(app, provider)
    with TestClient(app) as client:
        client.post("/v1/ask", json=ASK, headers={"X-Request-ID": "abc"})
    (span,) = exporter.get_finished_spans()
    assert span.name == "POST /v1/ask" and span.attributes is not None
    assert span.attributes["rag.request_id"] == "abc"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["rag.stage.search.seconds"] > 0
    assert QUESTION not in span.to_json()


def test_traces_are_off_unless_they_are_configured(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the variable nothing is added; with it and without the SDK, it is told."""
    app = create_app(config)
    before = list(app.user_middleware)
    instrument(app)
    assert app.user_middleware == before
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"citable-rag\[otel\]"):
        instrument(app)


# -- readiness ------------------------------------------------------------------------------------


def test_a_database_with_broken_pages_is_not_ready(
    config: Config, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite is asked once at the start; a repair is noticed."""
    sound = [False]
    monkeypatch.setattr("rag.store.Store.healthy", lambda store: sound[0])
    engine = Engine(config, "default")
    engine.start()
    engine.embedder()
    assert engine._verified.wait(10)
    assert "is damaged" in (engine.missing() or "")
    sound[0] = True
    assert engine.missing() is None


# -- two tenants ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_tenants_never_see_each_other(config: Config, docs: Path, tmp_path: Path) -> None:
    """A thousand requests of two keys at the same time: no word of the other's comes back."""
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    names, headers = ("red", "blue"), {}
    for name in names:
        texts = {f"{i}.md": f"{name} fact {i}: the {name} code is {name}{i}.\n" for i in range(20)}
        ingest([write(tmp_path / name, texts)], name, HashEmbedder(), config)
        _, token = keys.create(name, list(Scope), [name])
        headers[name] = {"Authorization": f"Bearer {token}"}
    from dataclasses import replace

    app = create_app(replace(config, rate_limit=0, max_waiting=1000))
    with TestClient(app) as client:

        def ask(i: int) -> tuple[str, str]:
            me, other = names if i % 2 else names[::-1]
            question = f"What is the {other} code {i % 20}? {me} fact {i % 20}"
            route = ("ask", "search", "ask")[i % 3]
            # Every tenth asks for what is the other's outright.
            where = other if i % 10 == 0 else me
            body = {"question": question, "collection": where}
            if route == "ask" and i % 4 == 0:
                body["stream"] = True  # type: ignore[assignment]
            response = client.post(f"/v1/{route}", json=body, headers=headers[me])
            assert response.status_code == (404 if where == other else 200), response.text
            return other, response.text.replace(question, "").replace(f"'{other}'", "")

        with ThreadPoolExecutor(8) as pool:
            for other, text in pool.map(ask, range(1_000)):
                assert f"{other} fact" not in text and f"the {other} code is" not in text
