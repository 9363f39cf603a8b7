"""Everything that can go wrong, in one tree.

    RagError                     1  anything else
    ├── ConfigError              2  a setting, an argument or a question is not usable
    ├── LoadError                3  a file could not be read as a document
    ├── StoreError               1  the index could not be read or written
    │   ├── IndexNotFound        4  there is no index of that name
    │   ├── IndexLocked          1  another process is writing it
    │   ├── IndexCorrupt         5  what is stored is not what was written
    │   └── IndexMismatch        5  it was made with other models or settings
    ├── ModelError               6  a model could not be loaded or run
    │   └── ModelNotFound        6  its weights are nowhere to be had
    └── GenerationError          1  the generator failed while writing

The number is the exit code of the command line; `api.errors` maps the same classes to HTTP
statuses. A message is one line: the value, what was expected, the remedy. Abstaining is an
answer, not an error.
"""

from typing import ClassVar


class RagError(Exception):
    """Root of every error this project raises on purpose; `code` names it to programs."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "internal"


class ConfigError(RagError):
    """A setting, argument or question is not usable as given."""

    exit_code = 2
    code = "invalid_request"


class LoadError(RagError):
    """A file could not be read as a document; the rest of the run goes on.

    Attributes:
        name: of the file that the message begins with.
        problem: the message without that name.
    """

    exit_code = 3
    code = "load_failed"

    def __init__(self, problem: str, name: str = "") -> None:
        """Take what is wrong, and the file's name, which is the subject of that sentence."""
        super().__init__(f"{name} {problem}" if name else problem)
        self.name = name
        self.problem = problem


class StoreError(RagError):
    """The index could not be read or written (disk full, no permission)."""

    code = "storage"


class IndexNotFound(StoreError):
    """There is no index of that name in the index folder.

    Attributes:
        name: the one that was asked for; "" where the message alone tells.
    """

    exit_code = 4
    code = "index_not_found"

    def __init__(self, message: str, name: str = "") -> None:
        """Take the message, whose remedy is a command, and the name, if it is known."""
        super().__init__(message)
        self.name = name


class IndexLocked(StoreError):
    """Another process is writing this index."""

    code = "index_locked"


class IndexCorrupt(StoreError):
    """Stored bytes do not match their checksum, or the database is not one."""

    exit_code = 5
    code = "index_corrupt"


class IndexMismatch(StoreError):
    """The index was made by another embedding model, chunker or analyser."""

    exit_code = 5
    code = "index_mismatch"


class ModelError(RagError):
    """A model could not be loaded or run."""

    exit_code = 6
    code = "model_unavailable"


class ModelNotFound(ModelError):
    """The weights are in no folder, cache, package index or hub that can be reached."""


class GenerationError(RagError):
    """The generator failed while it wrote an answer."""

    code = "generation_failed"
