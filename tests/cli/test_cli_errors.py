"""Bad input: one clear line, the exit code of its kind, and nothing lost."""

from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from fpdf import FPDF

from rag.store import DATABASE
from rag.testing import HashEmbedder
from tests.cli.runner import DOCUMENTS, QUESTION, Run, write


@pytest.fixture
def still_answers(rag: Run, index: None) -> Iterator[None]:
    """Whatever the test does to an index that was there, it answers as before."""
    before = rag("search", QUESTION, "--json").json
    yield
    assert rag("search", QUESTION, "--json").json == before
    assert rag("status", "--json").json["healthy"]


# -- arguments ----------------------------------------------------------------------------------


BAD_ARGUMENTS = {
    "ingest": "Missing argument 'PATH",
    "ingest nowhere": "'nowhere' does not exist",
    "ingest docs nowhere": "'nowhere' does not exist",
    "ingest docs --passage-tokens 3": "passage_tokens is 3; expected a number from 16",
    "search": "expected either one question or --queries FILE",
    "ask one two": "two",
    "ask one --questions x.jsonl": "expected either one question or --questions FILE",
    "search cat -k 0": "k is 0; expected a number from 1 to 100",
    "search cat -k 101": "k is 101",
    "search cat -k many": "'-k'",
    "search cat --mode sideways": "'hybrid', 'dense', 'lexical'",
    "search cat --device tpu": "device is 'tpu'; expected one of auto, cpu, cuda",
    "search cat --since yesterday": "--since is 'yesterday'; expected a date",
    "search cat --metadata author": "--metadata is 'author'; expected KEY=VALUE",
    "search cat --index ../docs": "index name '../docs' is not usable",
    "ingest docs --index ..": "index name '..' is not usable",
    "status --index a/b": "index name 'a/b' is not usable",
    "serve --port 70000": "'--port'",
    "serve --host 0.0.0.0": "host '0.0.0.0' is beyond this machine",
    "search cat --bogus": "--bogus",
    "no-such-command": "no-such-command",
    "models": "Missing command",
}
BAD_QUESTIONS = {
    "": "the question is empty",
    " \n\t": "the question is empty",
    "x" * 100_000: "the question has 100,000 characters; expected at most 4,000",
    "cat \udcff": "the question is not valid text",
}


@pytest.mark.usefixtures("still_answers")
def test_bad_arguments_end_with_code_2(rag: Run) -> None:
    """Each is told in one line that names it, before anything is done."""
    for arguments, named in BAD_ARGUMENTS.items():
        result = rag(*arguments.split())
        assert (result.code, named in result.error) == (2, True), (arguments, result)


@pytest.mark.usefixtures("still_answers")
def test_bad_questions_end_with_code_2(rag: Run) -> None:
    """A question that is none is refused, and a long one not echoed."""
    for question, named in BAD_QUESTIONS.items():
        for command in ("search", "ask"):
            result = rag(command, question, "--json")
            assert (result.code, named in result.error) == (2, True), (command, result)
            assert len(result.err) < 300


def test_help_and_version_are_results(rag: Run) -> None:
    """Without arguments, with --help or --version: standard output, exit code 0."""
    assert rag().out == rag("--help").out != ""
    assert rag("ask", "-h").code == 0
    assert rag("--version").out.count(".") == 2


# -- documents ----------------------------------------------------------------------------------


def _pdf(path: Path, password: str = "") -> bytes:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=12)
    document.write(text="Whales sing under water. " * 40)
    document.output(str(path))
    if password:
        writer = pypdf.PdfWriter(clone_from=path)
        writer.encrypt(password, algorithm="RC4-128")
        writer.write(path)
    return path.read_bytes()


@pytest.mark.usefixtures("still_answers")
def test_an_empty_folder_is_refused(rag: Run, place: Path) -> None:
    """A folder without documents is a mistake, and makes no index."""
    (place / "empty").mkdir()
    (place / "empty" / "photo.png").write_bytes(b"\x89PNG")
    for index in ("default", "new"):
        result = rag("ingest", "empty", "--index", index)
        assert "holds no file that can be ingested (1 skipped)" in result.error
        assert result.code == 2
    assert not (place / "indexes/new").exists()


@pytest.mark.usefixtures("still_answers")
def test_bad_files_fail_by_name_and_the_others_are_ingested(rag: Run, place: Path) -> None:
    """Empty, binary, truncated and encrypted files: exit code 3, each with its reason."""
    folder = write(place / "mixed", {"good.txt": "Whales sing under water.", "empty.md": ""})
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 64)
    (folder / "cut.pdf").write_bytes(_pdf(folder / "cut.pdf")[:500])
    _pdf(folder / "locked.pdf", "secret")
    result = rag("ingest", "mixed", "--index", "mixed", "--json")
    documents = result.json["documents"]
    reasons = {item["source"]: item["error"] for item in documents["failed"]}
    assert result.code == 3
    assert sorted(reasons) == ["binary.txt", "cut.pdf", "empty.md", "locked.pdf"]
    assert "password" in reasons["locked.pdf"] or "encrypted" in reasons["locked.pdf"]
    assert all(reason and "\n" not in reason for reason in reasons.values())
    assert documents["added"] == 1
    hits = rag("search", "whales", "--index", "mixed", "--json").json["hits"]
    assert [hit["source"] for hit in hits] == ["good.txt"]


@pytest.mark.usefixtures("index")
def test_a_file_that_turns_bad_keeps_its_earlier_version(rag: Run, docs: Path) -> None:
    """What can not be read any more is reported, and stays in the index as it was."""
    (docs / "law.txt").write_bytes(b"\x00\x01\x02\x03" * 1000)
    result = rag("ingest", "docs", "--json")
    assert result.code == 3
    assert [item["source"] for item in result.json["documents"]["failed"]] == ["law.txt"]
    hits = rag("search", "When is a contract void?", "--json").json["hits"]
    assert hits[0]["source"] == "law.txt"


@pytest.mark.usefixtures("index")
def test_much_is_deleted_only_when_confirmed(
    rag: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most documents gone: refused without a terminal, asked on one, done with --yes."""
    for name in list(DOCUMENTS)[:6]:
        (docs / name).unlink()
    refused = rag("ingest", "docs")
    assert "6 of the index's 8 documents are gone" in refused.error
    assert "--yes" in refused.error and refused.code == 2
    assert rag("status", "--json").json["documents"] == 8
    asked: list[tuple[int, int]] = []

    def no(gone: int, total: int) -> bool:
        asked.append((gone, total))
        return False

    monkeypatch.setattr("rag.ingest_commands._confirmed", no)
    assert rag("ingest", "docs").code == 2
    assert asked == [(6, 8)]
    assert rag("ingest", "docs", "--yes", "--json").json["documents"]["deleted"] == 6
    assert rag("status", "--json").json["documents"] == 2


# -- indexes ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("still_answers")
def test_an_unknown_index_ends_with_code_4(rag: Run) -> None:
    """The line names the index, the folder and how to make one."""
    for command in (["search", "cat"], ["ask", "cat"], ["status"]):
        result = rag(*command, "--index", "nope", "--json")
        assert "there is no index 'nope' in indexes; make one with 'rag ingest" in result.error
        assert result.code == 4


@pytest.mark.usefixtures("still_answers")
def test_another_model_ends_with_code_5(rag: Run) -> None:
    """An index made with another embedding model is neither searched nor added to."""
    for command in (["search", "cat"], ["ask", "cat"], ["ingest", "docs"]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HashEmbedder, "fingerprint", "hash-2")
            result = rag(*command, "--json")
        assert "index 'default' was made with embedder_fingerprint hash-1" in result.error
        assert "--embedder" in result.error and result.code == 5


@pytest.mark.usefixtures("index")
def test_a_damaged_index_ends_with_code_5(rag: Run, place: Path) -> None:
    """A database that is none is told as such, with the remedy."""
    (place / "indexes/default" / DATABASE).write_bytes(b"not a database" * 1000)
    for command in (["search", "cat"], ["ask", "cat"], ["status"], ["ingest", "docs"]):
        result = rag(*command)
        assert "is damaged" in result.error and "restore a snapshot" in result.error
        assert result.code == 5


def test_missing_weights_end_with_code_6(rag: Run, docs: Path, place: Path) -> None:
    """Offline and without a cache the line names where was looked, and the remedies."""
    options = ["--offline", "--model-dir", place / "none", "--embedder", "no/such-model"]
    result = rag("ingest", docs, *options)
    assert "no weights for no/such-model" in result.error and "RAG_MODEL_DIR" in result.error
    assert result.code == 6
    assert rag("models", "path", "no/such-model", *options).code == 6
    assert not (place / "indexes").exists()


# -- the program ------------------------------------------------------------------------------


def test_unexpected_errors_are_one_line(
    rag: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours: its name and how to see more, or the traceback with RAG_DEBUG."""

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("rag.build.build_embedder", fail)
    result = rag("ingest", docs)
    assert result.error == "error: ZeroDivisionError: two lines (set RAG_DEBUG=1 to see where)"
    assert result.code == 1
    monkeypatch.setenv("RAG_DEBUG", "1")
    told = rag("ingest", docs)
    assert "Traceback" in told.err and told.code == 1


def test_an_interrupt_is_one_line(rag: Run, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130."""

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.build.build_embedder", interrupt)
    result = rag("ingest", docs)
    assert (result.error, result.code) == ("error: interrupted", 130)
