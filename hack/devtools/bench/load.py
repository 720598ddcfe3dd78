"""The load: fortio in a closed loop, every connection sending its next review when the answer to the last is there.

fortio fills in new identifiers in every request, but only its client on top of Go's net/http does so on more than one
connection (1.68.2, `fhttp/http_client.go`: the fast client of the first connection writes its identifiers into the
payload that all others share). That client costs the load's core more, and nothing on the core that is measured.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import launch, toolchain
from devtools.errors import ToolError

RESOLUTION_SECONDS = 0.00001  # the finest step of the histogram that percentiles are interpolated in
TIMEOUT = "10s"  # of one request; longer than any answer takes, so that a slow one is measured and not cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server of reviews.

    Attributes:
        pid: its process.
        url: where it takes reviews; the host is the name in its certificate.
        address: where that host is.
        authority: PEM that its certificate is checked against.
    """

    pid: int
    url: str
    address: str
    authority: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the load generator saw.

    Attributes:
        sent: requests, those included that warm up the connections and are in none of the other numbers.
        per_second: answers.
        p50: seconds.
        p99: seconds.
    """

    sent: int
    per_second: float
    p50: float
    p99: float


def run(target: Target, body: bytes, *, connections: int, seconds: float) -> Load:
    """Send reviews for a while.

    Raises:
        ToolError: fortio failed, or some answer was not 200, or a connection was lost.
    """
    with tempfile.NamedTemporaryFile(prefix="interlock-review-") as payload:
        payload.write(body)
        payload.flush()
        command = _command(target, payload.name, connections=connections, seconds=seconds)
        done = subprocess.run(launch.command(command), check=False, capture_output=True, text=True)
    if done.returncode:
        raise ToolError(f"fortio failed with code {done.returncode}:\n{done.stderr}")
    return read(json.loads(done.stdout), connections)


def _command(target: Target, payload: str, *, connections: int, seconds: float) -> list[str]:
    program = toolchain.binaries(["fortio"])["fortio"]
    options = {
        "qps": "0",  # as fast as answers come
        "c": str(connections),
        "t": f"{seconds}s",
        "payload-file": payload,
        "content-type": "application/json",
        "cacert": str(target.authority),
        "resolve": target.address,
        "timeout": TIMEOUT,
        "r": f"{RESOLUTION_SECONDS:f}",
        "p": "50,99",
        "json": "-",
        "loglevel": "Error",
    }
    return [str(program), "load", "-stdclient", *(f"-{name}={value}" for name, value in options.items()), target.url]


def read(found: dict[str, Any], connections: int) -> Load:
    """Take what fortio reports.

    Raises:
        ToolError: some answer was not 200, or a connection was lost.
    """
    histogram, codes = found["DurationHistogram"], found["RetCodes"]
    if set(codes) != {"200"} or found["SocketCount"] != connections:
        raise ToolError(
            f"got status codes {codes} on {found['SocketCount']} connections, expected 200 on {connections}"
        )
    p50, p99 = (each["Value"] for each in histogram["Percentiles"])
    return Load(sent=histogram["Count"] + connections, per_second=found["ActualQPS"], p50=p50, p99=p99)
