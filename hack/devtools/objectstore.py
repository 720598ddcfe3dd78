"""An S3 server with object lock, for tests: MinIO, or another of `s3programs`, built from its Go module.

It lives as long as whoever started it, on a port of its own, with credentials made for it.
"""

import asyncio
import http.client
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiobotocore.session import get_session

from devtools import launch, toolcache
from devtools.cluster.network import free_ports
from devtools.errors import ToolError
from devtools.s3programs import MINIO, Program

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

    def __init__(self, program: Program, server: Server, directory: Path) -> None:
        self.server = server
        self._program = program
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ToolError: it does not.
        """
        self._process = _start(self._program, self.server, self._directory)
        _wait(self._program, self.server)

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(directory: Path, *, program: Program = MINIO, host: str = HOST) -> Iterator[Server]:
    """A server that runs for the length of the block.

    Args:
        directory: for its data.
        program: what it is a process of.
        host: address of this machine to listen on.

    Raises:
        ToolError: it could not be built, finds no file system that suits it, or does not answer.
    """
    with started(directory, program=program, host=host) as found:
        yield found.server


@contextmanager
def started(directory: Path, *, program: Program = MINIO, host: str = HOST) -> Iterator[Running]:
    """The same, for those who kill it.

    Raises:
        ToolError: it could not be built, finds no file system that suits it, or does not answer.
    """
    program.built()  # before a port is chosen, since it may take minutes
    address = f"{host}:{free_ports(host, 1)[0]}"
    server = Server(endpoint=f"http://{address}", user="interlock", password=secrets.token_hex(16))
    with suitable(directory, program) as place:
        made = Running(program, server, place)
        try:
            made.start()
            yield made
        finally:
            made.kill()


@contextmanager
def suitable(directory: Path, program: Program) -> Iterator[Path]:
    """The directory, made; or, where the program cannot keep its data there, one beside the built tools for the block.

    Temporary directories are often in memory, on a file system that can do less than those on disks.

    Raises:
        ToolError: neither will do.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if program.fits(directory):
        yield directory
        return
    toolcache.directory().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=toolcache.directory(), prefix=f".{program.tool}-") as other:
        if not program.fits(Path(other)):
            raise ToolError(
                f"{program.name} keeps locks in extended attributes of files, which neither {directory} nor {other} "
                "can have: set TMPDIR to a directory on ext4, xfs or btrfs"
            )
        yield Path(other)


def _start(program: Program, server: Server, directory: Path) -> subprocess.Popen[bytes]:
    """Start the program; it ends with this process at the latest."""
    for name in program.directories:
        (directory / name).mkdir(exist_ok=True)
    filled = {"address": _address(server), "directory": directory, "user": server.user, "password": server.password}
    command = [str(program.built()), *(argument.format_map(filled) for argument in program.arguments)]
    settings = {name: value.format_map(filled) for name, value in program.settings.items()}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        launch.command(command),
        env={"PATH": os.environ["PATH"], "HOME": str(directory), **settings},
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
    )


def _wait(program: Program, server: Server) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if _answers(server, program.ready):
                return
        except (http.client.HTTPException, OSError):
            pass
        time.sleep(0.05)
    raise ToolError(f"{program.name} does not answer at {server.endpoint} after {READY_SECONDS:.0f} s")


def _answers(server: Server, path: str) -> bool:
    with closing(http.client.HTTPConnection(_address(server), timeout=2)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK


def _address(server: Server) -> str:
    return server.endpoint.removeprefix("http://")
