"""Requests and answers of the HTTP edge as values, and how an answer is written.

An answer that is no 200 is a Kubernetes `Status` object: client-go reads it, so that what the API server logs and
tells its user is our sentence and not only a number.
"""

from collections.abc import AsyncGenerator
from enum import Enum
from http import HTTPStatus
from typing import Protocol

import msgspec
import orjson

Headers = tuple[tuple[str, str], ...]

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"

_REASONS = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.REQUEST_TIMEOUT: "Timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UnsupportedMediaType",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request's head matters here; every other header is forgotten unread, unless the listener keeps them.

    Attributes:
        method: upper case.
        target: as sent: path, perhaps with a query.
        content_type: empty if absent.
        expects_continue: the client waits for `100 Continue` before it sends the body.
        keep_alive: the client wants to use the connection again.
        chunked: whether the client reads chunks: HTTP/1.1 does.
        headers: every header, names in lower case, in their order; empty unless the listener keeps them.
        common_name: of the client certificate that TLS verified; empty likewise, and without one.
    """

    method: str
    target: str
    content_type: str = ""
    expects_continue: bool = False
    keep_alive: bool = True
    chunked: bool = True
    headers: Headers = ()
    common_name: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent back.

    Attributes:
        headers: name and value of those beside Content-Type, Content-Length, Date and Connection.
        close: no request can follow on this connection.
    """

    status: HTTPStatus
    body: bytes
    content_type: str = JSON
    headers: Headers = ()
    close: bool = False


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is made while it is sent, however long that takes: a large list, or a watch.

    Attributes:
        pieces: the body; the next one is asked for when the peer has taken those before. It is closed when the peer is
            gone. What it raises ends the connection in the middle of the body, so that nobody takes it for whole.
    """

    pieces: AsyncGenerator[bytes]
    content_type: str = JSON
    headers: Headers = ()


class Peer(Enum):
    """What TLS proved about the other side."""

    UNKNOWN = "unknown"
    CERTIFIED = "certified"  # it holds a client certificate that the given authority signed


class Application(Protocol):
    """What a listener serves."""

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse a request before a byte of its body is kept; None to go on."""

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer | Stream:
        """Answer a request that passed `screen`. Must not raise: a connection whose request raises is cut."""


def refusal(status: HTTPStatus, message: str, *, headers: Headers = (), close: bool = True) -> Answer:
    """An answer that says why there is no other."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(status, ""),
        "code": int(status),
    }
    return Answer(status=status, body=orjson.dumps(body), headers=headers, close=close)


def rendered(answer: Answer, *, date: str, close: bool, bodiless: bool) -> bytes:
    """The bytes of an answer.

    Args:
        answer: what to send.
        date: for the Date header.
        close: announce that the connection ends.
        bodiless: it answers a HEAD.
    """
    length = ("Content-Length", str(len(answer.body)))
    head = _head(answer.status, answer.content_type, (length, *answer.headers), date=date, close=close)
    return head + (b"" if bodiless else answer.body)


def begun(stream: Stream, *, date: str, chunked: bool, close: bool) -> bytes:
    """The head of an answer whose body follows piece by piece; without chunks the end of the connection ends it."""
    coding = (("Transfer-Encoding", "chunked"),) if chunked else ()
    return _head(HTTPStatus.OK, stream.content_type, (*coding, *stream.headers), date=date, close=close)


def chunk(piece: bytes) -> bytes:
    """One piece of a body in chunks; an empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _head(status: HTTPStatus, content_type: str, headers: Headers, *, date: str, close: bool) -> bytes:
    fields = [("Date", date), ("Content-Type", content_type), *headers, *([("Connection", "close")] if close else [])]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1")
