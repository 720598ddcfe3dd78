"""Hearing that it is time to stop, and stopping what runs."""

import asyncio
import signal
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

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
