"""Time zones of a process that lives long: looked at again and again, since they may be replaced under it."""

import asyncio

import structlog

from interlock.core.policies import zones

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""Between two looks at one line of a file."""


async def follow() -> None:
    """Read the database anew whenever it was replaced, for ever; windows go by it from the next question on."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if zones.refresh():
                LOG.info("time zones were read anew", tzdata=zones.version())
        except (OSError, ValueError) as error:
            LOG.warning("cannot read the time zones; those before stay", tzdata=zones.version(), why=str(error))


def release() -> float:
    """The release as a number that grows: 2026.06 for 2026f."""
    version = zones.version()
    return int(version[:4]) + (ord(version[4:5] or "`") - ord("`")) / 100
