"""What a guard says about the process before it in the same pod, if that was killed.

A guard that is killed leaves counts of denials that nobody goes on counting. The pod's Lease still names the lane that
was being written, so the next process reads that lane and closes what it finds open, with `countLowerBound`: at least
so many. Nothing is lost without it (an unclosed count is read as a lower bound anyway), so it has a deadline, and no
failure of it keeps a guard from starting.
"""

import asyncio

import structlog

from interlock.core.audit import commits, runrecords
from interlock.core.ports import Clock, LaneStore
from interlock.errors import BadInput, ClusterError, SinkFault
from interlock.ledger.lane import Lane

LOG = structlog.get_logger(__name__)

SUCCESSION_SECONDS = 2.0
"""For reading the lane before: some thousand commits, hours of a flood."""


async def close_left_open(before: str, *, lane: Lane, store: LaneStore, clock: Clock) -> None:
    """Append what has to be said about the lane before this one.

    Args:
        before: name of the lane that the pod's Lease named when this process began; empty if there was none.
        lane: the ledger, started.
        store: where the lane before is.
        clock: the present.
    """
    if not before:
        return
    try:
        async with asyncio.timeout(SUCCESSION_SECONDS):
            stored = await store.commits_of(before)
        records = [one for commit in stored for one in commits.records(commit.body)]
        left = runrecords.left_open(records, now=clock())
        for body in left:
            lane.append(body)
    except (TimeoutError, ClusterError, BadInput, SinkFault) as error:
        LOG.warning("counts that the guard before left open stay open", lane=before, why=repr(error))
    else:
        LOG.info("counts that the guard before left open are closed", lane=before, series=len(left))
