"""Opening an object store by what people write: a bucket or a directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from interlock.core.ports import Clock, ObjectStore
from interlock.errors import BadInput
from interlock.ledger.stores import address, s3
from interlock.ledger.stores.directory import DirectoryStore

DIRECTORY = "file"

EXPECTED = f"{address.EXPECTED}; or file:///DIRECTORY, which locks nothing"


def check(text: str) -> None:
    """See that it can be opened, as far as that can be known without asking it.

    Raises:
        BadInput: it cannot.
    """
    if urlsplit(text).scheme == address.SCHEME:
        address.Address.parse(text)
    else:
        _directory(text)


@asynccontextmanager
async def opened(text: str, *, clock: Clock) -> AsyncIterator[ObjectStore]:
    """A store, for the length of the block.

    Args:
        text: its address.
        clock: this machine's, which is a directory's.

    Raises:
        BadInput: the text names none.
        InterlockError: the extra for it is not installed.
    """
    if urlsplit(text).scheme == address.SCHEME:
        async with s3.opened(address.Address.parse(text)) as store:
            yield store
    else:
        yield DirectoryStore(_directory(text), clock=clock)


def _directory(text: str) -> Path:
    parts = urlsplit(text)
    if parts.scheme != DIRECTORY or parts.netloc or not parts.path.strip("/") or parts.query or parts.fragment:
        raise BadInput(field="store", got=repr(text[:200]), expected=EXPECTED)
    return Path(parts.path)
