"""A process that reads files for another: `python -m rag.loaders.worker`, told by `rag.parsing`.

A request is a line of JSON: {"path", "seconds", "bytes", "ocr"}. The reply is a line of JSON, and
where that has "characters", the text in UTF-8 after it, in blocks that their length in bytes
precedes.
No reply is code: a parser that hostile bytes have taken over can make a wrong text, and no more.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from rag import loaders
from rag.errors import LoadError
from rag.types import Parsed

BLOCK_CHARACTERS = 1 << 20


def main() -> None:
    """Answer requests until there are no more."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # What a parser prints belongs to nobody, least of all among the replies.
    with open(os.devnull, "r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    for line in requests:
        request = json.loads(line)
        limit(request["seconds"], request["bytes"])
        path = Path(os.fsdecode(bytes.fromhex(request["path"])))
        reply(replies, *answer(path, request["ocr"]))


def limit(seconds: int, size: int) -> None:
    """Let this process use so many further seconds of a CPU, and so many bytes in all."""
    try:
        import resource
    except ImportError:  # not a Unix: the parent's clock is the only limit
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    for what, most in (
        (resource.RLIMIT_CPU, spent + seconds),
        (resource.RLIMIT_DATA, size),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def answer(path: Path, ocr: str = "auto") -> tuple[dict[str, Any], str]:
    """Return the head of the reply for a file, and its text."""
    try:
        parsed = loaders.load(path, ocr)
    except LoadError as error:
        return {"message": str(error), "problem": error.problem}, ""
    except MemoryError:
        problem = "needs more memory to be read than its size allows; split it"
        return {"message": f"{path.name} {problem}", "problem": problem}, ""
    return head(parsed), parsed.text


def head(parsed: Parsed) -> dict[str, Any]:
    """Return all of a document but its text."""
    return {
        "characters": len(parsed.text),
        "title": parsed.title,
        "headings": [(h.start, h.level, h.title) for h in parsed.headings],
        "pages": parsed.pages,
        "unit": parsed.unit,
        "metadata": dict(parsed.metadata),
    }


def reply(out: BinaryIO, told: dict[str, Any], text: str) -> None:
    """Write a reply."""
    out.write(json.dumps(told).encode("ascii") + b"\n")
    for at in range(0, len(text), BLOCK_CHARACTERS):
        block = text[at : at + BLOCK_CHARACTERS].encode("utf-8")
        out.write(len(block).to_bytes(8, "little") + block)
    out.flush()


if __name__ == "__main__":
    main()
