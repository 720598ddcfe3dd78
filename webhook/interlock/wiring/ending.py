"""How a guard runs and ends: by a signal in order, by an error at once.

kopf puts its own handlers on SIGTERM and SIGINT (1.45.2, `_core/reactor/running.py`, end of `spawn_tasks`), which would
cancel the admission server at once. Ours replace them right after, and kopf is stopped by its stop flag when the drain
is over:

    signal ─▶ not ready; every answer ends its connection ─▶ `drain_seconds` ─▶ accept nothing more, finish what is at
    work ─▶ last record of the lane, everything stored ─▶ stop flag ─▶ exit 0

An error ends kopf altogether, such as a watch that the API server breaks off in an unexpected way, and would end every
guard of the cluster at the same moment. So kopf is begun anew here, while reviews are decided by what is known and the
snapshot says how old it is. At its end kopf cancels every task that it did not find at its start, whoever made it
(`run_tasks`; see its note); `_Everybody` keeps it from that, and `_strays_ended` ends what is really kopf's.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kopf
import structlog

from interlock.errors import SinkFault
from interlock.ledger.lane import Lane
from interlock.serve.server import HttpServer
from interlock.wiring.stopping import Work, cancelled, handle_signals, unless

LOG = structlog.get_logger(__name__)

KOPF = Path(kopf.__file__).parent
AT_WORK_SECONDS = 5.0  # for requests at work: the webhook's own timeout, after which nobody waits for them
RESTART_SECONDS = 1.0  # before kopf is begun anew: an API server that fails is not helped by being asked at once
STRAY_SECONDS = 2.0  # for what kopf left; then it is said by name, and left to the end of the process
STRAY_PAUSE_SECONDS = 0.05  # between two cancellations: a watcher of kopf can swallow one on its way out
FLUSH_SECONDS = 5.0  # for the lane's last records; then what is left is said to be lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """What kopf runs, and as whom; without a name it asks for that of its Unix user, who has none in a container."""

    registry: kopf.OperatorRegistry
    configuration: kopf.OperatorSettings
    identity: str


async def serve_until(
    stopping: asyncio.Event,
    *,
    background: Iterable[Work[None]],
    opening: Work[bool],
    operator: Operator,
    http: HttpServer,
    closing: Callable[[], None],
    lane: Lane,
    drain_seconds: float,
) -> None:
    """Serve until it is time to stop, then drain.

    Args:
        stopping: set when it is time.
        background: what runs all the while.
        opening: what must have succeeded before kopf starts the listener.
        operator: what kopf runs.
        http: the listener that kopf starts, to be drained.
        closing: called when no review is at work any more, before the lane is closed.
        lane: to be closed at the end.
        drain_seconds: how long to go on serving after the signal.

    Raises:
        ExceptionGroup: what ended one of the parts.
    """
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in background]
        if await unless(stopping, opening):
            kopf_task = tasks.create_task(operate(operator, stopping=stopping, over=over), name="kopf")
            await stopping.wait()
            await _drain(http, closing, lane, drain_seconds)
            await cancelled(running)
            over.set()
            await kopf_task
        await cancelled(running)


async def operate(operator: Operator, *, stopping: asyncio.Event, over: asyncio.Event) -> None:
    """Run kopf until it is over, anew whenever it ends before."""
    while True:
        run = asyncio.create_task(_run_kopf(operator, stopping=stopping, over=over), name="one run of kopf")
        try:
            await asyncio.wait({run})
        finally:  # also where something else has failed: what kopf leaves would hold up the end of the process
            run.cancel()
            await _strays_ended()
        if over.is_set():
            return
        LOG.error("kopf ended by itself and is begun anew", exc_info=None if run.cancelled() else run.exception())
        await asyncio.sleep(RESTART_SECONDS)


async def _run_kopf(operator: Operator, *, stopping: asyncio.Event, over: asyncio.Event) -> None:
    tasks = await kopf.spawn_tasks(
        registry=operator.registry,
        settings=operator.configuration,
        identity=operator.identity,  # type: ignore[arg-type]  # a NewType that kopf keeps to itself
        clusterwide=True,
        stop_flag=over,
    )
    handle_signals(stopping)
    await kopf.run_tasks(tasks, ignored=_Everybody())


async def _strays_ended() -> None:
    """End every task that a run of kopf left behind.

    A watcher that lost its connection when the run ended waits for credentials that nobody will bring any more, and
    outlives one cancellation (1.45.2, `streaming_block` awaits, and forgets, in its `finally`). Left alone it holds up
    the end of the process, which waits for every task.
    """
    deadline = asyncio.get_running_loop().time() + STRAY_SECONDS
    while strays := {task for task in asyncio.all_tasks() if _is_kopfs(task)}:
        if asyncio.get_running_loop().time() > deadline:
            LOG.error("kopf left tasks that do not end", tasks=sorted(task.get_name() for task in strays))
            return
        for task in strays:
            task.cancel()
        await asyncio.wait(strays, timeout=STRAY_PAUSE_SECONDS)


def _is_kopfs(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and Path(code.co_filename).is_relative_to(KOPF)


class _Everybody(Collection[Any]):
    """Holds every task there is."""

    def __contains__(self, task: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(asyncio.all_tasks())

    def __len__(self) -> int:
        return len(asyncio.all_tasks())


async def _drain(http: HttpServer, closing: Callable[[], None], lane: Lane, seconds: float) -> None:
    LOG.info("stopping: every answer ends its connection", drain_seconds=seconds, connections=http.open_connections)
    http.begin_drain()
    await asyncio.sleep(seconds)
    cut = await http.finish_drain(AT_WORK_SECONDS)
    closing()
    try:
        await lane.close(seconds=FLUSH_SECONDS)
    except SinkFault as fault:
        LOG.error("the lane's last records are not known to be stored", why=str(fault))
    LOG.info("stopped", requests_cut=cut)
