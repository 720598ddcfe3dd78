"""What a guard without others knows of operations."""

from interlock.core.review.overruns import Marks
from interlock.serve.operations import Operations


def alone() -> Operations:
    """Operations of a guard that has nobody to ask or tell."""

    async def nothing() -> Marks:
        return {}

    return Operations(others=nothing, news=lambda: None)
