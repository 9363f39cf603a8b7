"""What the tests of the command line start from."""

import os
import shutil
from pathlib import Path

import pytest

from rag.cli import main
from rag.config import Config
from rag.ingest import ingest
from rag.store import DATABASE
from rag.testing import HashEmbedder
from tests.cli.runner import DOCUMENTS, Result, Run, write
from tests.core.bench import sql


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without models."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("RAG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_EMBEDDER", "hash")
    monkeypatch.setenv("RAG_GENERATOR", "none")
    return tmp_path


@pytest.fixture
def rag(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def docs(place: Path) -> Path:
    """A folder of documents."""
    return write(place / "docs", DOCUMENTS)


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder and its index, made once; not to be changed."""
    place = tmp_path_factory.mktemp("ingested")
    docs = write(place / "docs", DOCUMENTS)
    ingest([docs], "default", HashEmbedder(), Config(index_dir=place / "indexes"))
    return place


@pytest.fixture
def index(ingested: Path, docs: Path, place: Path) -> None:
    """The folder, ingested."""
    shutil.copytree(ingested / "docs", docs, dirs_exist_ok=True)
    shutil.copytree(ingested / "indexes", place / "indexes")
    sql(place / "indexes/default" / DATABASE, "UPDATE roots SET path = ?", str(docs))
