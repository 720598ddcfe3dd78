"""Where one request ends and the next begins, and everything that could be read in two ways."""

from dataclasses import replace
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.serve.framing import Event, Mark, RequestParser
from interlock.serve.limits import Limits
from interlock.serve.messages import Answer, Head

LIMITS = Limits(head_bytes=1024, body_bytes=2048, framing_bytes=512)

START = b"POST /a HTTP/1.1\r\nHost: guard\r\n"
HEAD = Head(method="POST", target="/a")


def read(data: bytes, *, step: int | None = None) -> list[Event]:
    """Everything that the parser makes of the bytes, fed whole or in pieces; body pieces are joined."""
    parser, events = RequestParser(LIMITS), list[Event]()
    for begin in range(0, len(data), step or len(data)):
        events += parser.feed(data[begin : begin + (step or len(data))])
    return joined(events)


def joined(events: list[Event]) -> list[Event]:
    """The same with neighbouring body pieces as one."""
    result: list[Event] = []
    for event in events:
        if isinstance(event, bytes) and result and isinstance(result[-1], bytes):
            result[-1] += event
        else:
            result.append(event)
    return result


def status(events: list[Event]) -> HTTPStatus | None:
    """The status with which the stream was refused."""
    last = events[-1] if events else None
    return last.status if isinstance(last, Answer) else None


@pytest.mark.parametrize("step", [None, 1, 7])
def test_requests_one_after_the_other(step: int | None) -> None:
    """Pipelined requests come out in order and whole, however the bytes are cut."""
    chunked = b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
    data = START + b"Content-Length: 3\r\n\r\nabc" + START + chunked + b"\r\nGET /b?c HTTP/1.0\r\n\r\n"

    assert read(data, step=step) == [
        HEAD,
        b"abc",
        Mark.END,
        Head(method="POST", target="/a", expects_continue=True),
        b"abcde",
        Mark.END,
        Head(method="GET", target="/b?c", keep_alive=False, chunked=False),
        Mark.END,
    ]


SMUGGLING = {
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two equal lengths": b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "two different lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": b"Content-Length: 1, 1\r\n\r\na",
    "a signed length": b"Content-Length: +1\r\n\r\na",
    "a hexadecimal length": b"Content-Length: 0x1\r\n\r\na",
    "a length beyond any integer": b"Content-Length: 99999999999999999999999\r\n\r\na",
    "a space before the colon": b"Content-Length : 1\r\n\r\na",
    "another coding": b"Transfer-Encoding: gzip\r\n\r\n",
    "two codings": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding that contains the word": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding in quotes": b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a folded header": b"X: a\r\n b\r\n\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": b"X: a\nY: b\r\n\r\n",
    "a bare carriage return": b"X: a\rY: b\r\n\r\n",
    "a NUL": b"X: \x00\r\n\r\n",
    "a control character in a name": b"X\x0b: a\r\n\r\n",
    "an empty name": b": a\r\n\r\n",
    "a second host": b"Host: other\r\n\r\n",
    "a second content type": b"Content-Type: a\r\ncontent-type: b\r\n\r\n",
    "a chunk size with a space": b"Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
    "a chunk size with a prefix": b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "a chunk size beyond any integer": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na",
    "chunks ended by line feeds": b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
    "a length in the trailers": b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "an upgrade to HTTP/2": b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("step", [None, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("rest", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_ambiguous_requests_are_refused(rest: bytes, step: int | None) -> None:
    """What two readers could understand differently is a 400, and nothing after it is read."""
    events = read(START + rest + START + b"\r\n", step=step)

    assert status(events) is HTTPStatus.BAD_REQUEST
    assert events.count(Mark.END) <= 1  # "an upgrade" ends its request; the one after it is never seen


BROKEN = {
    "HTTP/2 by its preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /a\r\n\r\n",
    "HTTP/1.2": b"GET /a HTTP/1.2\r\nHost: guard\r\n\r\n",
    "no host": b"GET /a HTTP/1.1\r\n\r\n",
    "a TLS hello": bytes.fromhex("160301020001000001fc0303") + bytes(64),
    "a lower-case method": b"post /a HTTP/1.1\r\nHost: guard\r\n\r\n",
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes after the last request": START + b"Connection: close\r\n\r\n" + START,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_http_1_1_is_refused(data: bytes) -> None:
    """Other protocols and versions get a 400."""
    assert status(read(data)) is HTTPStatus.BAD_REQUEST


KIB = b"a" * 1024
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
TOO_LARGE = {
    "one long header": (START + b"X: " + b"a" * 1100 + b"\r\n\r\n", 431),
    "a header that never ends": (START + b"X: " + b"a" * 1100, 431),
    "many headers": (START + b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 40 + b"\r\n", 431),
    "a long target": (b"GET /" + b"a" * 1100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    "many trailers": (START + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: aaaaaaaaaaaaaaaaa\r\n" * 60, 431),
    "a length that is too large": (START + b"Content-Length: 2049\r\n\r\n", 413),
    "chunks that are too many": (START + CHUNKED + b"400\r\n" + KIB + b"\r\n400\r\n" + KIB + b"\r\n1\r\na\r\n", 413),
    "chunk extensions without end": (START + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 4000, 413),
}  # fmt: skip


@pytest.mark.parametrize("step", [None, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("data", "expected"), TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_sizes_are_bounded(data: bytes, expected: int, step: int | None) -> None:
    """Heads, trailers, bodies and chunk framing have a bound each."""
    assert status(read(data, step=step)) == expected


def test_the_largest_body_passes() -> None:
    """A body of exactly the limit is read."""
    body = b"a" * LIMITS.body_bytes

    assert read(START + f"Content-Length: {len(body)}\r\n\r\n".encode() + body) == [HEAD, body, Mark.END]


def test_a_listener_without_bodies_takes_none() -> None:
    """With a limit of 0 an empty body passes, and a single byte does not."""
    bare = replace(LIMITS, body_bytes=0)

    assert RequestParser(bare).feed(START + b"Content-Length: 0\r\n\r\n") == [HEAD, Mark.END]
    assert status(RequestParser(bare).feed(START + b"Content-Length: 1\r\n\r\na")) == 413


TOKENS = st.sampled_from(
    [
        b"POST ", b"GET ", b"/a", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"Host: a",
        b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Connection: close", b"Expect: 100-continue", b"abc",
        b"0\r\n\r\n", b"3\r\nabc\r\n", b"PRI * HTTP/2.0", b"\x00", b"\xff", b"Upgrade: h2c", START, START + b"\r\n",
    ]
)  # fmt: skip


@given(st.lists(TOKENS | st.binary(max_size=8), max_size=24).map(b"".join), st.integers(min_value=1, max_value=40))
def test_any_bytes_are_read_alike_however_they_are_cut(data: bytes, step: int) -> None:
    """Cutting a stream elsewhere changes nothing of what is read, nothing raises, and a refusal is the last event."""
    whole, cut = read(data or b"\r\n"), read(data or b"\r\n", step=step)

    assert [event for event in whole if not isinstance(event, Answer)] == [
        event for event in cut if not isinstance(event, Answer)
    ]
    assert status(whole) == status(cut)
    assert all(not isinstance(event, Answer) for event in whole[:-1])
