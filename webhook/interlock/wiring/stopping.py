"""Hearing that it is time to stop, stopping what runs, and ending for what nothing can be done about."""

import asyncio
import signal
from collections.abc import Collection, Coroutine, Iterator
from typing import Any, TypeVar

import structlog

from interlock.errors import ClusterError

LOG = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Coroutine[Any, Any, T]

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def handle_signals(stopping: asyncio.Event) -> None:
    """Have SIGTERM and SIGINT set the event, whoever handled them before."""
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)


async def unless(stopping: asyncio.Event, work: Work[T]) -> T | None:
    """Do the work; None if it is time to stop before it is done."""
    task = asyncio.create_task(work)
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    return None


async def cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def cannot_go_on(group: ExceptionGroup) -> SystemExit:
    """The end of a process whose work ended by errors of the cluster: said in one line, without a traceback.

    Raises:
        ExceptionGroup: there is an error of another kind among them.
    """
    known, unknown = group.split(ClusterError)
    if known is None or unknown is not None:
        raise group
    LOG.critical("this process cannot go on", why=", ".join(str(error) for error in _leaves(known)))
    return SystemExit(1)


def _leaves(group: BaseExceptionGroup[ClusterError]) -> Iterator[ClusterError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
