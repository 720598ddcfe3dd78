"""Processes of the local cluster, for those who kill them; only where the suite has made the cluster itself."""

import ctypes
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

PIDFD_GETFD = 438  # the system call's number, the same on every architecture


def kill_daemon(state: Path, name: str) -> None:
    """Kill one process of the control plane, such as ``kube-apiserver``; its supervisor starts it again."""
    os.kill(_daemon(state, name), signal.SIGKILL)


@contextmanager
def frozen(state: Path, name: str) -> Iterator[None]:
    """One process of the control plane stands still, and then goes on as if no time had passed."""
    pid = _daemon(state, name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _daemon(state: Path, name: str) -> int:
    record = orjson.loads((state / "processes" / f"{name}.json").read_bytes())
    return int(record["pid"])


def pod_process(name: str) -> int:
    """The id of the process that is a pod of Interlock."""
    mark = f"--pod-name={name}".encode()
    [pid] = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and mark in _arguments(each)]
    return pid


def pod_address(reported: str) -> str:
    """Where a pod's process listens: the API refuses loopback addresses in a pod's status, so another is told there."""
    return f"127.{reported.partition('.')[2]}"


def kill_pod(name: str) -> None:
    """Kill the process that is a pod of Interlock; the stand-in for the kubelet starts it again."""
    os.kill(pod_process(name), signal.SIGKILL)


def cut_connections(pid: int, to: tuple[str, int]) -> int:
    """Shut every TCP connection of a process to an address, as a network that fails would; how many there were."""
    cut = 0
    handle = os.pidfd_open(pid)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            cut += _is_socket(entry) and _shut(handle, int(entry.name), to)
    finally:
        os.close(handle)
    return cut


def _is_socket(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("socket:")
    except OSError:  # closed meanwhile
        return False


def _shut(handle: int, number: int, to: tuple[str, int]) -> bool:
    """Shut a socket of another process if it leads there."""
    copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, handle, number, 0)
    if copy < 0:
        return False
    with socket.socket(fileno=copy) as found:
        try:
            if found.getpeername() != to:
                return False
            found.shutdown(socket.SHUT_RDWR)
        except OSError:  # it listens, or is of another family, or is over
            return False
    return True


def resident_kib(pid: int) -> int:
    """A process's resident memory in KiB."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


def _arguments(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has just gone
        return []
