"""Fakes that ship: stand-ins for the models, so that all else can be tested without weights.

They behave: the embedder ranks by shared words, the generator says what its script says. The
exact vector index is `rag.vectors.ExactIndex`.
"""

import math
import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from rag.analysis import terms
from rag.errors import GenerationError
from rag.protocols import Decoding, Message, TextStream, TokenVectors, Vectors
from rag.sentences import sentences
from rag.types import LogProbability, Reading

TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")
HASH_DIM = 256
LIKELY, UNLIKELY = 0.9, 0.01
SHARPNESS = 8.0


class WordTokenizer:
    """Counts words, CJK characters and punctuation marks."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the span of each token."""
        return [match.span() for match in TOKEN.finditer(text)]


class HashEmbedder:
    """Embeds a text as the hashed counts of its terms: similar words, similar vectors."""

    name = "hash"
    fingerprint = "hash-1"
    dim = HASH_DIM
    max_tokens = 512
    tokenizer = WordTokenizer()

    def __init__(self) -> None:
        self.embedded = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 256) float32, unit L2 norm; counts the texts in `embedded`."""
        self.embedded += len(texts)
        return self._embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, 256) float32, unit L2 norm."""
        return self._embed(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return a vector for each word of each text, whatever stands around it."""
        found = []
        for text in texts:
            spans = self.tokenizer.offsets(text)
            vectors = self._embed([text[start:end] for start, end in spans])
            found.append(TokenVectors(np.array(spans, np.int64).reshape(-1, 2), vectors))
        return found

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            places = [zlib.crc32(term.encode("utf-8")) % self.dim for term in terms(text)]
            # The constant keeps a text without any term from being the zero vector.
            vector[0] += 0.01
            np.add.at(vector, places, 1.0)
            vector /= np.linalg.norm(vector)
        return vectors


class ScriptedGenerator:
    """Says what its script says: one reply a call, or what a function makes of the prompt.

    It finds a word or mark likely (0.9) that is in the prompt, and any other unlikely (0.01).
    """

    name = "scripted"
    max_tokens = 2048

    def __init__(
        self,
        script: Sequence[str] | Callable[[Sequence[Message]], str],
        languages: frozenset[str] = frozenset(),
    ) -> None:
        """Take the replies in order (the last is repeated), or a function of the prompt."""
        self._script = script
        self.languages = languages
        self.prompts: list[list[Message]] = []

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the number of words and marks in the prompt."""
        return sum(len(TOKEN.findall(message.content)) for message in messages)

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the reply a word at a time; max_tokens words or marks of it, and so cut off.

        Raises:
            GenerationError: prompt and max_tokens exceed the window.
        """
        if self.count_tokens(messages) + decoding.max_tokens > self.max_tokens:
            raise GenerationError(
                f"the prompt and an answer of {decoding.max_tokens} tokens exceed the window of"
                f" {self.max_tokens}; shorten the question or show less evidence"
            )
        self.prompts.append(list(messages))
        if callable(self._script):
            reply = self._script(messages)
        else:
            reply = self._script[min(len(self.prompts), len(self._script)) - 1]
        return _words(reply, decoding.max_tokens)

    def log_probabilities(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> list[LogProbability]:
        """Return the sum of log p over the words and marks of each text.

        Raises:
            GenerationError: prompt and text exceed the window.
        """
        seen = {word for message in messages for word in _tokens(message.content)}
        texts = [_tokens(text) for text in continuations]
        longest = self.count_tokens(messages) + max(map(len, texts), default=0)
        if longest > self.max_tokens:
            raise GenerationError(
                f"the prompt and the text to weigh have {longest} tokens, but the window holds"
                f" {self.max_tokens}; show less evidence"
            )
        logs = [[math.log(LIKELY if w in seen else UNLIKELY) for w in text] for text in texts]
        return [LogProbability(sum(each), len(each)) for each in logs]


class OverlapReader:
    """Finds the sentence that has most of the question's terms; half of them are even odds."""

    name = "overlap"

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """Return one reading for each passage, its span a sentence."""
        asked = frozenset(terms(question))
        return [self._read(asked, passage) for passage in passages]

    def _read(self, asked: frozenset[str], passage: str) -> Reading:
        spans = sentences(passage, "en")
        if not spans:
            return Reading(0, 0, 0.0, math.inf)
        shares = [len(asked & set(terms(passage[a:b]))) / max(1, len(asked)) for a, b in spans]
        best = max(range(len(spans)), key=lambda i: shares[i])
        null = SHARPNESS * (0.5 - shares[best])
        return Reading(*spans[best], -math.log1p(math.exp(null)), null)


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text.casefold())


def _words(reply: str, max_tokens: int) -> TextStream:
    tokens = list(TOKEN.finditer(reply))
    cut = len(tokens) > max_tokens
    yield from re.findall(r"\S+\s*|\s+", reply[: tokens[max_tokens].start()] if cut else reply)
    return cut
