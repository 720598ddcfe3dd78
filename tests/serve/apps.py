"""Small applications to put behind the HTTP edge."""

import asyncio
from http import HTTPStatus

from interlock.serve.messages import Answer, Head, Peer, refusal


class Echo:
    """Answers with method, path, peer and body; `/no` is refused by its head, `/soft` too but keeps the connection."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse two paths."""
        del peer
        if head.target in {"/no", "/soft"}:
            return refusal(HTTPStatus.NOT_FOUND, "no such path", close=head.target == "/no")
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
        """Answer."""
        self.bodies.append(body)
        return Answer(status=HTTPStatus.OK, body=f"{head.method} {head.target} {peer.value} ".encode() + body)


class Gate(Echo):
    """Answers only when the gate is open; counts who waits before it."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.waiting = 0
        self.most_waiting = 0

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
        """Wait, then answer."""
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self.open.wait()
        self.waiting -= 1
        return await super().handle(head, peer, body)
