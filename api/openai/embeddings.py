"""Vectors of texts, from the model that embeds for the collections."""

import base64
import sys
from collections.abc import Callable, Sequence

import numpy as np

from api.openai.errors import TOO_LONG, Refused
from api.openai.schemas import EmbeddingsIn
from rag.protocols import Embedder, Vectors
from rag.views import Json

# Tokens of all texts of a request.
MOST_TOKENS = 300_000
# Texts that are embedded without looking up whether anybody still waits.
GROUP = 64


def embeddings(
    request: EmbeddingsIn, embedder: Embedder, go_on: Callable[[], None] = lambda: None
) -> Json:
    """Return the vectors of a request's texts, in their order, with unit length.

    Args:
        go_on: called between groups of texts; what it raises ends the work.

    Raises:
        Refused: a text is empty or too long, they are tokens, or other dimensions are wanted.
    """
    texts = request.texts()
    if request.dimensions not in (None, embedder.dim):
        raise Refused(
            f"dimensions is {request.dimensions}; expected {embedder.dim}, or nothing: vectors are"
            " not shortened",
            "dimensions",
        )
    used = sum(_lengths(texts, embedder))
    if used > MOST_TOKENS:
        raise Refused(
            f"input has {used:,} tokens; expected at most {MOST_TOKENS:,} in a request",
            "input",
            TOO_LONG,
        )
    embed = embedder.embed_queries if request.input_type == "query" else embedder.embed_passages
    vectors = []
    for start in range(0, len(texts), GROUP):
        go_on()
        vectors.append(embed(texts[start : start + GROUP]))
    found = _encoded(np.concatenate(vectors), request.encoding_format == "base64")
    rows = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(found)]
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": rows, "model": request.model, "usage": usage}


def _lengths(texts: Sequence[str], embedder: Embedder) -> list[int]:
    lengths = [len(embedder.tokenizer.offsets(text)) for text in texts]
    for place, length in enumerate(lengths):
        if length > embedder.max_tokens:
            raise Refused(
                f"input[{place}] has {length:,} tokens; expected at most {embedder.max_tokens:,}:"
                " texts are not cut, send it in parts",
                "input",
                TOO_LONG,
            )
    return lengths


def _encoded(vectors: Vectors, as_base64: bool) -> list[str] | list[list[float]]:
    if not as_base64:
        return [[float(value) for value in row] for row in vectors]
    # OpenAI's form: float32, little-endian.
    rows = vectors.astype("<f4") if sys.byteorder != "little" else np.ascontiguousarray(vectors)
    return [base64.b64encode(row.tobytes()).decode("ascii") for row in rows]
