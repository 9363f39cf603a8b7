"""Time the start of the command line, several runs each; print one JSON line.

python benchmarks/start.py
"""

import json
import statistics
import subprocess
import sys
import time

RUNS = 7
HEAVY = ("torch", "transformers", "sentence_transformers", "faiss")
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import rag": [sys.executable, "-c", "import rag"],
    "rag --help": [sys.executable, "-m", "rag.cli", "--help"],
}


def median_seconds(command: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return round(statistics.median(times), 3)


def loaded(statement: str) -> list[str]:
    """Return the heavy libraries that a statement imports."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    modules = {line.rsplit("|", 1)[-1].strip() for line in told.splitlines()}
    return sorted(modules.intersection(HEAVY))


def main() -> None:
    result = {name: median_seconds(command) for name, command in COMMANDS.items()}
    print(json.dumps({**result, "loaded by import rag": loaded("import rag")}))


if __name__ == "__main__":
    main()
