"""The receiver of the API server's audit webhook: what it is sent is appended to a file, one EventList a line.

The audit log and the audit webhook are two backends with the same events. The log is complete; the webhook is what
managed clusters offer, sends in batches, and drops where a buffer is full. Nothing is decoded here, since this process
also forwards what the API server asks of webhooks.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

MAX_BODY_BYTES = 16 * 1024 * 1024
"""One batch: 400 events at most, each at level Metadata a few kilobytes."""

BATCH_SECONDS = 1
"""How long the API server collects before it sends; its default of 30 s is longer than most tests."""


@asynccontextmanager
async def receiving(log: Path, *, address: str, port: int) -> AsyncIterator[None]:
    """Receive for the length of the block.

    Args:
        log: what to append to.
        address: to listen on.
        port: likewise.
    """

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        with log.open("ab") as file:
            file.write(body.rstrip(b"\n") + b"\n")
        return web.Response()

    application = web.Application(client_max_size=MAX_BODY_BYTES)
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        yield
    finally:
        await runner.cleanup()
