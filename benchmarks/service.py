"""Ask a running service one at a time, then many at once; print one JSON line.

python benchmarks/service.py [FOLDER] [--clients 16] [--requests 64]

Over the loopback, in a process of its own, with the default models. Questions repeat every eight,
as do the passages that answer them, so after the first round only the generator works: give
--embedder hash --generator none to measure what is left without models. Times are in seconds;
`first_claim` is from sending the request, streamed, to its first claim.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from rag.build import build_embedder
from rag.config import Config
from rag.ingest import ingest

QUESTIONS = (
    "What is citation precision?",
    "How much memory does Adam need in mixed precision training?",
    "What does reciprocal rank fusion do?",
    "What is byte pair encoding?",
    "Что такое точность цитирования?",
    "Mennyi memóriát igényel paraméterenként az Adam?",
    "什么是检索增强生成？",
    "What is gradient accumulation?",
)


def asked(client: httpx.Client, number: int, stream: bool) -> float:
    """Ask a question; return the seconds until its answer, or until its first claim."""
    body = {"question": QUESTIONS[number % len(QUESTIONS)], "stream": stream}
    started = time.perf_counter()
    with client.stream("POST", "/v1/ask", json=body) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if stream and line in ("event: claim", "event: answer"):
                return time.perf_counter() - started
    return time.perf_counter() - started


def load(url: str, clients: int, requests: int, *, stream: bool = False) -> dict[str, float]:
    """Return answers a second, and times, with so many asking at once."""
    with (
        httpx.Client(base_url=url, timeout=600) as client,
        ThreadPoolExecutor(clients) as pool,
    ):
        started = time.perf_counter()
        times = sorted(pool.map(lambda i: asked(client, i, stream), range(requests)))
        seconds = time.perf_counter() - started
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    return {
        "per_second": round(requests / seconds, 3),
        "p50": round(statistics.median(times), 3),
        "p95": round(p95, 3),
    }


def serve(config: Config) -> tuple[subprocess.Popen[str], str]:
    """Start the service and wait until it is ready."""
    command = [sys.executable, "-m", "rag.cli", "serve", "--port", "0", "--json"]
    models = ["--embedder", config.embedder, "--generator", config.generator]
    process = subprocess.Popen(
        [*command, *models, "--index-dir", str(config.index_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parents[1])),
    )
    assert process.stdout is not None
    url: str = json.loads(process.stdout.readline())["url"]
    while process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=10).status_code == 200:
                return process, url
        time.sleep(0.2)
    raise SystemExit("the service ended before it was ready")


def measured(url: str, clients: int, requests: int) -> dict[str, Any]:
    """Return what one client gets, what many get, and the ratio."""
    load(url, 1, len(QUESTIONS))  # fills the cache
    one = load(url, 1, max(8, requests // 4))
    many = load(url, clients, requests)
    return {
        "clients": clients,
        "one": one,
        "many": many,
        "ratio": round(many["per_second"] / one["per_second"], 2),
        "first_claim": load(url, 1, max(8, requests // 4), stream=True),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("corpus"))
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--embedder", default=Config().embedder)
    parser.add_argument("--generator", default=Config().generator)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        docs = Path(work) / "docs"
        shutil.copytree(args.folder, docs)
        config = Config(
            index_dir=Path(work) / "indexes", embedder=args.embedder, generator=args.generator
        )
        ingest([docs], "default", build_embedder(config), config)
        process, url = serve(config)
        try:
            result = measured(url, args.clients, args.requests)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0], **result}))


if __name__ == "__main__":
    main()
