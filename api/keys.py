"""API keys: made once, shown once, compared in constant time, revoked for good.

A token is `rag_ID_SECRET`, its secret 256 random bits. SHA-256 is enough to store it by: slow
hashes protect what people choose and can be guessed, and nobody guesses 256 bits.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.database import ServiceDatabase, now
from rag.errors import ConfigError
from rag.store import NAME

TOKEN = re.compile(r"rag_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NOBODY = bytes(32)
COLUMNS = "id, name, scopes, collections, created, revoked"


class Scope(StrEnum):
    """What a key may be used for; none holds another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret.

    Attributes:
        collections: the only ones it knows of; None for all.
        created, revoked: ISO 8601, UTC; None while it is good.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None
    created: str
    revoked: str | None = None

    def reaches(self, collection: str) -> bool:
        """Tell whether the key may know of a collection."""
        return self.collections is None or collection in self.collections


class Keys:
    """The keys of a service."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Take the database that holds them."""
        self._database = database

    def create(
        self, name: str, scopes: Sequence[Scope], collections: Sequence[str] | None = None
    ) -> tuple[Key, str]:
        """Make a key; return it with its token, which is stored nowhere.

        Raises:
            ConfigError: no scope, or a collection's name is none.
        """
        if not scopes:
            raise ConfigError("a key without scopes opens nothing; expected read, write or admin")
        for each in collections or ():
            if not NAME.fullmatch(each):
                raise ConfigError(f"{each[:80]!r} is no name of a collection")
        chosen = None if collections is None else frozenset(collections)
        key = Key(secrets.token_hex(6), name, frozenset(scopes), chosen, now())
        token = f"rag_{key.id}_{secrets.token_urlsafe(32)}"
        stored = None if chosen is None else json.dumps(sorted(chosen))
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (key.id, name, _digest(token), " ".join(sorted(scopes)), stored, key.created),
            )
        return key, token

    def all(self) -> list[Key]:
        """Return all keys, the revoked too, the oldest first."""
        if not self._database.exists():
            return []
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT {COLUMNS} FROM keys ORDER BY created, id")
            return [_key(record) for record in found]

    def revoke(self, identity: str) -> Key:
        """Make a key useless from now on; one that is revoked stays as it is.

        Raises:
            ConfigError: there is none of that id.
        """
        known = {key.id for key in self.all()}
        if identity not in known:
            raise ConfigError(f"there is no key {identity[:80]!r}; 'rag keys list' shows the ids")
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (now(), identity)
            )
        return next(key for key in self.all() if key.id == identity)

    def in_use(self) -> bool:
        """Tell whether any key was ever made: once it was, no request passes without one.

        A revoked key counts. Who revokes the last one does not mean to open the door.
        """
        if not self._database.exists():
            return False
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def find(self, token: str) -> Key | None:
        """Return the key of a token, None where it is of none or of a revoked one."""
        parts = TOKEN.fullmatch(token)
        record = self._record(parts[1]) if parts else None
        expected = record[0] if record else NOBODY
        # Compared whether or not the id is known, over the whole digest.
        same = hmac.compare_digest(_digest(token), expected)
        if not same or record is None:
            return None
        key = _key(record[1:])
        return key if key.revoked is None else None

    def _record(self, identity: str) -> tuple[Any, ...] | None:
        if not self._database.exists():
            return None
        with self._database.reading() as connection:
            found: tuple[Any, ...] | None = connection.execute(
                f"SELECT digest, {COLUMNS} FROM keys WHERE id = ?", (identity,)
            ).fetchone()
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _key(record: tuple[Any, ...]) -> Key:
    identity, name, scopes, collections, created, revoked = record
    return Key(
        identity,
        name,
        frozenset(Scope(each) for each in scopes.split()),
        None if collections is None else frozenset(json.loads(collections)),
        created,
        revoked,
    )
