"""An HTTP client that sends exactly the bytes that it is given, and reads exactly one answer at a time."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

SECONDS = 5.0  # for anything that a test expects to happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> Reply:
        """Read one answer."""
        async with asyncio.timeout(SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            start, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return Reply(status=int(start.split()[1]), headers=headers, body=body)

    async def closed(self) -> bytes:
        """Wait until the server has closed; returns what it still sent."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except (ConnectionError, ssl.SSLError):
                return b""

    async def close(self) -> None:
        """Leave."""
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await self.writer.wait_closed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Opens connections to one server."""

    host: str
    port: int
    context: ssl.SSLContext | None
    name: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def wire(self, context: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
        """A connection for the length of a block."""
        context = context or self.context
        name = self.name if context else None
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=context, server_hostname=name)
        wire = Wire(reader, writer)
        try:
            yield wire
        finally:
            await wire.close()

    async def ask(self, data: bytes) -> Reply:
        """One request, one answer, one connection."""
        async with self.wire() as wire:
            await wire.send(data)
            return await wire.reply()


def post(path: str = "/", body: bytes = b"{}", *headers: str, length: bool = True) -> bytes:
    """A request as the API server writes it."""
    lines = [f"POST {path} HTTP/1.1", "Host: guard", "Content-Type: application/json", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
