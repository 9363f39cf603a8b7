"""Runs the command line in tests, in this process or in another."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    "animals/cats.md": "# Cats\n\nThe cat drinks cold milk every morning. Cats sleep all day.\n",
    "animals/dogs.md": "# Dogs\n\nA dog barks at strangers. Dogs need long walks.\n",
    "rivers.txt": "The Danube flows through ten countries and ends in the Black Sea.\n",
    "law.txt": "A contract is void when one party was deceived about its content.\n",
    "music.txt": "A string quartet has two violins, one viola and one cello.\n",
    "cooking.txt": "Risotto needs broth, which is added slowly while stirring.\n",
    "space.txt": "Saturn has rings made of ice and rock, and many moons.\n",
    "история.txt": "Кошка пьёт молоко, а собака сторожит дом.\n",
}
QUESTION = "Does the cat drink cold milk every morning?"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line on standard output."""
        assert self.out.count("\n") == 1 and self.out.endswith("\n"), (self.out, self.err)
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The lines of JSON on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The one line on standard error of a command that failed and printed nothing else."""
        assert self.out == ""
        assert self.err.startswith("error: ") and self.err.count("\n") == 1, self.err
        return self.err.strip()


Run = Callable[..., Result]


def write(folder: Path, documents: dict[str, str]) -> Path:
    """Write files under a folder and return it."""
    for name, text in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def spawn(*arguments: object, **environ: str) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "rag.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        # A shell has what it runs in the background ignore Ctrl-C, the tests among it.
        preexec_fn=_interruptible,
    )


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: "subprocess.Popen[str]") -> Result:
    """Wait for a process and return how it ended."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Result(process.returncode, out, err)
