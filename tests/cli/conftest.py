"""What the tests of the command line start from."""

import os
from pathlib import Path

import pytest

from rag.cli import main
from tests.cli.runner import DOCUMENTS, Result, Run, write


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


@pytest.fixture
def index(rag: Run, docs: Path) -> None:
    """The folder, ingested."""
    assert rag("ingest", docs).code == 0
