"""Ingest a folder, and encode its passages alone, in one run; print one JSON line.

python benchmarks/ingest.py [FOLDER]
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from rag.build import build_embedder
from rag.chunking import embedded_text
from rag.config import Config
from rag.ingest import ingest
from rag.protocols import Embedder
from rag.store import Store

INDEX = "bench"


def embedded_texts(store: Store) -> list[str]:
    rows, _ = store.rows()
    passages = store.passages(rows.tolist())
    return [embedded_text(passage.section, passage.text) for passage in passages.values()]


def timed(paths: list[Path], embedder: Embedder, config: Config) -> dict[str, float]:
    report = ingest(paths, INDEX, embedder, config)
    return {"seconds": round(report.seconds, 3), "embedded": report.embedded}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("corpus"))
    parser.add_argument("--embedder", default=Config().embedder)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        docs = Path(work) / "docs"
        shutil.copytree(args.folder, docs)
        config = Config(index_dir=Path(work) / "indexes", embedder=args.embedder)
        embedder = build_embedder(config)
        embedder.embed_passages(["warm up"])
        first = timed([docs], embedder, config)
        store = Store(config.index_dir / INDEX)
        texts = embedded_texts(store)
        started = time.perf_counter()
        embedder.embed_passages(texts)
        bare = time.perf_counter() - started
        second = timed([docs], embedder, config)
        changed = max(docs.rglob("*.md"), key=lambda path: path.stat().st_size)
        with changed.open("a", encoding="utf-8") as file:
            file.write("\n\nOne more sentence at the end.\n")
        third = timed([docs], embedder, config)
    result = {
        "passages": len(texts),
        "ingest": first,
        "bare_encode_s": round(bare, 3),
        "ratio": round(first["seconds"] / bare, 3),
        "again": second,
        "one_file_changed": third,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
