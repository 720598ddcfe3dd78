"""What `up` and the supervisor say to each other while a cluster comes up.

The supervisor says `ready`, or `failed` and why, on its standard output, once. `up` holds the other end of the
supervisor's standard input and says `keep` when all is done; if that pipe ends before, `up` has died or given up.
"""

import asyncio
import os
import sys
from typing import TextIO

from devtools.errors import ToolError

_READY = "ready"
_FAILED = "failed"
_KEEP = b"keep\n"


def say_ready() -> None:
    """The supervisor's word that the cluster can be used."""
    print(_READY, flush=True)


def say_failed(reason: object) -> None:
    """The supervisor's word that it cannot, and why."""
    print(_FAILED, reason, flush=True)


def wait_until_ready(answers: TextIO) -> None:
    """Wait for the supervisor's word.

    Raises:
        ToolError: it failed, or ended without a word (the message is empty then).
    """
    first = answers.readline().strip()
    if first != _READY:
        raise ToolError((first + "\n" + answers.read()).removeprefix(_FAILED).strip())


def hand_over(lifeline: int) -> None:
    """Leave the cluster to its supervisor.

    Raises:
        ToolError: the supervisor has ended.
    """
    try:
        os.write(lifeline, _KEEP)
    except BrokenPipeError as error:
        raise ToolError("the supervisor ended while the cluster was being made") from error


async def is_kept() -> bool:
    """Wait, in the supervisor, for `up` to hand the cluster over; false if it ended without doing so."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return await reader.readline() == _KEEP
