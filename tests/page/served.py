"""A service to open in a browser, as a process: `python -m tests.page.served FOLDER`.

All of it is real but the models: the embedder hashes words, and the generator knows two sentences,
which it says slowly, so that there is something to watch.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from api.app import Exposure, create_app
from api.logs import configure_logs
from api.server import listen, url_of
from rag.answerer import Answerer
from rag.build import assemble
from rag.config import Config
from rag.protocols import Decoding, Message, TextStream
from rag.testing import HashEmbedder, ScriptedGenerator
from rag.verification import OverlapVerifier

MILK = "The cat drinks cold milk every morning."
SLEEP = "Cats sleep for most of the day."
PAUSE = 0.25


def said(messages: Sequence[Message]) -> str:
    """Return what the generator answers to a prompt: about cats only."""
    return f"{MILK} {SLEEP}" if "cat" in messages[-1].content else "Nothing."


class SlowGenerator(ScriptedGenerator):
    """Says its words one after the other."""

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the reply a word at a time."""
        words = super().stream(messages, decoding)
        while True:
            try:
                word = next(words)
            except StopIteration as end:
                return bool(end.value)
            time.sleep(PAUSE)
            yield word


def main(folder: str) -> None:
    """Serve the indexes of a folder on a free port, which is told on standard output."""
    config = Config(
        index_dir=Path(folder), embedder="hash", generator="scripted", evidence=4, parsers=1
    )
    embedder, generator = HashEmbedder(), SlowGenerator(said)

    def open_index(name: str) -> Answerer:
        return assemble(config, name, embedder, generator, OverlapVerifier())

    configure_logs()
    app = create_app(config, open_index=open_index, exposure=Exposure(local_hosts=True))
    listener = listen("127.0.0.1", 0)
    print(json.dumps({"url": url_of(listener)}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
