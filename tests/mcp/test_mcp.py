"""The MCP server with the SDK's own client, over standard input and output of a real process."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from rag.answerer import Answerer
from rag.config import Config
from rag.ingest import ingest
from rag.mcp.arguments import AskArguments, CheckArguments, OpenArguments, SearchArguments
from rag.mcp.server import server_of
from rag.mcp.toolbox import PAGE, Toolbox
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.api.test_api_streaming import MILK, Slow
from tests.cli.runner import DOCUMENTS, QUESTION, ROOT, write

pytestmark = pytest.mark.slow

OPTIONS = ["--embedder", "hash", "--generator", "none"]
TOOLS = ["search", "ask", "check", "open_source"]


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one index."""
    place = tmp_path_factory.mktemp("mcp")
    config = Config(index_dir=place / "indexes")
    ingest([write(place / "docs", DOCUMENTS)], "default", HashEmbedder(), config)
    return config.index_dir


def process(indexes: Path, *options: str) -> StdioServerParameters:
    """Return how a client starts the server."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    arguments = ["-m", "rag.cli", "mcp", "--index-dir", str(indexes), *options]
    return StdioServerParameters(
        command=sys.executable, args=arguments, env=environ | {"PYTHONPATH": str(ROOT)}
    )


Work = Callable[[Client], Awaitable[None]]


def over_stdio(indexes: Path, work: Work, *options: str) -> None:
    """Do something with a client of a process of its own."""

    async def run() -> None:
        transport = stdio_client(process(indexes, *(options or OPTIONS)))
        with anyio.fail_after(120):
            async with Client(transport) as client:
                await work(client)

    anyio.run(run)


@asynccontextmanager
async def in_process(box: Toolbox) -> AsyncIterator[Client]:
    """Give a client of a server in this process."""
    with anyio.fail_after(60):
        async with Client(server_of(box)) as client:
            yield client


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    """Return what a tool gives, the same as text and as a value."""
    found = await client.call_tool(tool, arguments)
    (content,) = found.content
    assert isinstance(content, types.TextContent)
    assert not found.is_error, content.text
    assert json.loads(content.text) == found.structured_content
    return found.structured_content


async def failed(client: Client, tool: str, **arguments: Any) -> str:
    """Return the one line that a failing call gives."""
    found = await client.call_tool(tool, arguments)
    (content,) = found.content
    assert isinstance(content, types.TextContent)
    assert found.is_error and content.text and "\n" not in content.text
    assert "Traceback" not in content.text
    return content.text


# -- a real process ------------------------------------------------------------------------------


def test_tools_over_stdio(indexes: Path) -> None:
    """Search, ask, check and open: each result leads to the next."""

    async def work(client: Client) -> None:
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == TOOLS
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
        assert all(tool.description and tool.input_schema["properties"] for tool in listed)
        found = await called(client, "search", question=QUESTION, k=2)
        assert [hit["rank"] for hit in found["hits"]] == [1, 2]
        assert found["hits"][0]["source"] == "animals/cats.md"
        answer = await called(client, "ask", question=QUESTION)
        (cited,) = answer["citations"]
        assert answer["answer"].endswith("[1]") and not answer["abstained"]
        place = {"start": cited["start"], "end": cited["end"], "around": 0}
        opened = await called(client, "open_source", document=cited["document_id"], **place)
        assert opened["text"] == cited["quote"] and opened["source"] == cited["source"]
        checked = await called(client, "check", claim=cited["quote"])
        assert checked["verdict"] == "supported"
        evidence = checked["evidence"][0]
        passage = checked["passages"][evidence["source"]]
        assert passage["text"][evidence["start"] : evidence["end"]] == evidence["quote"]
        against = await called(
            client, "check", claim="The bridge is not long.", sources=["The bridge is long."]
        )
        assert against["verdict"] == "contradicted" and against["passages"] == []

    over_stdio(indexes, work)


def test_an_abstention_is_a_result(indexes: Path) -> None:
    """It says so, and shows the nearest passages; filters count."""

    async def work(client: Client) -> None:
        found = await called(client, "ask", question="Who won the chess championship?")
        assert found["abstained"] is True and found["citations"] == []
        assert found["nearest"] and found["reason"]
        asked = {"question": QUESTION, "source": "*.txt", "language": "en"}
        hits = (await called(client, "search", **asked))["hits"]
        assert hits and all(hit["source"].endswith(".txt") for hit in hits)

    over_stdio(indexes, work)


def test_documents_are_resources(indexes: Path) -> None:
    """Listed by source, read whole; the template says how to name one."""

    async def work(client: Client) -> None:
        listed = (await client.list_resources()).resources
        assert sorted(each.name for each in listed) == sorted(DOCUMENTS)
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "rag://default/{document_id}"
        for each in listed:
            (content,) = (await client.read_resource(each.uri)).contents
            assert isinstance(content, types.TextResourceContents)
            assert content.text.strip() and content.uri == each.uri
        for uri in ("rag://default/nowhere", "rag://other/x", "file:///etc/passwd"):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            assert "\n" not in caught.value.message

    over_stdio(indexes, work)


def test_an_index_of_words_alone(indexes: Path) -> None:
    """In mode lexical no model is loaded, and every tool works."""

    async def work(client: Client) -> None:
        assert (await called(client, "search", question="cold milk"))["hits"][0]["rank"] == 1
        assert (await called(client, "ask", question=QUESTION))["citations"]
        assert (await called(client, "check", claim="The cat drinks cold milk every morning."))[
            "verdict"
        ] == "supported"

    over_stdio(indexes, work, "--mode", "lexical", "--generator", "none")


def test_standard_output_is_the_protocol(indexes: Path) -> None:
    """Every line is JSON-RPC, also after nonsense; the process ends with its input."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        "nonsense",
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "nowhere/at/all"},
    ]
    given = process(indexes, *OPTIONS)
    done = subprocess.Popen(
        [given.command, *given.args],
        env=given.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.stdin is not None and done.stdout is not None
    answers = {}
    for message in messages:
        line = message if isinstance(message, str) else json.dumps(message)
        done.stdin.write(line + "\n")
        done.stdin.flush()
        if isinstance(message, dict) and "id" in message:
            while message["id"] not in answers:
                answer = json.loads(done.stdout.readline())
                assert answer["jsonrpc"] == "2.0"
                answers[answer.get("id")] = answer
    rest, _ = done.communicate(timeout=60)
    assert [json.loads(line)["jsonrpc"] for line in rest.splitlines()] == ["2.0"] * rest.count("\n")
    assert done.returncode == 0
    assert answers[1]["result"]["serverInfo"]["name"] == "citable-rag"
    assert [tool["name"] for tool in answers[2]["result"]["tools"]] == TOOLS
    assert "error" in answers[3]


@pytest.mark.parametrize(
    ("options", "code"), [(["--index", "nowhere"], 4), (["--index", "../x"], 2), (["-k", "0"], 2)]
)
def test_what_can_not_be_served_is_told_at_once(
    indexes: Path, options: list[str], code: int
) -> None:
    """One line on standard error, nothing on standard output, and the usual exit code."""
    given = process(indexes, *OPTIONS, *options)
    done = subprocess.run(
        [given.command, *given.args],
        env=given.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


# -- in this process -----------------------------------------------------------------------------


def box_of(indexes: Path, **settings: Any) -> Toolbox:
    """Return tools without models."""
    config = Config(index_dir=indexes, embedder="hash", generator="none", **settings)
    return Toolbox(config, "default")


def test_errors_are_results_of_one_line(indexes: Path) -> None:
    """What a model can mend is named; inputs are bounded; nothing is cut or guessed."""

    async def run() -> None:
        async with in_process(box_of(indexes)) as client:
            assert "expected one of: search" in await failed(client, "delete")
            assert "question: Field required" in await failed(client, "ask")
            assert "question" in await failed(client, "ask", question="why " * 2_000)
            assert "empty" in await failed(client, "ask", question="  ")
            assert "k: " in await failed(client, "search", question="cat", k=51)
            assert "k: " in await failed(client, "search", question="cat", k="5")
            assert "depth" in await failed(client, "search", question="cat", depth=1)
            assert "half a character" in await failed(client, "search", question="\ud800")
            assert "no document" in await failed(client, "open_source", document="nowhere")
            lost = {"document": "rivers.txt", "start": 9_999}
            assert "the span is" in await failed(client, "open_source", **lost)
            many = {"claim": "x", "sources": ["y"] * 101}
            assert "sources" in await failed(client, "check", **many)
            long = {"claim": "x", "sources": ["y" * 150_000] * 7}
            assert "1,050,000 characters" in await failed(client, "check", **long)

    anyio.run(run)


def test_a_bug_is_told_without_its_text(
    indexes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """That goes to the log."""

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("a secret")

    async def run() -> None:
        async with in_process(box_of(indexes)) as client:
            monkeypatch.setattr("rag.mcp.toolbox.find", fail)
            told = await failed(client, "open_source", document="rivers.txt")
            assert "secret" not in told
            with pytest.raises(MCPError) as caught:
                await client.read_resource("rag://default/x")
            assert "secret" not in caught.value.message

    anyio.run(run)
    assert "a secret" in caplog.text


def test_a_document_is_opened_in_parts(tmp_path: Path) -> None:
    """20,000 characters at a time; a resource of more than a million is refused."""
    text = "".join(f"Line {number} of a long story.\n" for number in range(45_000))
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")
    ingest([write(tmp_path / "docs", {"long.txt": text})], "default", HashEmbedder(), config)
    box = Toolbox(config, "default")
    at, told = 0, ""
    while at < 60_000:
        part = box.open_source(OpenArguments(document="long.txt", start=at), lambda: False)
        assert part["start"] == at and part["end"] == at + 20_000
        at, told = part["end"], told + part["text"]
    assert text.startswith(told) and part["length"] == len(text)

    async def run() -> None:
        async with in_process(box) as client:
            (listed,) = (await client.list_resources()).resources
            with pytest.raises(MCPError, match="open_source"):
                await client.read_resource(listed.uri)

    anyio.run(run)


def test_resources_come_a_page_at_a_time(tmp_path: Path) -> None:
    """The cursor leads to the rest, each document once."""
    names = {f"{number}.txt": f"Cat {number} sleeps." for number in range(PAGE + 5)}
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")
    ingest([write(tmp_path / "docs", names)], "default", HashEmbedder(), config)

    async def run() -> None:
        async with in_process(Toolbox(config, "default")) as client:
            first = await client.list_resources()
            assert len(first.resources) == PAGE and first.next_cursor
            rest = await client.list_resources(cursor=first.next_cursor)
            assert rest.next_cursor is None
            both = [each.name for each in [*first.resources, *rest.resources]]
            assert sorted(both) == sorted(names)

    anyio.run(run)


def test_an_index_made_anew_is_opened_anew(tmp_path: Path) -> None:
    """Deleted: a line says so. Ingested again: its new documents are found."""
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")
    docs = write(tmp_path / "docs", {"cats.txt": "The cat drinks cold milk."})
    ingest([docs], "default", HashEmbedder(), config)
    box = Toolbox(config, "default")

    async def run() -> None:
        async with in_process(box) as client:
            assert (await called(client, "search", question="milk"))["hits"]
            for path in sorted((config.index_dir / "default").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            assert "there is no index" in await failed(client, "search", question="milk")
            write(docs, {"whales.txt": "Whales sing under water."})
            ingest([docs], "default", HashEmbedder(), config)
            found = await called(client, "search", question="whales")
            assert found["hits"][0]["source"] == "whales.txt"

    anyio.run(run)


def scripted(box: Toolbox, generator: ScriptedGenerator) -> Toolbox:
    """Let a toolbox answer with a generator."""
    opened = box._open()
    answerer = Answerer(
        opened.answerer.retriever, generator, opened.answerer.verifier, opened.answerer.config
    )
    box._opened = type(opened)(opened.file, answerer, opened.checker)
    return box


def test_an_answer_may_be_written(indexes: Path) -> None:
    """The generator's claims, checked; strictness is of the call."""
    box = scripted(box_of(indexes), ScriptedGenerator([MILK]))
    found = box.ask(AskArguments(question=QUESTION, strictness=0.3), lambda: False)
    assert found["method"] == "generated" and found["citations"]
    assert "trace" not in found and "timings" not in found


def test_a_cancelled_call_stops_the_generator(indexes: Path) -> None:
    """The client gives up in the middle of a draft."""
    generator = Slow(f"{MILK} And ")
    box = scripted(box_of(indexes), generator)

    async def run() -> None:
        async with in_process(box) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "ask", {"question": QUESTION})
            await anyio.to_thread.run_sync(generator.begun.wait, 20)
            assert generator.begun.is_set() and not generator.closed.is_set()
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(generator.closed.wait, 20)

    anyio.run(run)


@pytest.mark.parametrize(
    "arguments", [SearchArguments, AskArguments, CheckArguments, OpenArguments]
)
def test_every_argument_is_described_and_bounded(arguments: type[BaseModel]) -> None:
    """A model reads the descriptions; nothing may be of any length."""
    schema = arguments.model_json_schema()
    bounds = {"maxLength", "maxItems", "maximum"}
    for name, value in schema["properties"].items():
        assert value["description"], name
        kinds = value.get("anyOf", [value])
        told = [kind for kind in kinds if kind.get("type") in ("string", "array", "number")]
        assert all(bounds & kind.keys() for kind in told), name
