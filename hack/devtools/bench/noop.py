"""The server to compare with: the guard's own HTTP edge, and behind it a handler that allows everything.

It reads the review for its uid, as it must to answer at all, and does nothing else: no decision, no record. Run as a
program it takes a certificate, key and address as JSON from standard input, prints the port that it was given, and
serves until its standard input ends.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import orjson
import uvloop

from devtools import launch
from devtools.bench.load import Target
from devtools.errors import ToolError
from devtools.venv import INTERPRETER, ROOT
from interlock.serve.limits import ADMISSION
from interlock.serve.messages import Answer, Head, Peer
from interlock.serve.server import HttpServer
from interlock.serve.tls import ServerIdentity, server_context
from interlock.settings import Listen


class AllowAll:
    """Implements `interlock.serve.messages.Application`."""

    def screen(self, head: Head, peer: Peer) -> Answer | None:
        """Go on."""
        return None

    async def handle(self, head: Head, peer: Peer, body: bytes) -> Answer:
        """Allow."""
        review = orjson.loads(body)
        response = {"uid": review["request"]["uid"], "allowed": True}
        answer = {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
        return Answer(status=HTTPStatus.OK, body=orjson.dumps(answer))


@contextmanager
def serving(like: Target, identity: ServerIdentity) -> Iterator[Target]:
    """Run the server in a process of its own while the block lasts.

    Args:
        like: the guard, whose name, address and authority are used.
        identity: the certificate to serve with.

    Raises:
        ToolError: it did not start.
    """
    told = {"host": like.address, "certificate": identity.certificate.decode(), "key": identity.key.decode()}
    program = launch.command([str(INTERPRETER), "-m", "devtools.bench.noop"])
    settings = {"PYTHONPATH": str(ROOT / "hack")}
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings) as process:
        if not process.stdin or not process.stdout:
            raise RuntimeError("both are pipes")
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        port = process.stdout.readline().strip()
        if not port:
            raise ToolError("the no-op server did not start; its reason is above")
        host = like.url.split("/")[2].partition(":")[0]
        url = f"https://{host}:{port}/"
        yield Target(pid=process.pid, url=url, address=like.address, authority=like.authority)
        process.stdin.close()


async def _serve(told: dict[str, str]) -> None:
    server = HttpServer(AllowAll(), ADMISSION)
    identity = ServerIdentity(certificate=told["certificate"].encode(), key=told["key"].encode())
    listening = await server.start(Listen(host=told["host"], port=0), server_context(identity))
    print(listening.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.finish_drain(0)


if __name__ == "__main__":
    uvloop.run(_serve(json.loads(sys.stdin.readline())))
