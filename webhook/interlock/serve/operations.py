"""Operations of many requests that began inside a window: what this guard knows of them, and asks the others.

Others are asked only where it matters: a window has closed, gives a grace that is not over, and this guard has seen
nothing begin. So nothing is asked while windows are open, nor where no window gives a grace; and once a second in a
flood of denials.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from interlock.core.decide import gone_on
from interlock.core.review import overruns
from interlock.core.review.overruns import Marks
from interlock.core.types import Decision, Request

Others = Callable[[], Awaitable[Marks]]

HEARD_SECONDS = 1.0
"""How long what others tell is believed to be all: longer than a Lease takes to be written, shorter than patience."""


class Operations:
    """What began, as far as this guard can tell."""

    def __init__(self, *, others: Others, news: Callable[[], None]) -> None:
        """Begin with nothing.

        Args:
            others: what all guards tell; an empty answer is a good one.
            news: called when there is something to tell.
        """
        self._memory = overruns.Memory()
        self._others = others
        self._news = news
        self._asking = asyncio.Lock()
        self._heard: Marks = {}
        self._heard_at = float("-inf")

    def told(self) -> str:
        """What to tell other guards."""
        return overruns.written(self._memory.marks)

    async def judged(self, request: Request, decision: Decision) -> Decision:
        """The decision, milder where the request goes on with something that began before."""
        if not overruns.may_go_on(decision):
            return decision
        decision = self._milder(request, decision, self._memory.marks)
        if not overruns.may_go_on(decision):
            return decision
        return self._milder(request, decision, await self._told_by_others())

    def note(self, request: Request, decision: Decision, now: datetime) -> None:
        """Remember a request that is answered with an allow; a dry run begins nothing."""
        if decision.allowed and not request.dry_run and self._memory.note(request, decision, now):
            self._news()

    async def _told_by_others(self) -> Marks:
        async with self._asking:  # many reviews are answered by one look
            if _monotonic() - self._heard_at >= HEARD_SECONDS:
                self._heard = await self._others()
                self._heard_at = _monotonic()
            return self._heard

    def _milder(self, request: Request, decision: Decision, marks: Marks) -> Decision:
        policies = overruns.overrunning(request, decision, marks)
        return gone_on(request, decision, policies) if policies else decision


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
