"""Two tenants of one service, asking at the same time: neither reads a word of the other's."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.database import DATABASE, ServiceDatabase
from api.keys import Keys, Scope
from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.acceptance.conftest import scaled
from tests.api.test_service_load import app_of
from tests.cli.runner import write

SUBJECTS = ("vault", "harbour", "orchard", "station", "library")
CANARY = {"red": "porcupine", "blue": "flamingo"}


@dataclass
class Tenant:
    """One of two: its collection, its key, and what it has stored.

    Attributes:
        documents, answers: ids that the other one tries.
    """

    name: str
    headers: dict[str, str]
    documents: list[str]
    answers: list[str]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[TestClient, list[Tenant]]]:
    """A service over two collections that say the same but for a word of each."""
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none", rate_limit=0)
    for name, word in CANARY.items():
        files = {f"{s}.md": f"# {s}\n\nThe {s} opens with the word {word}{s}.\n" for s in SUBJECTS}
        ingest([write(tmp_path / name, files)], name, HashEmbedder(), config)
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    # It says whatever it is shown.
    generator = ScriptedGenerator(lambda messages: messages[-1].content)
    with TestClient(app_of(config, generator)) as client:
        tenants = []
        for name in CANARY:
            _, token = keys.create(name, [Scope.READ], [name])
            headers = {"Authorization": f"Bearer {token}"}
            listed = client.get(f"/v1/documents?collection={name}", headers=headers).json()
            documents = [each["id"] for each in listed["documents"]]
            tenants.append(Tenant(name, headers, documents, []))
        yield client, tenants


def request_of(chance: random.Random, mine: Tenant, other: Tenant) -> tuple[str, str, Any]:
    """Return a method, a path and a body: what a tenant may ask, or would like to."""
    subject = chance.choice(SUBJECTS)
    collection = chance.choice((mine.name, mine.name, other.name))
    question = f"Which word opens the {subject}, {chance.choice(list(CANARY.values()))}{subject}?"
    message = [{"role": "user", "content": question}]
    theirs = chance.choice(other.documents)
    answer = chance.choice(other.answers or ["ans_none"])
    return chance.choice(
        (
            ("POST", "/v1/ask", {"question": question, "collection": collection}),
            ("POST", "/v1/ask", {"question": question, "collection": collection, "stream": True}),
            ("POST", "/v1/search", {"question": question, "collection": collection}),
            ("POST", "/v1/chat/completions", {"model": f"rag:{collection}", "messages": message}),
            ("GET", f"/v1/documents?collection={collection}", None),
            ("GET", f"/v1/documents/{theirs}?collection={collection}", None),
            ("GET", f"/v1/answers/{answer}", None),
            ("GET", "/v1/collections", None),
            ("GET", "/v1/models", None),
        )
    )


def test_two_tenants_never_read_each_other(served: tuple[TestClient, list[Tenant]]) -> None:
    """Requests of both, mixed, by name, by id and by question: no word that was not one's own."""
    client, tenants = served
    count = scaled(1000, 80)

    def ask(number: int) -> tuple[int, bool]:
        chance = random.Random(number)
        mine, other = tenants[number % 2], tenants[1 - number % 2]
        method, path, body = request_of(chance, mine, other)
        response = client.request(method, path, json=body, headers=mine.headers)
        if response.status_code == 200 and path == "/v1/ask" and not body.get("stream"):
            mine.answers.append(response.json()["id"])
        # A question that guesses the other's word may be given back; what its files say, never.
        leaked = f"with the word {CANARY[other.name]}" in response.text or (
            body is None and CANARY[other.name] in response.text
        )
        owned = f"word {CANARY[mine.name]}" in response.text
        assert response.status_code in (200, 404), response.text
        assert not leaked, (path, body, response.text[:300])
        return response.status_code, owned

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(count)))
    answered = sum(status == 200 for status, _ in found)
    assert sum(owned for _, owned in found) > count // 10  # each does read its own
    print(f"{count} requests, {answered} answered, {count - answered} not found, 0 leaks")
