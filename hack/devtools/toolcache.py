"""The directory in which built and downloaded tools are kept for all checkouts of a user.

    ${XDG_CACHE_HOME:-~/.cache}/interlock/tools/

Everything in it carries the digest of what it is made from in its name, and appears by one rename when it is whole.
Deleting any of it is safe: it is made again.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import console

DIGEST_DIGITS = 12  # of a name: enough to tell contents apart, short enough to read


def place(name: str, *content: bytes) -> Path:
    """Where a thing made from this content lies, or will."""
    digest = hashlib.sha256(b"\0".join(content)).hexdigest()[:DIGEST_DIGITS]
    return directory() / f"{name}-{digest}"


@contextmanager
def locked(what: str, seconds: int) -> Iterator[None]:
    """Hold the making of one thing for this process alone; the kernel lets go of it however the process ends.

    Args:
        what: its name.
        seconds: how long making it takes, shown to whoever has to wait.
    """
    directory().mkdir(parents=True, exist_ok=True)
    with (directory() / f".{what}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with console.step(f"waiting for another run that makes {what}", seconds):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def directory() -> Path:
    """The directory itself, which may not be there yet."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "interlock" / "tools"
