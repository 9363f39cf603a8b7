"""Items that were made before, found by everything that they depend on."""

import os
from hashlib import sha256
from importlib import resources
from pathlib import Path

from rag.evaluation.cases import digest
from rag.evaluation.runs import Item, item_line, parse_item

# What prints, serves or cares for indexes has no part in what an item comes to.
_NO_PART = ("care/", "cli", "console", "progress", "options", "chat", "live", "watching")
_NO_PART_OF_EVALUATION = ("report", "compare", "comparison", "history", "sweep", "audit")


def cache_folder() -> Path:
    """Return the folder in the user's cache for what evaluation keeps."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("rag")) / "evaluation"


def code_digest() -> str:
    """Return the SHA-256 of the package's files that an item can depend on."""
    root = Path(str(resources.files("rag")))
    files = sorted(
        path for path in root.rglob("*") if path.suffix in (".py", ".json", ".toml", ".txt")
    )
    names = [(path.relative_to(root).as_posix(), path) for path in files]
    return digest([[n, sha256(path.read_bytes()).hexdigest()] for n, path in names if _counts(n)])


def _counts(name: str) -> bool:
    if name.endswith("_commands.py") or name.startswith(_NO_PART):
        return False
    return not name.removeprefix("evaluation/").startswith(_NO_PART_OF_EVALUATION)


class ItemCache:
    """A folder of items; one that can not be read is made again."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it need not be there."""
        self._folder = folder

    def get(self, key: str) -> Item | None:
        """Return the item of a key, None where there is none."""
        try:
            return parse_item(self._path(key).read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, item: Item) -> None:
        """Keep an item, whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(item_line(item), encoding="utf-8")
        os.replace(new, path)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}.json"
