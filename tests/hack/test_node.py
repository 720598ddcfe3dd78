"""A real node leaves the machine as it was, however it ends.

It changes the machine, so it is tried only where that is asked for: `INTERLOCK_NODE=1 hack/test e2e`, as root.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from devtools import launch
from devtools.cluster import processes, state
from devtools.cluster.node import machine
from devtools.venv import ROOT

pytestmark = [
    pytest.mark.real_node,
    pytest.mark.skipif(
        os.environ.get("INTERLOCK_NODE") != "1", reason="changes this machine: INTERLOCK_NODE=1 hack/test e2e"
    ),
]

NAME = "as-it-was"
UP = (str(ROOT / "hack" / "cluster"), "up", "--provider", "node", "--bare", "--name", NAME)
DOWN = (str(ROOT / "hack" / "cluster"), "down", "--name", NAME)
SECONDS = 120.0
GONE_SECONDS = 30.0
DAEMONS = ("containerd", "containerd-shim", "kube", "etcd", "coredns")


def _machine() -> Mapping[str, object]:
    """What a node touches of the machine."""
    return {
        "mounts": sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "routes": _lines("ip", "route"),
        "tables": _lines("nft", "list", "tables"),
        "namespaces": _lines("ip", "netns"),
        "sysctls": {name: _sysctl(name) for name in (*machine.SYSCTLS, *machine.KUBELET_SYSCTLS)},
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()),
        "directories": sorted(path for path in machine.OUTSIDE if Path(path).exists()),
        "processes": sorted(name for name in map(_name, Path("/proc").glob("[0-9]*")) if name.startswith(DAEMONS)),
    }


def _lines(*command: str) -> list[str]:
    return subprocess.run(command, check=True, text=True, capture_output=True, timeout=SECONDS).stdout.splitlines()


def _sysctl(name: str) -> str:
    path = machine.PROC / name
    return path.read_text() if path.exists() else ""


def _name(process: Path) -> str:
    """Of a process that lives; what has ended is init's, however long that takes."""
    fields = launch.stat(int(process.name))
    return (process / "comm").read_text().strip() if fields and fields[0] != "Z" else ""


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it holds before the time is over."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def before() -> Iterator[Mapping[str, object]]:
    """The machine before; whatever a test left is removed."""
    yield _machine()
    subprocess.run(DOWN, check=True, capture_output=True, timeout=SECONDS)


def _down() -> None:
    subprocess.run(DOWN, check=True, capture_output=True, timeout=SECONDS)


def _with_a_pod() -> None:
    """Bring it up, with a pod that runs."""
    subprocess.run(UP, check=True, capture_output=True, timeout=SECONDS)
    kubectl = [str(state.of(NAME).bin / "kubectl"), "--kubeconfig", str(state.of(NAME).kubeconfig)]
    for command in (
        ["run", "here", "--image=simulated:1"],
        ["wait", "pod/here", "--for=condition=Ready", "--timeout=60s"],
    ):
        subprocess.run([*kubectl, *command], check=True, capture_output=True, timeout=SECONDS)


def test_up_and_down(before: Mapping[str, object]) -> None:
    """After `down` everything is as it was, also with pods that ran to the end."""
    _with_a_pod()
    assert _machine() != before

    _down()

    assert _machine() == before
    assert not state.of(NAME).exists()


def test_supervisor_killed(before: Mapping[str, object]) -> None:
    """With its supervisor killed, and all daemons with it, pods that live on are found by `down`."""
    _with_a_pod()
    supervisor = processes.supervisor(state.of(NAME))
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)

    _down()

    assert _machine() == before


def _written_down() -> bool:
    return machine.journal(state.of(NAME)).exists()


def _bridged() -> bool:
    return any(path.name.startswith("interlock") for path in Path("/sys/class/net").iterdir())


def _translating() -> bool:
    return any("kube-proxy" in table for table in _lines("nft", "list", "tables"))


@pytest.mark.parametrize("reached", [_written_down, _bridged, _translating])
def test_up_killed(before: Mapping[str, object], reached: Callable[[], bool]) -> None:
    """`up` that is killed half way takes along what it has made so far."""
    assert not reached()
    up = subprocess.Popen(UP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    came_so_far = _within(SECONDS, lambda: reached() or up.poll() is not None) and up.poll() is None
    up.kill()
    up.wait()

    gone = _within(GONE_SECONDS, lambda: not state.of(NAME).exists())
    _down()

    assert (came_so_far, gone) == (True, True)

    assert _machine() == before
