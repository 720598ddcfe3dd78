"""An S3 server with object lock, for tests: MinIO, built from its Go module, which is never shipped (AGPL).

It lives as long as whoever started it, on a port of its own, with credentials made for it.
"""

import asyncio
import http.client
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiobotocore.session import get_session

from devtools import launch, toolchain
from devtools.cluster.network import free_ports
from devtools.errors import ToolError

HOST = "127.0.0.1"
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs.

    Attributes:
        endpoint: its URL.
        user, password: of its root.
    """

    endpoint: str
    user: str
    password: str

    @property
    def environment(self) -> dict[str, str]:
        """What AWS's own tools read."""
        return {
            "AWS_ACCESS_KEY_ID": self.user,
            "AWS_SECRET_ACCESS_KEY": self.password,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def credentials(self) -> str:
        """The same as a credentials file of AWS's tools."""
        return f"[default]\naws_access_key_id = {self.user}\naws_secret_access_key = {self.password}\n"

    def make_bucket(self, name: str) -> str:
        """Make a bucket with object lock; returns its address, as Interlock takes it."""
        asyncio.run(self._make_bucket(name))
        return f"s3://{name}?endpoint={self.endpoint}&region=us-east-1"

    async def _make_bucket(self, name: str) -> None:
        session = get_session()
        session.set_credentials(self.user, self.password)
        async with session.create_client("s3", region_name="us-east-1", endpoint_url=self.endpoint) as client:
            await client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)


class Running:
    """A server as a process that can be killed, and started again over what it has stored.

    Attributes:
        server: what it is known by; the same after a restart.
    """

    def __init__(self, program: Path, server: Server, directory: Path) -> None:
        self.server = server
        self._program = program
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ToolError: it does not.
        """
        self._process = start(self._program, self.server, self._directory)
        _wait(self.server)

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(directory: Path, *, host: str = HOST) -> Iterator[Server]:
    """A server that runs for the length of the block.

    Args:
        directory: for its data.
        host: address of this machine to listen on.

    Raises:
        ToolError: it could not be built, or does not answer.
    """
    with started(directory, host=host) as found:
        yield found.server


@contextmanager
def started(directory: Path, *, host: str = HOST) -> Iterator[Running]:
    """The same, for those who kill it.

    Raises:
        ToolError: it could not be built, or does not answer.
    """
    program = toolchain.binaries(["minio"])["minio"]
    address = f"{host}:{free_ports(host, 1)[0]}"
    server = Server(endpoint=f"http://{address}", user="interlock", password=secrets.token_hex(16))
    made = Running(program, server, directory)
    try:
        made.start()
        yield made
    finally:
        made.kill()


def start(program: Path, server: Server, directory: Path) -> subprocess.Popen[bytes]:
    """Start the program; it ends with this process at the latest."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(program), "server", "--quiet", "--address", server.endpoint.removeprefix("http://"), str(directory)]
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "MINIO_ROOT_USER": server.user,
        "MINIO_ROOT_PASSWORD": server.password,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    quiet = subprocess.DEVNULL
    return subprocess.Popen(launch.command(command), env=settings, stdin=quiet, stdout=quiet, stderr=quiet)


def _wait(server: Server) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if _ready(server.endpoint.removeprefix("http://")):
                return
        except (http.client.HTTPException, OSError):
            pass
        time.sleep(0.05)
    raise ToolError(f"MinIO does not answer at {server.endpoint} after {READY_SECONDS:.0f} s")


def _ready(address: str) -> bool:
    with closing(http.client.HTTPConnection(address, timeout=2)) as connection:
        connection.request("GET", "/minio/health/ready")
        return connection.getresponse().status == http.client.OK
