"""Bytes of one connection in, requests out: where one request ends and the next begins, beyond doubt.

llhttp (through httptools) reads the syntax in its strict mode. It refuses by itself: Content-Length together with
Transfer-Encoding, several or malformed Content-Lengths, whitespace before a colon, folded headers, bare CR or LF,
control characters, bad chunk sizes, bytes after a request that said `Connection: close`. Added here, because two
readers could still disagree about it, or because llhttp sets no bound:

* one Host (HTTP/1.1), at most one of every header that we act on;
* `Transfer-Encoding` is exactly `chunked`;
* versions 1.0 and 1.1 only; no upgrade, no CONNECT, so HTTP/2 neither by preface nor by `h2c`;
* bounded heads, trailers, bodies and chunk framing.

No I/O and no time here; the first fault ends the stream.
"""

from enum import Enum
from http import HTTPStatus

import httptools

from interlock.serve.limits import Limits
from interlock.serve.messages import Answer, Head, refusal

_VERSIONS = frozenset({"1.0", "1.1"})
_SINGLE = frozenset({b"host", b"content-type", b"content-length", b"expect", b"transfer-encoding"})


class Mark(Enum):
    """Ends in the stream of events."""

    END = "end of a request"


Event = Head | bytes | Mark | Answer
"""A head, a piece of its body, its end, or the refusal with which the stream ends."""


class _RefusedError(Exception):
    """Carries a refusal out of llhttp's callbacks."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class RequestParser:
    """One connection's reader.

    Attributes:
        within: whether a request has begun and not ended.
    """

    def __init__(self, limits: Limits, *, keeps_headers: bool = False) -> None:
        self._limits = limits
        self._keeps_headers = keeps_headers
        self._parser = httptools.HttpRequestParser(self)
        self._events: list[Event] = []
        self._refused = False
        self.within = False
        self._restart()

    def feed(self, data: bytes) -> list[Event]:
        """Read more bytes; after an `Answer` among the events nothing more is read."""
        if self._refused:
            return []
        self._raw_bytes += len(data)
        try:
            self._parser.feed_data(data)
            self._bound_raw()
        except httptools.HttpParserCallbackError as error:
            self._refuse_for(error.__context__)
        except httptools.HttpParserUpgrade:
            self._refuse(HTTPStatus.BAD_REQUEST, "this server speaks HTTP/1.1 and upgrades to nothing else")
        except httptools.HttpParserError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"malformed request: {error}")
        except _RefusedError as error:
            self._refuse_for(error)
        events, self._events = self._events, []
        return events

    # ------------------------------------------------------------------------------------------ llhttp's callbacks

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self.within = True

    def on_url(self, piece: bytes) -> None:
        """A piece of the target."""
        self._target += piece
        self._count_head(len(piece))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer.

        Raises:
            _RefusedError: too many bytes, or a second one where one is allowed.
        """
        self._count_head(len(name) + len(value))
        key = name.lower()
        if self._head_read:
            return
        if self._keeps_headers:
            self._kept.append((key.decode("latin-1"), value.decode("latin-1")))
        if key not in _SINGLE:
            return
        if key in self._headers:
            raise _RefusedError(refusal(HTTPStatus.BAD_REQUEST, f"{key.decode()}: got several, expected one"))
        self._headers[key] = value

    def on_headers_complete(self) -> None:
        """The head is whole.

        Raises:
            _RefusedError: it is not one that we answer.
        """
        version = self._parser.get_http_version()
        if version not in _VERSIONS:
            raise _RefusedError(refusal(HTTPStatus.BAD_REQUEST, f"HTTP version: got {version}, expected 1.1"))
        if version == "1.1" and b"host" not in self._headers:
            raise _RefusedError(refusal(HTTPStatus.BAD_REQUEST, "host: got none, expected one"))
        coding = self._headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise _RefusedError(refusal(HTTPStatus.BAD_REQUEST, "transfer-encoding: expected chunked and nothing else"))
        if int(self._headers.get(b"content-length", b"0")) > self._limits.body_bytes:  # llhttp lets only digits through
            raise _RefusedError(self._too_large())
        self._head_read = True
        self._events.append(self._head())

    def on_body(self, piece: bytes) -> None:
        """A piece of the body.

        Raises:
            _RefusedError: the body is too large.
        """
        self._body_bytes += len(piece)
        if self._body_bytes > self._limits.body_bytes:
            raise _RefusedError(self._too_large())
        self._events.append(piece)

    def on_message_complete(self) -> None:
        """A request's last byte."""
        self._events.append(Mark.END)
        self.within = False
        self._restart()

    # ------------------------------------------------------------------------------------------ own bookkeeping

    def _restart(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._kept: list[tuple[str, str]] = []
        self._head_bytes = 0
        self._body_bytes = 0
        self._raw_bytes = 0
        self._head_read = False

    def _head(self) -> Head:
        return Head(
            method=self._parser.get_method().decode("ascii"),
            target=self._target.decode("latin-1"),
            content_type=self._headers.get(b"content-type", b"").decode("latin-1"),
            expects_continue=self._headers.get(b"expect", b"").lower() == b"100-continue",
            keep_alive=self._parser.should_keep_alive(),
            chunked=self._parser.get_http_version() != "1.0",
            headers=tuple(self._kept),
        )

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes:
            raise _RefusedError(self._head_too_large())

    def _bound_raw(self) -> None:
        """Bound what llhttp keeps or skips without telling: an unfinished header, chunk sizes and extensions."""
        limits = self._limits
        if self.within and not self._head_read and self._raw_bytes > limits.head_bytes:
            raise _RefusedError(self._head_too_large())
        if self._raw_bytes > limits.head_bytes + limits.body_bytes + limits.framing_bytes:
            raise _RefusedError(self._too_large())

    def _head_too_large(self) -> Answer:
        return refusal(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"head: expected at most {self._limits.head_bytes} bytes"
        )

    def _too_large(self) -> Answer:
        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: expected at most {self._limits.body_bytes} bytes")

    def _refuse_for(self, cause: BaseException | None) -> None:
        """End the stream for what a callback raised.

        Raises:
            BaseException: it was no refusal but an error of our own.
        """
        if not isinstance(cause, _RefusedError):
            raise cause or RuntimeError("llhttp reports an error in a callback, and there was none")
        self._events.append(cause.answer)
        self._refused = True

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._refuse_for(_RefusedError(refusal(status, message)))
