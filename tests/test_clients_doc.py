"""docs/clients.md shows what works: its programs and commands are run, its configurations read.

As in tests/test_readme.py fakes stand in for the models, and shapes are compared.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from typer.main import get_group

from api import server
from api.app import create_app
from rag.cli import app
from rag.config import Config, load_config
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.test_readme import ROOT, URL, differences, values

pytestmark = pytest.mark.slow  # what it imports

DOC = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """Return the commands of the consoles, and what they show."""
    pattern = r"^\$ (.+)\n((?:(?!\$ ).*\n)*)"
    return [pair for block in blocks("console") for pair in re.findall(pattern, block, re.M)]


@dataclass(frozen=True)
class Served:
    """A server over the sample corpus, and the folder it runs in."""

    url: str
    place: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real server over the sample corpus, with fakes."""
    place = tmp_path_factory.mktemp("clients")
    config = Config(index_dir=place / "indexes", embedder="hash", generator="none")
    shutil.copytree(ROOT / "corpus", place / "corpus")
    # The server that a program starts has none of its variables: the package is found beside it.
    (place / "rag").symlink_to(ROOT / "rag")
    ingest([place / "corpus"], "demo", HashEmbedder(), config)
    with server.listen("127.0.0.1", 0) as listener:
        settings = uvicorn.Config(create_app(config, index="demo"), log_level="warning")
        running = uvicorn.Server(settings)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", place)
        finally:
            running.should_exit = True
            thread.join(20)


@pytest.mark.parametrize("source", blocks("python"), ids=["openai", "mcp"])
def test_programs_run(source: str, served: Served) -> None:
    """As they are shown, but for the port and the models."""
    program = served.place / "program.py"
    program.write_text(source.replace(URL, served.url), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    done = subprocess.run(
        [sys.executable, program.name],
        cwd=served.place,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "citation" in done.stdout.casefold()


@pytest.mark.parametrize(("command", "shown"), commands(), ids=lambda text: text[:60])
def test_commands_show_what_is_shown(command: str, shown: str, served: Served) -> None:
    """The same keys and types; "…" stands for what is left out."""
    words = shlex.split(command)
    assert words[:2] == ["curl", "-s"]
    url = words[2].replace(URL, served.url)
    if "-d" not in words:
        answer = httpx.get(url)
    else:
        name, value = words[words.index("-H") + 1].split(": ")
        content = words[words.index("-d") + 1]
        answer = httpx.post(url, content=content, headers={name: value})
    (told,) = values(shown)
    assert not list(differences(told, answer.json()))


@pytest.mark.parametrize("block", blocks("json"))
def test_configurations_start_what_there_is(block: str) -> None:
    """Their options are options of `rag mcp`, and their variables are settings."""
    (entry,) = json.loads(block)["mcpServers"].values()
    name, *arguments = entry["args"]
    command = get_group(app).commands[name]
    assert name == "mcp" and command.make_context("rag mcp", list(arguments)).params
    assert load_config(environ=entry.get("env", {})) is not None
    assert entry["command"].startswith("/") and not arguments[arguments.index("--index-dir") + 1][
        :1
    ].strip("/")


def test_the_yaml_is_yaml() -> None:
    """With the address and a collection."""
    (block,) = blocks("yaml")
    (entry,) = yaml.safe_load(block)["endpoints"]["custom"]
    assert entry["baseURL"] == f"{URL}/v1" and entry["models"]["default"] == ["rag:demo"]


def test_every_field_that_is_refused_is_told() -> None:
    """The table names all of them."""
    from api.openai.schemas import ChatIn, ResponseIn

    fields: set[Any] = set(ChatIn.model_fields) | set(ResponseIn.model_fields)
    untold = {"model", "stream", "stream_options", "text", "prompt", "modalities", "top_logprobs"}
    assert not [name for name in fields - untold if name not in DOC and name != "function_call"]
