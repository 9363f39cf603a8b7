"""Question answering over a folder of documents, with citations that can be checked."""

__version__ = "0.1.0"
