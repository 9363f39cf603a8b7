"""Documents on their way into a store: chunked, embedded where no vector is stored, committed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from rag.chunking import chunk, embedded_text
from rag.config import Config
from rag.documents import Prepared
from rag.parts import parts
from rag.protocols import Embedder, Vectors
from rag.types import Parsed, Span
from rag.writer import NewDocument, StoreWriter

# Embedded and committed together: enough to sort by length, few enough to lose little work.
SLAB_PASSAGES = 192


def chunked(
    parsed: Parsed, embedder: Embedder, config: Config
) -> Callable[[], Iterator[tuple[int, list[Span]]]]:
    """Return what yields the passages of a document, part by part, anew each time."""

    def run() -> Iterator[tuple[int, list[Span]]]:
        for offset, part in parts(parsed):
            yield (
                offset,
                chunk(
                    part,
                    embedder.tokenizer,
                    max_tokens=config.passage_tokens,
                    overlap_tokens=config.overlap_tokens,
                    embedded_tokens=embedder.max_tokens,
                ),
            )

    return run


class Slab:
    """Documents that are embedded and committed together."""

    def __init__(self) -> None:
        self.documents: list[NewDocument] = []
        self.texts: dict[bytes, str] = {}
        self.size = 0

    def add(self, prepared: Prepared) -> None:
        """Take in a document with all of its passages."""
        passages = tuple(passage for part in prepared.passages() for passage in part)
        self.documents.append(replace(prepared.document, passages=passages))
        for passage in passages:
            self.texts[passage.vector_key] = embedded_text(passage.section, passage.text)
        self.size += len(passages)

    def commit(self, writer: StoreWriter, embedder: Embedder) -> int:
        """Store it all in one transaction; return how many texts were embedded for it."""
        missing, vectors = embed_missing(self.texts, writer, embedder)
        with writer.transaction():
            if vectors is not None:
                writer.put_vectors(missing, vectors)
            for new in self.documents:
                writer.put_document(new)
        return len(missing)


def embed_missing(
    texts: Mapping[bytes, str], writer: StoreWriter, embedder: Embedder
) -> tuple[list[bytes], Vectors | None]:
    """Return the keys of those texts that have no vector stored, and their vectors, (n, dim)."""
    known = writer.known_vectors(list(texts))
    missing = {key: text for key, text in texts.items() if key not in known}
    return list(missing), embedder.embed_passages(list(missing.values())) if missing else None
