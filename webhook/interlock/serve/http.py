"""One HTTP/1.1 connection: requests in, answers out in the order of the requests, never two at work at once.

    bytes ─▶ RequestParser ─▶ Application.screen ─▶ body kept within the budget ─▶ Application.handle ─▶ answer

Rules kept here:

* A request is screened before any of its body is kept; a refused one costs its head.
* What is kept of bodies counts against the listener's budget until the answer is written.
* Reading stops while a request waits behind another, so a peer cannot make us queue more than one chunk of its bytes.
* Whatever ends a connection early is answered first, then lingered over, so that the peer reads why.
* Every state but "our own code is at work" has a deadline; the application has its own.
* An answer that is made while it is sent goes on as fast as the peer takes it, and ends with the peer.

Deliberately absent: HTTP/2, upgrades, trailers, content codings, ranges: nobody who may call needs them.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol, cast

import msgspec

from interlock.serve.exchange import NEVER, Exchange, Waiting, patience
from interlock.serve.framing import Event, Mark, RequestParser
from interlock.serve.limits import Budget, Limits
from interlock.serve.messages import Answer, Application, Head, Peer, Stream, begun, chunk, refusal, rendered

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_RETRY = (("Retry-After", "1"),)


class Listener(Protocol):
    """What a connection shares with its siblings."""

    application: Application
    limits: Limits
    budget: Budget
    keeps_headers: bool
    draining: bool
    date: str
    answered: Counter[int]

    def admit(self, connection: "HttpConnection") -> bool:
        """Take note of a new connection; False if there are too many."""

    def forget(self, connection: "HttpConnection") -> None:
        """A connection is gone."""


class HttpConnection(asyncio.Protocol):
    """One connection of a listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(listener.limits, keeps_headers=listener.keeps_headers)
        self._queue: deque[Exchange] = deque()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._peer = Peer.UNKNOWN
        self._common_name = ""
        self._streaming = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._deaf = False  # nothing more is read: a refusal or the last answer is on its way
        self._lingering = False
        self._stalled = False
        self._waiting: Waiting | None = None
        self._deadline = NEVER

    # ------------------------------------------------------------------------------------------ asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up, if there is any."""
        self._transport = cast("asyncio.Transport", transport)  # the listener makes no other kind
        if certificate := transport.get_extra_info("peercert"):
            self._peer = Peer.CERTIFIED
            self._common_name = _common_name(certificate)
        if self._listener.admit(self):
            self._rest()
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        if self._deaf:
            return
        for event in self._parser.feed(data):
            if not self._take(event):
                break
        self._advance()

    def eof_received(self) -> bool:
        """The peer sends no more; over TLS that ends the connection, answered or not."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; an answer still being made is thrown away when it comes."""
        del exc
        self._transport = None
        self._deaf = True
        self._forget_queue()
        self._listener.forget(self)
        if self._streaming and self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The peer does not take its answers."""
        self._stalled = True
        self._writable.clear()
        self._rest()

    def resume_writing(self) -> None:
        """It does again."""
        self._stalled = False
        self._writable.set()
        self._rest()

    # ------------------------------------------------------------------------------------------ the listener's calls

    @property
    def busy(self) -> bool:
        """Whether a request is being received, waits or is at work, or its answer is not yet taken."""
        return bool(self._queue) or self._task is not None or self._parser.within or self._stalled

    def sweep(self, now: float) -> None:
        """Cut the connection if its deadline is over."""
        if now < self._deadline or self._transport is None:
            return
        if self._waiting is Waiting.REST and not self._deaf:
            self._refuse(refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time"))
            self._advance()
        elif self._waiting is Waiting.REQUEST:
            self._transport.close()
        else:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """End it between two requests."""
        if self._transport is not None and not self.busy:
            self._transport.close()

    def abort(self) -> None:
        """End it whatever it does."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------------------------------ requests in

    def _take(self, event: Event) -> bool:
        """One thing that the parser found; False if nothing after it is read."""
        if isinstance(event, bytes):
            self._keep(event)
        elif isinstance(event, Head):
            self._begin(event)
        elif event is Mark.END:
            self._queue[-1].complete = True
        else:
            self._refuse(event)
        return not self._deaf

    def _begin(self, head: Head) -> None:
        """A head is complete: screen it."""
        if len(self._queue) >= self._listener.limits.pipelined:
            self._refuse(refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests wait on this connection"))
            return
        if self._listener.keeps_headers:
            head = msgspec.structs.replace(head, common_name=self._common_name)
        answer = self._listener.application.screen(head, self._peer)
        self._queue.append(Exchange(head, answer))
        self._deaf = answer is not None and answer.close

    def _keep(self, piece: bytes) -> None:
        """A piece of a body: keep it if the budget allows; skip it if its request is refused already."""
        exchange = self._queue[-1]
        if exchange.answer is not None:
            return
        if self._listener.budget.take(len(piece)):
            exchange.held += len(piece)
            exchange.body.append(piece)
        else:
            self._refuse(refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many bytes wait here", headers=_RETRY))

    def _refuse(self, answer: Answer) -> None:
        """Nothing more of this stream is read: answer in turn, then close."""
        self._deaf = True
        if self._queue and not self._queue[-1].complete:
            self._queue[-1].refuse(answer)
        else:
            self._queue.append(Exchange(None, answer))

    # ------------------------------------------------------------------------------------------ answers out

    def _advance(self) -> None:
        """Answer what is due, start what is next, and set the deadline of what is then waited for."""
        while self._queue and self._task is None and self._transport is not None:
            exchange = self._queue[0]
            if not exchange.complete:
                self._invite(self._transport, exchange)
                break
            if exchange.answer is None:
                self._task = self._loop.create_task(self._work(exchange, cast("Head", exchange.head)))
            else:
                self._write(self._transport, exchange, exchange.answer)
        self._rest()

    async def _work(self, exchange: Exchange, head: Head) -> None:
        """Have the application answer."""
        sent = False
        try:
            answer = await self._listener.application.handle(head, self._peer, exchange.take_body())
            if isinstance(answer, Stream):
                sent = await self._send(answer, head)
            else:
                exchange.answer = answer
        finally:
            self._task = None
            self._release(exchange)
            if exchange.answer is None and not sent:
                self.abort()
            self._advance()

    async def _send(self, stream: Stream, head: Head) -> bool:
        """Send an answer as it is made; False if the peer had gone before it began."""
        async with contextlib.aclosing(stream.pieces) as pieces:
            if self._transport is None:
                return False
            close = not head.chunked or not head.keep_alive or self._listener.draining
            self._streaming = True
            self._listener.answered[HTTPStatus.OK] += 1
            self._transport.write(begun(stream, date=self._listener.date, chunked=head.chunked, close=close))
            async for piece in pieces:
                if piece:
                    self._transport.write(chunk(piece) if head.chunked else piece)
                await self._writable.wait()
            self._streaming = False
        if head.chunked:
            self._transport.write(chunk(b""))
        self._queue.popleft()
        self._waiting = None
        if close or self._listener.draining:
            self._finish(self._transport, lingering=False)
        return True

    def _invite(self, transport: asyncio.Transport, exchange: Exchange) -> None:
        """Ask for the body that the client keeps back."""
        if exchange.continue_due:
            exchange.continue_due = False
            transport.write(CONTINUE)

    def _write(self, transport: asyncio.Transport, exchange: Exchange, answer: Answer) -> None:
        """Send the answer at the head of the queue, and end the connection if it is the last."""
        self._queue.popleft()
        self._waiting = None  # whatever is waited for next is waited for anew
        self._release(exchange)
        head = exchange.head
        close = answer.close or head is None or not head.keep_alive or self._listener.draining
        bodiless = head is not None and head.method == "HEAD"
        self._listener.answered[answer.status] += 1
        transport.write(rendered(answer, date=self._listener.date, close=close, bodiless=bodiless))
        if close:
            self._finish(transport, lingering=answer.close)

    def _finish(self, transport: asyncio.Transport, *, lingering: bool) -> None:
        """Close after the last answer; after a refusal read on for a while, since unread bytes would destroy it."""
        self._deaf = True
        self._forget_queue()
        self._lingering = lingering
        if not lingering:
            transport.close()

    def _forget_queue(self) -> None:
        """Drop what will not be answered; what is at work keeps its share of the budget until it is done."""
        for exchange in self._queue:
            if exchange.body:
                self._release(exchange)
        self._queue.clear()

    def _release(self, exchange: Exchange) -> None:
        self._listener.budget.give(exchange.held)
        exchange.held = 0

    # ------------------------------------------------------------------------------------------ waiting

    def _rest(self) -> None:
        """Decide what is waited for, until when, and whether to read meanwhile."""
        if self._transport is None:
            return
        self._throttle(self._transport)
        waiting = self._waits_for()
        if waiting is not self._waiting:
            self._waiting = waiting
            self._deadline = self._loop.time() + patience(waiting, self._listener.limits)

    def _waits_for(self) -> Waiting:
        if self._lingering:
            return Waiting.GOODBYE
        if self._stalled:
            return Waiting.READER
        if self._task is not None:
            return Waiting.OURSELVES
        return Waiting.REST if self._parser.within else Waiting.REQUEST

    def _throttle(self, transport: asyncio.Transport) -> None:
        """Stop reading while a request waits behind the one at work."""
        waits = len(self._queue) > 1
        if waits and transport.is_reading():
            transport.pause_reading()
        elif not waits and not transport.is_reading() and not transport.is_closing():
            transport.resume_reading()


def _common_name(certificate: Mapping[str, Any]) -> str:
    """The common name of a certificate's subject, as Python's ssl tells it; empty if it has none."""
    names = (value for part in certificate.get("subject", ()) for key, value in part if key == "commonName")
    return str(next(names, ""))
