"""The command line as a process: streams, signals, and how fast it starts."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import QUESTION, ROOT, finish, spawn, write


@pytest.mark.usefixtures("index")
def test_standard_output_is_the_json_alone() -> None:
    """`python -m rag.cli` prints what the command prints, whatever libraries say."""
    done = finish(spawn("ask", QUESTION, "--json", PYTHONIOENCODING="ascii", LC_ALL="C"))
    assert (done.code, done.err) == (0, "")
    assert done.json["citations"][0]["source"] == "animals/cats.md"


def test_help_loads_nothing_heavy() -> None:
    """`rag --help` needs no numpy; benchmarks/start.py times it."""
    code = "import sys, rag.cli; rag.cli.main(['--help']); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.endswith("False\n") and "ingest" in done.stdout


@pytest.mark.usefixtures("index")
def test_a_reader_that_leaves_is_no_error(place: Path) -> None:
    """`rag … | head -1` ends quietly."""
    lines = [json.dumps({"id": n, "question": "cat"}) for n in range(300)]
    write(place, {"many.jsonl": "\n".join(lines)})
    process = spawn("search", "--queries", "many.jsonl")
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["id"] == 0
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) != 0


def _get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def _until_ready(url: str) -> None:
    until = time.monotonic() + 30
    while (found := _get(f"{url}/readyz"))[0] != 200:
        assert time.monotonic() < until, found
        time.sleep(0.05)


def test_serve_follows_what_is_ingested_beside_it(rag: Any, docs: Path) -> None:
    """A served index grows, and comes into being, while the server runs; Ctrl-C stops it."""
    process = spawn("serve", "--port", "0", "--json")
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        _until_ready(url)
        body = {"question": "Which whales sing under water?"}
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            _post(f"{url}/v1/search", body)
        missing.value.close()
        rag("ingest", docs)
        assert _post(f"{url}/v1/search", body)["hits"][0]["source"] != "whales.txt"
        write(docs, {"whales.txt": "Humpback whales sing long songs under water."})
        rag("ingest", docs)
        assert _post(f"{url}/v1/search", body)["hits"][0]["source"] == "whales.txt"
        alone = rag("search", body["question"], "--json").json
        assert _post(f"{url}/v1/search", body) == alone
    finally:
        process.send_signal(signal.SIGINT)
        done = finish(process)
    assert done.code == 0
    assert all(json.loads(line)["event"] == "request" for line in done.err.splitlines())


def test_a_port_in_use_is_one_line(rag: Any) -> None:
    """The line names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = rag("serve", "--port", port)
    assert f"port {port} on 127.0.0.1 can not be used: Address already in use" in result.error
    assert result.code == 2
