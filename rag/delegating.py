"""What embedders that stand before another one have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from rag.protocols import Embedder, Tokenizer, TokenVectors, Vectors


class DelegatingEmbedder(ABC):
    """An embedder that does as another one does, but for what a subclass does otherwise."""

    @property
    @abstractmethod
    def inner(self) -> Embedder:
        """The embedder behind it."""

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        return self.inner.name

    @property
    def fingerprint(self) -> str:
        """What decides the vectors."""
        return self.inner.fingerprint

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.inner.dim

    @property
    def max_tokens(self) -> int:
        """Tokens of passage text that fit beside the prefix and the special tokens."""
        return self.inner.max_tokens

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, for chunking in the units that the model counts."""
        return self.inner.tokenizer

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        return self.inner.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        return self.inner.embed_queries(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text; raises what the embedder does."""
        return self.inner.embed_tokens(texts)
