"""The processes of a cluster: how they are told from all others, and how they are ended for good.

A process belongs to a cluster if its record under processes/ matches (process id *and* start time, since ids are
reused), if it runs in a session that a recorded process leads, or if INTERLOCK_CLUSTER in its environment names the
cluster's directory. The last covers what others start for us: commands of `kubectl exec`, helm's children.

Ending is one path for a healthy cluster and a wreck alike: SIGKILL, first to the supervisor, which would restart the
others, then to everybody, until a scan finds nobody. Nothing here is worth a graceful end: the data goes with it.
"""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from devtools import launch
from devtools.cluster.state import State
from devtools.errors import ToolError

MARKER = "INTERLOCK_CLUSTER"
SUPERVISOR = "supervisor"
KILL_SECONDS = 10.0  # the kernel needs milliseconds; longer means a process stuck in I/O, which nobody can help
RESCAN_SECONDS = 0.02
_SESSION_FIELD = 3  # of the fields that launch.stat() returns: state, parent, group, session
_INHERITED = ("PATH", "LANG", "TZ")  # not HOME: kubeconfigs and caches of the user lie there


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A process as it was written down when it started.

    Attributes:
        name: what it is in the cluster.
        pid: process id, which is also its session.
        started: start time in clock ticks since boot.
        command: the program and its arguments.
    """

    name: str
    pid: int
    started: int
    command: list[str]

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        fields = launch.stat(self.pid)
        return bool(fields) and fields[0] != "Z" and launch.start_time(self.pid) == self.started

    @property
    def holds_its_id(self) -> bool:
        """Whether the id still means this process, or, after its end, the session that it led."""
        return launch.start_time(self.pid) in {self.started, None}


def environment(state: State, **settings: str) -> dict[str, str]:
    """A small environment that marks a process as the cluster's.

    Args:
        state: the cluster.
        settings: further variables; they replace inherited ones.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, MARKER: str(state.directory), **settings}


def command(state: State, name: str, program: list[str]) -> list[str]:
    """The command line that records a process under a name, bound to this process's life, and becomes the program."""
    return launch.command(program, record=state.processes / f"{name}.json")


def records(state: State) -> list[Record]:
    """All records of a cluster, by name; whether the processes live is another question."""
    return [record for path in sorted(state.processes.glob("*.json")) if (record := _read(path))]


def supervisor(state: State) -> Record | None:
    """The record of the supervisor, if it got that far."""
    return next((record for record in records(state) if record.name == SUPERVISOR), None)


def forget(state: State, name: str) -> None:
    """Remove a record, of a process that has ended and will not be started again."""
    (state.processes / f"{name}.json").unlink(missing_ok=True)


def kill_all(state: State) -> None:
    """End every process of the cluster except the calling one.

    Raises:
        ToolError: some could not be ended.
    """
    head = supervisor(state)
    if head:
        _end(head.pid, state)
    deadline = time.monotonic() + KILL_SECONDS
    while members := [pid for pid in _all_pids() if _belongs(pid, state)]:
        if time.monotonic() > deadline:
            raise ToolError(f"these processes do not end, not even by SIGKILL: {members}")
        for pid in members:
            _end(pid, state)
        time.sleep(RESCAN_SECONDS)


def _end(pid: int, state: State) -> None:
    """Kill a process if it belongs to the cluster; the handle makes sure that it is still the one looked at."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _belongs(pid, state):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _belongs(pid: int, state: State) -> bool:
    """Whether a process is the cluster's and still has to end; a zombie has ended, and nobody ends himself."""
    fields = launch.stat(pid)
    if not fields or fields[0] == "Z" or pid == os.getpid():
        return False
    session = int(fields[_SESSION_FIELD])
    return f"{MARKER}={state.directory}".encode() in _environment_of(pid) or any(
        record.pid in {pid, session} and record.holds_its_id for record in records(state)
    )


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or it has just ended
        return []


def _read(path: Path) -> Record | None:
    """The record in a file, or None if its process was ended while it wrote it."""
    try:
        return Record(name=path.stem, **json.loads(path.read_text()))
    except (OSError, ValueError):
        return None
