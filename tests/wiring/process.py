"""One of Interlock's processes as the chart starts it, beside an API server in memory."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import trustme

from devtools.cluster.network import free_ports
from tests.fakes.kube_api import KubeApi
from tests.serve.client import Client

NAMESPACE = "interlock-system"
TOKEN = "the-api-token"
DRAIN_SECONDS = 0.3


@dataclass
class Process:
    """A process and what is around it."""

    fake: KubeApi
    server: str
    directory: Path
    authority: trustme.CA
    process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        self.port, self.health_port = free_ports("127.0.0.1", 2)
        self.log = self.directory / "log"
        (self.directory / "token").write_text(TOKEN)

    async def run(self, command: str, *arguments: str) -> None:
        """Start it with the arguments that all of them take, and its own."""
        host, _, port = self.server.removeprefix("https://").partition(":")
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "interlock", command,
                f"--namespace={NAMESPACE}", "--pod-uid=pod-uid",
                f"--listen=127.0.0.1:{self.port}", f"--health-listen=127.0.0.1:{self.health_port}",
                f"--token-file={self.directory}/token", f"--ca-file={self.directory}/ca.crt",
                f"--drain-seconds={DRAIN_SECONDS}", *arguments,
                env={"PATH": os.environ["PATH"], "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port},
                stdout=log, stderr=log,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; gives the exit code."""
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), 10)

    async def stop(self) -> int:
        """Send SIGTERM and wait; gives the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def probe(self, path: str = "/readyz") -> tuple[int, str]:
        """Status and body; 0 while nobody listens."""
        client = Client(host="127.0.0.1", port=self.health_port, context=None)
        try:
            reply = await client.ask(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        except (ConnectionError, asyncio.IncompleteReadError):
            return 0, ""
        return reply.status, reply.body.decode()

    async def becomes(self, status: int) -> str:
        """Wait until the readiness probe has this status; gives its body."""
        async with asyncio.timeout(15):
            while True:
                found, body = await self.probe()
                if found == status:
                    return body
                await asyncio.sleep(0.05)

    async def killed(self) -> None:
        """End it if it has not ended, and every watch of the cluster."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.fake.cut()
