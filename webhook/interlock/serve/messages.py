"""Requests and answers of the HTTP edge as values, and how an answer is written.

An answer that is no 200 is a Kubernetes `Status` object: client-go reads it, so that what the API server logs and
tells its user is our sentence and not only a number.
"""

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
    HTTPStatus.REQUEST_TIMEOUT: "Timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UnsupportedMediaType",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request's head matters here; every other header is forgotten unread.

    Attributes:
        method: upper case.
        target: as sent: path, perhaps with a query.
        content_type: empty if absent.
        expects_continue: the client waits for `100 Continue` before it sends the body.
        keep_alive: the client wants to use the connection again.
    """

    method: str
    target: str
    content_type: str = ""
    expects_continue: bool = False
    keep_alive: bool = True


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


class Peer(Enum):
    """What TLS proved about the other side."""

    UNKNOWN = "unknown"
    CERTIFIED = "certified"  # it holds a client certificate that the given authority signed


class Application(Protocol):
    """What a listener serves."""

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Refuse a request before a byte of its body is kept; None to go on."""

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
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
    fields = [("Date", date), ("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    fields += [*answer.headers, *([("Connection", "close")] if close else [])]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    head = f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n{lines}\r\n"
    return head.encode("latin-1") + (b"" if bodiless else answer.body)
