"""A directory as an object store: to try the ledger out, or to verify a copy of a bucket. It locks nothing.

    DIRECTORY/log/2026-11/000000004711

An object is written under a name of its own, synced, and then linked to its key, which fails where the key exists:
create-only, and whole or not at all.
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from interlock.core.ports import Clock, LockedObject
from interlock.errors import BadInput, Forbidden, NameTaken, NotFound, Unavailable

T = TypeVar("T")

SCRATCH = ".scratch-"
"""Begins the names of what is being written; never part of a key."""


class DirectoryStore:
    """Implements `core.ports.ObjectStore` below one directory; retention is not kept, and `head` says so."""

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        """Prepare.

        Args:
            directory: of all objects; made with the first one.
            clock: this machine's.
        """
        self._directory = directory
        self._clock = clock

    @property
    def name(self) -> str:
        """What to call it."""
        return f"file://{self._directory}"

    async def put(self, key: str, body: bytes, *, retain_until: datetime) -> str:
        """Store an object; it has no version.

        Raises:
            NameTaken: an object of that key exists.
            Unavailable: it may or may not have been stored.
            Forbidden: the file system refuses.
        """
        await _done(self._put, key, body)
        return ""

    async def head(self, key: str, *, version: str = "") -> LockedObject:
        """What is known of an object.

        Raises:
            NotFound: there is none.
            Unavailable, Forbidden: it cannot be read.
        """
        del version
        return await _done(self._head, key)

    async def get(self, key: str, *, version: str = "", limit: int) -> bytes:
        """Read an object.

        Raises:
            NotFound: there is none.
            BadInput: it has more than `limit` bytes.
            Unavailable, Forbidden: it cannot be read.
        """
        del version
        body = await _done(self._get, key, limit)
        if len(body) > limit:
            raise BadInput(field=key, got=f"more than {limit} bytes", expected=f"at most {limit}")
        return body

    async def versions(self, prefix: str) -> AsyncIterator[LockedObject]:
        """Every object below a prefix, by key."""
        for key in await _done(self._keys, prefix):
            yield await self.head(key)

    async def now(self) -> datetime:
        """This machine's clock."""
        return self._clock()

    def _put(self, key: str, body: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{SCRATCH}{secrets.token_hex(8)}")
        try:
            with scratch.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(scratch)
        except FileExistsError as error:
            raise NameTaken(f"{path} exists") from error
        finally:
            scratch.unlink(missing_ok=True)

    def _head(self, key: str) -> LockedObject:
        path = self._path(key)
        body, stat = path.read_bytes(), path.stat()
        return LockedObject(
            key=key,
            version="",
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            mode="",
            retain_until=None,
            modified=datetime.fromtimestamp(stat.st_mtime, UTC),
            latest=True,
            deleted=False,
        )

    def _get(self, key: str, limit: int) -> bytes:
        with self._path(key).open("rb") as file:
            return file.read(limit + 1)

    def _keys(self, prefix: str) -> list[str]:
        paths = (path for path in self._directory.rglob("*") if path.is_file() and not path.name.startswith(SCRATCH))
        keys = (path.relative_to(self._directory).as_posix() for path in paths)
        return sorted(key for key in keys if key.startswith(prefix))

    def _path(self, key: str) -> Path:
        if ".." in key.split("/"):
            raise BadInput(field="key", got=key[:120], expected="one without ..")
        return self._directory / key


async def _done(work: Callable[..., T], *arguments: object) -> T:
    """Do what may wait for a disk, in a thread.

    Raises:
        InterlockError: what a failure means.
    """
    try:
        return await asyncio.to_thread(work, *arguments)
    except FileNotFoundError as error:
        raise NotFound(str(error)) from error
    except PermissionError as error:
        raise Forbidden(str(error)) from error
    except OSError as error:
        raise Unavailable(str(error)) from error
