"""Readers while one writes: every citation resolves, and a second writer is told so at once."""

import random
import threading
import time

from rag.errors import IndexLocked
from rag.writer import write_lock
from tests.acceptance.conftest import scaled
from tests.core.bench import Bench, document, program

WRITER = """
import random, sys, time
from pathlib import Path
from rag.config import Config
from rag.errors import IndexLocked
from rag.ingest import ingest
from rag.testing import HashEmbedder

docs, indexes, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
chance, until, runs = random.Random(7), time.monotonic() + seconds, 0
config = Config(index_dir=indexes, passage_tokens=32, overlap_tokens=8, parsers=0)
while time.monotonic() < until:
    for n in chance.sample(range(40), 8):
        path = docs / f"{n}.md"
        if path.exists() and chance.random() < 0.3:
            path.unlink()
        else:
            words = " ".join(chance.choices("heron river stone milk".split(), k=40))
            path.write_text(f"# File {n}\\n\\nEdition {runs}. {words}.\\n")
    try:
        ingest([docs], "default", HashEmbedder(), config, confirm=lambda *a: True)
    except IndexLocked:  # the test looks whether it is refused
        continue
    runs += 1
print(runs)
"""
READERS = 8


def test_readers_beside_a_writer(bench: Bench) -> None:
    """Eight readers; each hit's passage is in its document as both stood in one version."""
    bench.settings.update(passage_tokens=32, overlap_tokens=8)
    bench.write({f"{n}.md": f"# File {n}\n\nA heron at river {n}.\n" for n in range(40)})
    bench.ingest()
    seconds = scaled(60, 5)
    writer = program(WRITER, bench.docs, bench.config.index_dir, seconds)
    stop, searches, wrong = threading.Event(), [0] * READERS, list[str]()

    def read(number: int) -> None:
        retriever, chance = bench.retriever(), random.Random(number)
        try:
            while not stop.is_set():
                query = chance.choice(("heron", "river stone", "milk edition"))
                with retriever.store.reading():
                    for hit in retriever.search(query, 5).hits:
                        whole = document(retriever.store, hit.passage.document_id).text
                        if whole[hit.passage.start : hit.passage.end] != hit.passage.text:
                            wrong.append(hit.passage.text)
                searches[number] += 1
        except BaseException as error:
            wrong.append(repr(error))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for thread in threads:
        thread.start()
    refused = 0
    while writer.poll() is None:
        refused += _is_refused(bench)
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert writer.stdout is not None
    runs = int(writer.stdout.read())
    writer.stdout.close()
    assert not wrong, wrong[:3]
    assert runs > 0 and refused > 0 and min(searches) > 0
    print(f"{runs} runs, {sum(searches)} searches, {refused} second writers refused")


def _is_refused(bench: Bench) -> bool:
    """Tell whether the index is being written; who would write is told so within a second."""
    started = time.monotonic()
    try:
        with write_lock(bench.index):
            return False
    except IndexLocked:
        assert time.monotonic() - started < 1
        return True
