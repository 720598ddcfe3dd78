"""One connection of the HTTP edge, over real TLS: order, keep-alive, refusals, deadlines, bounds."""

import asyncio
import socket
import ssl
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.serve.limits import ADMISSION
from tests.serve.apps import Echo, Gate
from tests.serve.client import Client, Reply, post
from tests.serve.conftest import PATIENT, SMALL, Serve, eventually

BROKEN = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"


def reason(reply: Reply) -> tuple[int, str, str | None]:
    """Status, reason of the Status object, and whether the connection ends."""
    body = orjson.loads(reply.body)
    assert body["code"] == reply.status
    assert body["status"] == "Failure"
    assert body["message"]
    return reply.status, body["reason"], reply.headers.get("connection")


async def test_keep_alive(serve: Serve) -> None:
    """One connection serves request after request."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        for number in range(3):
            await wire.send(post(f"/{number}", b"x"))
            reply = await wire.reply()
            assert (reply.status, reply.body) == (200, f"POST /{number} unknown x".encode())
            assert "connection" not in reply.headers
            assert {"date", "content-type", "content-length"} == set(reply.headers)


def test_idle_connections_outlive_the_api_server_s_patience() -> None:
    """An idle connection is kept longer than the 90 s for which Go's transport would use it again."""
    assert ADMISSION.idle_seconds >= 120


@pytest.mark.parametrize(
    "request_line", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]
)
async def test_connection_close_is_honoured(serve: Serve, request_line: bytes) -> None:
    """A client that wants the connection closed gets an answer that says so, and then the end."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        await wire.send(request_line)
        reply = await wire.reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await wire.closed() == b""


async def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    """Requests sent at once are worked on one at a time and answered in their order."""
    gate = Gate()
    _, client = await serve(gate)

    async with client.wire() as wire:
        await wire.send(post("/1") + post("/2") + post("/3"))
        await eventually(lambda: gate.waiting == 1)
        gate.open.set()
        assert [(await wire.reply()).body for _ in range(3)] == [f"POST /{n} unknown {{}}".encode() for n in (1, 2, 3)]
    assert gate.most_waiting == 1


async def test_reading_stops_while_a_request_waits(serve: Serve) -> None:
    """However much a client sends ahead, what is read ahead stays small, and everything is answered in the end."""
    gate = Gate()
    limits = replace(PATIENT, pipelined=16, in_flight_bytes=1_000_000)
    server, client = await serve(gate, limits)
    count, body = 60, b"x" * limits.body_bytes

    async with client.wire() as wire:
        wire.writer.write(post("/", body) * count)
        await eventually(lambda: gate.waiting == 1)
        for _ in range(20):
            await asyncio.sleep(0.005)
            assert server.budget.taken < limits.in_flight_bytes / 2
        gate.open.set()
        assert {(await wire.reply()).status for _ in range(count)} == {200}


async def test_refusal_waits_its_turn(serve: Serve) -> None:
    """A broken request behind a good one is answered after it, and the connection ends."""
    gate = Gate()
    _, client = await serve(gate)

    async with client.wire() as wire:
        await wire.send(post("/1") + BROKEN + post("/never"))
        await eventually(lambda: gate.waiting == 1)
        gate.open.set()
        assert (await wire.reply()).body == b"POST /1 unknown {}"
        assert reason(await wire.reply()) == (400, "BadRequest", "close")
        assert await wire.closed() == b""
    assert len(gate.bodies) == 1


async def test_too_many_pipelined_requests(serve: Serve) -> None:
    """More requests than the limit at once: those within it are answered, then 503 and the end."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        await wire.send(post("/") * (PATIENT.pipelined + 3))
        replies = [(await wire.reply()).status for _ in range(PATIENT.pipelined + 1)]
        assert replies == [200] * PATIENT.pipelined + [503]
        assert await wire.closed() == b""


async def test_chunked_body(serve: Serve) -> None:
    """A chunked body arrives as one."""
    _, client = await serve(Echo())
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    reply = await client.ask(post("/", b"", "Transfer-Encoding: chunked", length=False) + chunks)

    assert (reply.status, reply.body) == (200, b"POST / unknown abcde")


async def test_expect_continue(serve: Serve) -> None:
    """A client that waits is told to go on, once, and then answered."""
    _, client = await serve(Echo())
    whole = post("/", b"abc", "Expect: 100-continue")
    head, body = whole[:-3], whole[-3:]

    async with client.wire() as wire:
        await wire.send(head)
        assert (await wire.reply()).status == 100
        for byte in body:  # whatever comes piecemeal, nobody is told to go on twice
            await wire.send(bytes([byte]))
            await asyncio.sleep(0.02)
        assert (await wire.reply()).body == b"POST / unknown abc"


async def test_expect_continue_is_refused_without_the_body(serve: Serve) -> None:
    """What is refused by its head is refused before the body is asked for."""
    echo = Echo()
    _, client = await serve(echo)

    async with client.wire() as wire:
        await wire.send(post("/no", b"abc", "Expect: 100-continue")[:-3])
        assert reason(await wire.reply()) == (404, "NotFound", "close")
    assert echo.bodies == []


async def test_refused_by_its_head_but_connection_kept(serve: Serve) -> None:
    """A refusal that does not close skips the body and reads the next request."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        await wire.send(post("/soft", b"x" * 1000) + post("/next"))
        assert reason(await wire.reply()) == (404, "NotFound", None)
        assert (await wire.reply()).body == b"POST /next unknown {}"


async def test_refusal_is_readable_although_the_client_still_sends(serve: Serve) -> None:
    """A client that goes on sending a body that is too large still reads why it was refused."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        wire.writer.write(post("/", b"x" * 4_000_000))  # far more than the buffers between them hold
        assert reason(await wire.reply()) == (413, "RequestEntityTooLarge", "close")
        assert await wire.closed() == b""


async def test_refusal_waits_for_a_client_that_sends_everything_first(serve: Serve) -> None:
    """A client that reads only after it has sent everything meets no reset on the way."""
    _, client = await serve(Echo(), plain=True)

    def send_all_then_read() -> bytes:
        with socket.create_connection((client.host, client.port), timeout=5) as wire:
            wire.sendall(post("/", b"x" * 8_000_000))
            return wire.recv(1000)

    assert (await asyncio.to_thread(send_all_then_read)).startswith(b"HTTP/1.1 413 ")


async def test_long_header_is_431(serve: Serve) -> None:
    """A head beyond its bound is a 431."""
    _, client = await serve(Echo())

    reply = await client.ask(post("/", b"", "X: " + "a" * PATIENT.head_bytes))

    assert (reply.status, reply.headers["connection"]) == (431, "close")


async def test_head_is_answered_without_a_body(serve: Serve) -> None:
    """HEAD gets the head of the answer only."""
    _, client = await serve(Echo())

    async with client.wire() as wire:
        await wire.send(b"HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: 16\r\n" in head
        assert await wire.closed() == b""


SLOW = {
    "half a head": b"POST / HTTP/1.1\r\nHost:",
    "half a body": post("/", b"abc", length=False)[:-3] + b"",
    "half a chunk": post("/", b"", "Transfer-Encoding: chunked", length=False) + b"5\r\nab",
}
SLOW["half a body"] = post("/", b"", "Content-Length: 5", length=False) + b"ab"


@pytest.mark.parametrize("start", SLOW.values(), ids=SLOW.keys())
async def test_slow_request_is_cut_off(serve: Serve, start: bytes) -> None:
    """A request that does not become complete is a 408, however steadily bytes trickle in."""
    server, client = await serve(Echo(), SMALL)

    async with client.wire() as wire:
        await wire.send(start)
        assert reason(await wire.reply()) == (408, "Timeout", "close")
        assert await wire.closed() == b""
    await eventually(lambda: server.open_connections == 0)


async def test_trickling_does_not_prolong_a_request(serve: Serve) -> None:
    """The deadline counts from the first byte, not from the last."""
    _, client = await serve(Echo(), SMALL)

    async with client.wire() as wire:
        await wire.send(post("/", b"", "Content-Length: 5000", length=False))
        answered = asyncio.create_task(wire.reply())
        while not answered.done():
            await wire.send(b"x")
            await asyncio.sleep(0.02)
        assert (await answered).status == 408


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "empty lines"])
async def test_idle_connection_is_closed(serve: Serve, sent: bytes) -> None:
    """A connection without a request ends after its idle time, without an answer."""
    server, client = await serve(Echo(), SMALL)

    async with client.wire() as wire:
        await wire.send(sent)
        assert await wire.closed() == b""
    await eventually(lambda: server.open_connections == 0)


async def test_client_that_reads_nothing_is_cut_off(serve: Serve) -> None:
    """A client that does not take its answers is cut after a while, and holds no budget."""

    class Large(Echo):
        async def handle(self, *args: object) -> object:  # type: ignore[override]
            answer = await super().handle(*args)  # type: ignore[arg-type]
            return type(answer)(status=answer.status, body=b"x" * 8_000_000)

    server, client = await serve(Large(), SMALL)

    async with client.wire() as wire:
        await wire.send(post("/"))
        await eventually(lambda: server.open_connections == 0)
    assert server.budget.taken == 0


async def test_slow_handshake_is_cut_off(serve: Serve) -> None:
    """A TCP connection that does not begin TLS is closed."""
    _, client = await serve(Echo(), SMALL)
    reader, writer = await asyncio.open_connection(client.host, client.port)

    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_bytes_in_flight_are_bounded(serve: Serve) -> None:
    """When the bodies that wait fill the budget, the next one is asked to come again; afterwards there is room."""
    gate = Gate()
    server, client = await serve(gate)
    body = b"x" * PATIENT.body_bytes

    async with client.wire() as first, client.wire() as second, client.wire() as third:
        await first.send(post("/", body))
        await second.send(post("/", body))
        await eventually(lambda: gate.waiting == 2)
        await third.send(post("/", b"x"))
        refused = await third.reply()
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        gate.open.set()
        assert [(await wire.reply()).status for wire in (first, second)] == [200, 200]
    assert server.budget.taken == 0
    assert (await client.ask(post("/", body))).status == 200


async def test_client_that_goes_away_gives_its_bytes_back(serve: Serve) -> None:
    """Neither half a body nor a request at work holds budget once its client and its work are gone."""
    gate = Gate()
    server, client = await serve(gate)

    async with client.wire() as working, client.wire() as sending:
        await working.send(post("/", b"x" * 1000))
        await sending.send(post("/", b"", "Content-Length: 5000", length=False) + b"x" * 3000)
        await eventually(lambda: server.budget.taken == 4000)
    await eventually(lambda: server.open_connections == 0)
    assert server.budget.taken == 1000  # what is at work still holds its body
    gate.open.set()
    await eventually(lambda: server.budget.taken == 0)


async def test_connections_are_bounded(serve: Serve) -> None:
    """Above the limit a connection is turned away and counted; when one goes, there is room."""
    limits = replace(PATIENT, connections=1)
    server, client = await serve(Echo(), limits)

    async with client.wire() as first:
        await first.send(post("/"))
        await first.reply()
        async with client.wire() as second:
            assert await second.closed() == b""
        assert server.turned_away == 1
    await eventually(lambda: server.open_connections == 0)
    assert (await client.ask(post("/"))).status == 200


async def test_error_of_the_application_cuts_the_connection(serve: Serve) -> None:
    """An application that breaks its promise not to raise loses the connection, and nothing is left behind."""

    class Broken(Echo):
        async def handle(self, *args: object) -> object:  # type: ignore[override]
            raise ZeroDivisionError

    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    server, client = await serve(Broken())

    async with client.wire() as wire:
        await wire.send(post("/"))
        assert await wire.closed() == b""
    await eventually(lambda: server.open_connections == 0)
    assert server.budget.taken == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([post("/"), post("/no"), BROKEN, b"\r\n", b"0\r\n\r\n"]) | st.binary(max_size=64), max_size=6
    )
)
def test_no_bytes_upset_the_edge(fuzzed: tuple[asyncio.AbstractEventLoop, Client], pieces: list[bytes]) -> None:
    """Whatever is sent, every answer is well-formed, and the next client is served."""
    loop, client = fuzzed
    loop.run_until_complete(_send(client, pieces))


async def _send(client: Client, pieces: list[bytes]) -> None:
    async with client.wire() as wire:
        try:
            for piece in pieces:
                await wire.send(piece)
            while True:
                reply = await wire.reply()
                assert reply.status in {200, 400, 404, 408, 431, 413, 503}
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
    assert (await client.ask(post("/alive"))).body == b"POST /alive unknown {}"
