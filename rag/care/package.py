"""A snapshot's file: a ZIP archive of one database, and a manifest that says what it must be.

One file, so that no copy leaves half of it behind, of a kind that other programs open. Its end
holds its table of contents: a file that was cut short is none.
"""

import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO

from rag.errors import IndexCorrupt
from rag.schema import translating
from rag.store import DATABASE

MANIFEST = "manifest.json"
FORMAT = 1
MANIFEST_BYTES = 65_536
CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says of itself.

    Attributes:
        created: ISO date and time, UTC.
        sha256, bytes: of the database.
    """

    index: str
    created: str
    program: str
    embedder: str
    documents: int
    passages: int
    sha256: str
    bytes: int
    format: int = FORMAT


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(database: Path, manifest: Manifest, file: Path) -> None:
    """Write a snapshot; it appears under its name when it is whole and on disk.

    Raises:
        StoreError: the disk is full or not writable.
    """
    partial = file.with_name(file.name + ".partial")
    with translating(file):
        try:
            with partial.open("wb") as written:
                # Level 1: texts shrink to a third, vectors hardly at any level.
                with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
                    made.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
                    made.write(database, DATABASE)
                written.flush()
                os.fsync(written.fileno())
            partial.replace(file)
            _sync(file.parent)
        finally:
            partial.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unpack(file: Path, database: Path) -> Manifest:
    """Write the database of a snapshot to a path, and return the manifest that it agrees with.

    No name in the archive is used as a path, and no more is written than the manifest says.

    Raises:
        IndexCorrupt: the file is no snapshot, or not as it was written.
        StoreError: it can not be read, or the disk is full.
    """
    with translating(file):
        try:
            with zipfile.ZipFile(file) as archive:
                manifest = _manifest(archive)
                with archive.open(DATABASE) as packed, database.open("wb") as written:
                    found = _copy(packed, written, manifest.bytes)  # type: ignore[arg-type]
        except BROKEN as error:
            raise _damaged(file, str(error)) from error
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed otherwise
            raise _damaged(file, str(error)) from error
    if found != manifest.sha256:
        raise _damaged(file, "its database does not match its checksum")
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    with archive.open(MANIFEST) as packed:
        told = json.loads(packed.read(MANIFEST_BYTES).decode("utf-8"))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"its manifest is not of format {FORMAT}")
    manifest = Manifest(**{field.name: told[field.name] for field in fields(Manifest)})
    if not isinstance(manifest.bytes, int) or not isinstance(manifest.sha256, str):
        raise ValueError("its manifest names no size and checksum")
    return manifest


def _copy(packed: BinaryIO, written: BinaryIO, size: int) -> str:
    """Copy at most size bytes and what shows that there are more; return their SHA-256."""
    digest = hashlib.sha256()
    left = size + 1
    while left > 0 and (chunk := packed.read(min(CHUNK, left))):
        digest.update(chunk)
        written.write(chunk)
        left -= len(chunk)
    written.flush()
    os.fsync(written.fileno())
    return digest.hexdigest()


def _damaged(file: Path, why: str) -> IndexCorrupt:
    return IndexCorrupt(
        f"{file} is no snapshot that can be used: {why}; take another copy, nothing was changed"
    )
