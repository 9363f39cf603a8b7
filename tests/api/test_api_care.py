"""A server follows what is done to an index beside it."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.care.compact import compact
from rag.care.delete import delete
from rag.care.migrate import migrate
from rag.care.repair import repair
from rag.care.snapshot import restore, snapshot
from rag.config import Config
from tests.care.test_migrate import NarrowEmbedder
from tests.core.bench import sql

pytestmark = pytest.mark.slow


def sources(client: TestClient) -> set[str]:
    """Return the sources that a search finds."""
    answer = client.post("/v1/search", json={"question": "cats and dogs and rivers", "k": 50})
    assert answer.status_code == 200, answer.text
    return {hit["source"] for hit in answer.json()["hits"]}


def test_a_server_follows_delete_compact_and_restore(
    client: TestClient, config: Config, docs: Path, tmp_path: Path
) -> None:
    """Without restart, each with the next request."""
    index = config.index_dir / "default"
    before = sources(client)
    snapshot(index, tmp_path / "file")
    gone = sorted(before)[0]
    delete(index, [gone])
    assert sources(client) == before - {gone}
    compact(index)
    assert sources(client) == before - {gone}
    restore(index, tmp_path / "file", replace=True)
    assert sources(client) == before
    assert client.get("/readyz").status_code == 200


def test_a_server_is_told_of_a_broken_index_and_follows_its_repair(
    client: TestClient, config: Config, docs: Path, tmp_path: Path
) -> None:
    """500 with the damage named; after a repair or a restore it answers again."""
    index = config.index_dir / "default"
    before = sources(client)
    snapshot(index, tmp_path / "file")
    sql(index / "store.sqlite3", "UPDATE passages SET text = 'x' WHERE row = 1")
    body = {"question": "cats and dogs and rivers", "k": 50}
    assert client.post("/v1/search", json=body).status_code == 500
    repair(index)
    assert len(before) - len(sources(client)) == 1
    (index / "store.sqlite3").write_bytes(bytes(8192))
    assert repair(index).database is not None
    assert client.post("/v1/search", json=body).status_code == 404
    restore(index, tmp_path / "file")
    assert sources(client) == before


def test_a_server_refuses_what_was_migrated_to_another_model(
    client: TestClient, config: Config, docs: Path, tmp_path: Path
) -> None:
    """409 until it is started with that model: no answer mixes two."""
    index = config.index_dir / "default"
    before = sources(client)
    migrate(index, NarrowEmbedder(), config, keep_old=tmp_path / "old")
    refused = client.post("/v1/search", json={"question": "cats"})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "index_mismatch"
    restore(index, tmp_path / "old", replace=True)
    assert sources(client) == before
