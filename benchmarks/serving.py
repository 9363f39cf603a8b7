"""Ask a running service one at a time and many at once, in turns; print one JSON line.

python benchmarks/serving.py [FOLDER] [--clients 16] [--rounds 2] [--questions 8] [--many 32]

Over the loopback, in a process of its own, with the default models. All questions are in English,
which the default generator writes; what embeds their passages is done before the first round.
Serial and parallel rounds take turns, so that other work on the machine meets both. Seconds:
`first_claim` from sending the request to its first claim, `processor` the service's own, an answer.
`equal` is the share of answers whose text and claims are those of the first serial round.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from service import serve  # type: ignore[import-not-found]

from rag.build import build_embedder
from rag.config import Config
from rag.ingest import ingest

QUESTIONS = (
    "What is citation precision?",
    "How much memory does Adam need in mixed precision training?",
    "What does reciprocal rank fusion do?",
    "What is byte pair encoding?",
    "What is gradient accumulation?",
    "What is a tokenizer?",
    "What do feed-forward layers store?",
    "What is retrieval-augmented generation?",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer, and how long it took (s)."""

    question: str
    said: str
    claim: float
    whole: float


def ask(client: httpx.Client, question: str) -> Asked:
    """Ask, streamed; without a claim the whole answer is the first."""
    started, claim, event = time.perf_counter(), 0.0, ""
    body = {"question": question, "stream": True}
    with client.stream("POST", "/v1/ask", json=body) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            event = line.removeprefix("event: ") if line.startswith("event: ") else event
            claim = claim or (time.perf_counter() - started) * (event in ("claim", "answer"))
            if line.startswith("data: ") and event == "error":
                raise SystemExit(line)
            if line.startswith("data: ") and event == "answer":
                answer = json.loads(line.removeprefix("data: "))
    said = json.dumps([answer["answer"], answer["claims"]], sort_keys=True)
    return Asked(question, said, claim, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Round:
    """Answers of one round: how long it took, and the processor time of the service (s)."""

    asked: Sequence[Asked]
    seconds: float
    processor: float


def load(url: str, pid: int, clients: int, questions: Sequence[str]) -> Round:
    """Ask so many at once."""
    with httpx.Client(base_url=url, timeout=1800) as client, ThreadPoolExecutor(clients) as pool:
        before, started = processor(pid), time.perf_counter()
        asked = list(pool.map(lambda question: ask(client, question), questions))
        return Round(asked, time.perf_counter() - started, processor(pid) - before)


def processor(pid: int) -> float:
    """Return the processor time of a process so far, in seconds."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def told(rounds: Sequence[Round], expected: dict[str, str]) -> dict[str, Any]:
    """Return throughput, times and equality over rounds of one kind."""
    asked = [each for turn in rounds for each in turn.asked]
    claims = sorted(each.claim for each in asked)
    return {
        "answers": len(asked),
        "per_second": round(len(asked) / sum(turn.seconds for turn in rounds), 4),
        "processor": round(sum(turn.processor for turn in rounds) / len(asked), 3),
        "first_claim_p50": round(statistics.median(claims), 2),
        "first_claim_p95": round(claims[min(len(claims) - 1, int(0.95 * len(claims)))], 2),
        "equal": round(sum(a.said == expected[a.question] for a in asked) / len(asked), 4),
    }


def measured(url: str, pid: int, args: argparse.Namespace) -> dict[str, Any]:
    """Return both kinds of rounds, and the ratios between them."""
    questions = QUESTIONS[: args.questions]
    repeated = [questions[i % len(questions)] for i in range(args.many)]
    with httpx.Client(base_url=url, timeout=1800) as client:
        for question in questions:  # embeds what the passages need
            body = {"question": question, "quote_only": True}
            client.post("/v1/ask", json=body).raise_for_status()
    one, many = list[Round](), list[Round]()
    for _ in range(args.rounds):
        one.append(load(url, pid, 1, questions))
        many.append(load(url, pid, args.clients, repeated))
    expected = {each.question: each.said for each in one[0].asked}
    serial, parallel = told(one, expected), told(many, expected)
    return {
        "clients": args.clients,
        "one": serial,
        "many": parallel,
        "ratio": round(parallel["per_second"] / serial["per_second"], 2),
        "processor_ratio": round(serial["processor"] / parallel["processor"], 2),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("corpus"))
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--many", type=int, default=32, help="answers of a parallel round")
    parser.add_argument("--embedder", default=Config().embedder)
    parser.add_argument("--generator", default=Config().generator)
    parser.add_argument("--index-dir", type=Path, help="with an index of the folder in it")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    with tempfile.TemporaryDirectory() as work:
        indexes = args.index_dir or Path(work) / "indexes"
        config = Config(index_dir=indexes, embedder=args.embedder, generator=args.generator)
        if args.index_dir is None:
            shutil.copytree(args.folder, Path(work) / "docs")
            ingest([Path(work) / "docs"], "default", build_embedder(config), config)
        # Nothing may be refused or run out of time here: it is told how long answers take.
        os.environ["RAG_DEADLINE"] = "3600"
        process, url = serve(config)
        try:
            result = measured(url, process.pid, args)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0], **result}))


if __name__ == "__main__":
    main()
