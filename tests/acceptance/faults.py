"""Runs an ingest under strace, which kills it, or fails its calls, at a chosen one."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.core.bench import ROOT

WRITES = "write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"

# One ingest of a folder.
PROGRAM = """
import os, sys
from pathlib import Path
from rag import ingest as module, analysis
from rag.config import Config
from rag.errors import RagError
from rag.testing import HashEmbedder

module.SLAB_PASSAGES = 4
docs, indexes = Path(sys.argv[1]), Path(sys.argv[2])
analysis.language("Load what is loaded on first use, please.")
config = Config(index_dir=indexes, passage_tokens=32, overlap_tokens=8, parsers=0)
try:
    report = module.ingest([docs], "default", HashEmbedder(), config, confirm=lambda *a: True)
except RagError as error:
    os.write(2, f"error: {error}\\n".encode())
    os._exit(error.exit_code)
os.write(1, b"failed\\n" if report.failed else b"done\\n")
os._exit(3 if report.failed else 0)
"""


@dataclass(frozen=True)
class Ended:
    """How a run under faults ended."""

    code: int
    out: str
    err: str


def usable() -> bool:
    """Tell whether strace is here, and may trace."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


def _command(docs: Path, indexes: Path) -> list[str]:
    return [sys.executable, "-B", "-c", PROGRAM, str(docs), str(indexes)]


def _where(docs: Path) -> dict[str, Any]:
    """Beside the documents: where nothing can be written, Python tries its folder too."""
    return {"cwd": docs.parent, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}


def calls(docs: Path, indexes: Path, names: str, log: Path) -> int:
    """Run to the end and return how many calls of these names were made under the indexes."""
    command = ["strace", "-f", "-qq", "-e", f"trace={names}", "-o", str(log)]
    done = subprocess.run(
        [*command, *_command(docs, indexes)], **_where(docs), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return len(re.findall(r"^\d+ +(?!\+\+\+|---)\w+\(", log.read_text("utf-8", "replace"), re.M))


def faulty(docs: Path, indexes: Path, injection: str) -> Ended:
    """Run with a fault: "NAMES:signal=SIGKILL:when=7", "pwrite64:error=EIO:when=3+"."""
    names = injection.partition(":")[0]
    command = ["strace", "-f", "-qq", "-e", f"trace={names}", "-e", f"inject={injection}"]
    done = subprocess.run(
        [*command, "-o", "/dev/null", *_command(docs, indexes)],
        **_where(docs),
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Ended(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )
