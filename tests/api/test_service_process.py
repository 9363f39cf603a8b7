"""`rag serve` as a process of its own: several workers, keys, and the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rag.config import Config
from tests.cli.runner import QUESTION, ROOT

pytestmark = pytest.mark.slow

ASK = {"question": QUESTION}


@dataclass
class Served:
    """A running `rag serve`."""

    url: str
    process: subprocess.Popen[str]

    def ready(self) -> None:
        """Wait until questions can be answered."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("the server did not become ready")

    def end(self) -> tuple[float, str]:
        """Send SIGTERM; return the seconds until it had ended, and its log."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=40)
        return time.monotonic() - started, log


@contextmanager
def serving(config: Config, *options: str) -> Iterator[Served]:
    """Run `rag serve` on a free port."""
    command = [sys.executable, "-m", "rag.cli", "serve", "--port", "0", "--json"]
    where = ["--index-dir", str(config.index_dir), "--embedder", "hash", "--generator", "none"]
    environ = dict(os.environ, PYTHONPATH=str(ROOT))
    process = subprocess.Popen(
        [*command, *where, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    try:
        assert process.stdout is not None
        yield Served(json.loads(process.stdout.readline())["url"], process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_one_process_answers_logs_and_ends(config: Config, docs: Path) -> None:
    """Its log is lines of JSON; after SIGTERM it ends within 30 s, by that signal."""
    with serving(config) as served:
        served.ready()
        answer = httpx.post(f"{served.url}/v1/ask", json=ASK, timeout=30)
        assert answer.status_code == 200 and answer.json()["citations"]
        strange = httpx.get(f"{served.url}/v1/collections", headers={"Host": "evil.example"})
        assert strange.status_code == 403
        seconds, log = served.end()
    assert seconds < 30 and served.process.returncode == -signal.SIGTERM
    assert any(json.loads(line).get("path") == "/v1/ask" for line in log.splitlines())
    assert QUESTION not in log


def test_workers_share_the_port_and_their_numbers(config: Config, docs: Path) -> None:
    """Two processes answer; one that is killed is replaced; an upload is ingested by one."""
    with serving(config, "--workers", "2") as served:
        served.ready()
        for _ in range(10):
            assert httpx.post(f"{served.url}/v1/ask", json=ASK, timeout=30).status_code == 200
        text = httpx.get(f"{served.url}/metrics", timeout=30).text
        assert 'rag_answers_total{outcome="quoted"} 10.0' in text
        files = {"files": ("ravens.md", b"Ravens count to four.\n")}
        job = httpx.post(f"{served.url}/v1/documents", files=files, timeout=30).json()["job"]
        with httpx.stream("GET", f"{served.url}/v1/jobs/{job['id']}/events", timeout=60) as stream:
            assert "event: done" in list(stream.iter_lines())
        victim = children(served.process.pid)[-1]
        os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + 30
        while victim in children(served.process.pid) or len(children(served.process.pid)) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        served.ready()
        assert httpx.post(f"{served.url}/v1/ask", json=ASK, timeout=30).status_code == 200
        left = children(served.process.pid)
        seconds, _ = served.end()
    assert seconds < 30
    assert not any(Path(f"/proc/{pid}").exists() for pid in left)


def children(pid: int) -> list[int]:
    """Return the workers of a process: its children but multiprocessing's own helper."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in found
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
    ]


def test_beyond_this_machine_it_serves_with_a_key_only(config: Config, docs: Path) -> None:
    """Without one it ends with code 2 and one line that says what to do."""
    command = [sys.executable, "-m", "rag.cli"]
    where = ["--index-dir", str(config.index_dir)]
    environ = dict(os.environ, PYTHONPATH=str(ROOT))
    refused = subprocess.run(
        [*command, "serve", "--host", "0.0.0.0", "--port", "0", *where],
        capture_output=True,
        text=True,
        env=environ,
    )
    assert refused.returncode == 2 and refused.stdout == ""
    assert refused.stderr.startswith("error: ") and refused.stderr.count("\n") == 1
    assert "rag keys create" in refused.stderr
    made = subprocess.run(
        [*command, "keys", "create", "me", "--json", *where],
        capture_output=True,
        text=True,
        env=environ,
    )
    token = json.loads(made.stdout)["key"]
    with serving(config, "--host", "0.0.0.0") as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        served.url = url
        served.ready()
        assert httpx.post(f"{url}/v1/ask", json=ASK).status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.post(f"{url}/v1/ask", json=ASK, headers=headers).status_code == 200
        _, log = served.end()
    assert token not in log
