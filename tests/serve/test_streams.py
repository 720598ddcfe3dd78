"""Answers that are made while they are sent: piece by piece, as fast as the peer takes them, and no longer than it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from interlock.serve.messages import Answer, Head, Peer, Stream
from tests.serve.client import SECONDS, Wire
from tests.serve.conftest import PATIENT, Serve, eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Tap:
    """Streams pieces until it is told to end, or raises."""

    def __init__(self, *, count: int, size: int = 4, fails: bool = False) -> None:
        self.count, self.size, self.fails = count, size, fails
        self.made = 0
        self.closed = False

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Take everything."""
        del head, peer
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer | Stream:
        """Stream."""
        del head, peer, body
        return Stream(pieces=self._pieces())

    async def _pieces(self) -> AsyncGenerator[bytes]:
        try:
            while self.made < self.count:
                self.made += 1
                yield b"x" * self.size
                await asyncio.sleep(0)
            if self.fails:
                raise asyncio.CancelledError
        finally:
            self.closed = True


async def _chunks(wire: Wire) -> list[int]:
    """The sizes of the chunks of one answer, its end included."""
    sizes = list[int]()
    async with asyncio.timeout(SECONDS):
        while not sizes or sizes[-1]:
            sizes.append(int(await wire.reader.readuntil(b"\r\n"), 16))
            await wire.reader.readexactly(sizes[-1] + 2)
    return sizes


async def test_pieces_are_chunks(serve: Serve) -> None:
    """Each piece is a chunk, and the connection serves the next request after the last."""
    tap = Tap(count=3)
    server, client = await serve(tap)

    async with client.wire() as wire:
        for _ in range(2):
            tap.made = 0
            await wire.send(GET)
            assert b"Transfer-Encoding: chunked" in await wire.reader.readuntil(b"\r\n\r\n")
            assert await _chunks(wire) == [4, 4, 4, 0]
    assert server.answered == {200: 2}


async def test_client_without_chunks(serve: Serve) -> None:
    """To a client of HTTP/1.0 the end of the connection is the end of the body."""
    _, client = await serve(Tap(count=3))

    async with client.wire() as wire:
        await wire.send(b"GET / HTTP/1.0\r\n\r\n")
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert (b"chunked" in head, b"Connection: close" in head) == (False, True)
        assert await wire.closed() == b"x" * 12


async def test_a_body_that_fails_is_not_whole(serve: Serve) -> None:
    """An answer that cannot be finished ends without its last chunk."""
    _, client = await serve(Tap(count=1, fails=True))

    async with client.wire() as wire:
        await wire.send(GET)
        await wire.reader.readuntil(b"\r\n\r\n")
        assert not (await wire.closed()).endswith(b"0\r\n\r\n")


async def test_a_peer_that_leaves(serve: Serve) -> None:
    """A stream without end ends with its peer."""
    tap = Tap(count=1_000_000_000)
    server, client = await serve(tap)

    async with client.wire() as wire:
        await wire.send(GET)
        await wire.reader.readuntil(b"\r\n\r\n")
    await eventually(lambda: tap.closed and server.open_connections == 0)


async def test_a_peer_that_does_not_read(serve: Serve) -> None:
    """Nothing is made ahead of a peer that does not take what is there, and in the end it is cut."""
    tap = Tap(count=1_000_000_000, size=65536)
    server, client = await serve(tap, replace(PATIENT, write_seconds=0.3))

    async with client.wire() as wire:
        await wire.send(GET)
        await eventually(lambda: tap.closed and server.open_connections == 0)
    assert tap.made < 500
