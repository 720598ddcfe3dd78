"""What a node changes of the machine: looked at before, written down, and put back, also after a crash in the middle.

Written down, in machine.json of the cluster's directory and synced, before anything is changed:

    sysctls     with their values before
    directories that the kubelet and containerd make outside the cluster's directory, if they were not there before

Everything else bears the bridge's name or lies under the cluster's directory, and is found by that: the bridge and the
virtual links on it, the cgroup in every hierarchy, mounts and network namespaces; kube-proxy's nftables have fixed
names. `restore` works on whatever there is, whole or half, as often as it is called. Debian packages that were
installed stay.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools import console, packages, programs
from devtools.cluster.node.network import Bridge
from devtools.cluster.state import State, all_names, of
from devtools.errors import ToolError

PACKAGES = {  # program: Debian package
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
SYSCTLS = {  # what the node needs; the kubelet changes more by itself
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",  # from a pod through its Service to a pod on the same bridge
}
KUBELET_SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/tcp_keepalive_time",
)
OUTSIDE = (  # made by daemons whatever they are told; removed if they were not there, as far as they are empty
    "/run/containerd/s",
    "/run/containerd",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/opt/cni/bin",
    "/opt/cni",
)
SOCKETS = ("/run/containerd/s/*", "/var/lib/kubelet/device-plugins/*.sock")
TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))
PROC = Path("/proc/sys")
END_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The machine before the node.

    Attributes:
        bridge: index of the network.
        sysctls: values by path.
        absent: directories of `OUTSIDE` that were not there.
    """

    bridge: int
    sysctls: dict[str, str]
    absent: tuple[str, ...]


def check() -> None:
    """Make sure that the machine can be a node; what can be installed is.

    Raises:
        ToolError: it cannot; says everything that is missing.
    """
    packages.ensure(PACKAGES, purpose="a real node, with its bridge, mounts, cgroups and nftables rules,")
    lacking = list(_lacking())
    if lacking:
        raise ToolError("this machine cannot be a node: " + "; ".join(lacking))
    if not _can_lower_oom_scores():
        console.say(
            "Without CAP_SYS_RESOURCE: out of memory, the kernel may choose a critical pod as well as any other."
        )


def _lacking() -> Iterator[str]:
    if not _can_make_bridges():
        yield "its kernel makes no bridges, or refuses them here"
    filesystems = Path("/proc/filesystems").read_text().split()
    if "overlay" not in filesystems:
        yield "its kernel has no overlayfs"
    if not any(kind in {"cgroup", "cgroup2"} for _, kind in _cgroups()):
        yield "no cgroups are mounted"
    if not _nft("list", "tables"):
        yield "its kernel has no nf_tables, or refuses them here"
    yield from _other_nodes()
    if not (PROC / "net/bridge/bridge-nf-call-iptables").exists():
        yield "its kernel has no bridge netfilter (module br_netfilter)"


def _can_lower_oom_scores() -> bool:
    """Whether critical pods can be kept from the out-of-memory killer; tried by a process that ends at once."""
    trial = "import pathlib; pathlib.Path('/proc/self/oom_score_adj').write_text('-999')"
    return _succeeds(sys.executable, "-c", trial)


def _can_make_bridges() -> bool:
    name = f"ilk-try-{os.getpid() % 10_000}"
    made = _succeeds("ip", "link", "add", name, "type", "bridge")
    if made:
        _succeeds("ip", "link", "delete", name)
    return made


def _other_nodes() -> Iterator[str]:
    """Who must go first: two would share kube-proxy's tables, and take each other's settings for the machine's."""
    for family, table in TABLES:
        if _nft("list", "table", family, table):
            yield f"nftables table {table} exists: another Kubernetes node runs here"
    for name in all_names():
        if journal(of(name)).exists():
            yield f"cluster {name} has changed it: first `hack/cluster down --name {name}`"


def prepare(state: State, bridge: Bridge) -> None:
    """Write down what is there, and then change it.

    Raises:
        ToolError: something could not be changed.
    """
    names = [name for name in (*SYSCTLS, *KUBELET_SYSCTLS) if (PROC / name).exists()]
    sysctls = {name: (PROC / name).read_text().strip() for name in names}
    absent = [path for path in OUTSIDE if not Path(path).exists()]
    _write(journal(state), {"bridge": bridge.index, "sysctls": sysctls, "absent": absent})
    for name, value in SYSCTLS.items():
        (PROC / name).write_text(value)
    for group in _groups(bridge):
        make_group(group)
    programs.capture("ip", "link", "add", bridge.name, "type", "bridge")
    programs.capture("ip", "address", "add", f"{bridge.control}/24", "dev", bridge.name)
    programs.capture("ip", "link", "set", bridge.name, "up")


def make_group(group: Path) -> None:
    """Make a cgroup that can run something."""
    group.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):  # of version 1 empty in a new group; the root of version 2 has none
        inherited = group.parent / name
        if (group / name).exists() and inherited.exists():
            (group / name).write_text(inherited.read_text())


def restore(state: State) -> None:
    """Put the machine back; a cluster that changed nothing of it is none of our business.

    Call it when no process of the cluster lives any more but what runs in containers.

    Raises:
        ToolError: a container's process does not end, or a value cannot be put back; all else is, first.
    """
    before = _read(journal(state))
    if before is None:
        return
    bridge = Bridge(index=before.bridge)
    _kill_containers(bridge)
    _unmount(state.directory)
    _remove_links(bridge)
    for family, table in TABLES:
        _nft("delete", "table", family, table)
    for group in _groups(bridge):
        _remove_group(group)
    _remove_outside(before.absent)
    put_back(before.sysctls)


def put_back(sysctls: Mapping[str, str]) -> None:
    """Set every sysctl to the value that it had.

    Raises:
        ToolError: some could not be set; the others are.
    """
    failed: list[str] = []
    for name, value in sysctls.items():
        try:
            (PROC / name).write_text(value)
        except OSError as error:
            failed.append(f"{name}, which was {value!r}: {error}")
    if failed:
        raise ToolError("these settings of the machine could not be put back: " + "; ".join(failed))


def _kill_containers(bridge: Bridge) -> None:
    deadline = time.monotonic() + END_SECONDS
    while pids := {pid for group in _groups(bridge) for pid in _members(group)}:
        if time.monotonic() > deadline:
            raise ToolError(f"these processes of containers do not end, not even by SIGKILL: {sorted(pids)}")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _members(group: Path) -> Iterator[int]:
    for file in group.rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            yield from map(int, file.read_text().split())


def _unmount(directory: Path) -> None:
    """Every mount under a directory, the deepest first; network namespaces of pods are among them."""
    for point in sorted(_mounts(directory), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def _mounts(directory: Path) -> list[str]:
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [point for point in points if point.startswith(f"{directory}/")]


def _remove_links(bridge: Bridge) -> None:
    if not Path(f"/sys/class/net/{bridge.name}").exists():
        return
    for link in Path(f"/sys/class/net/{bridge.name}/brif").iterdir():
        subprocess.run(["ip", "link", "delete", link.name], capture_output=True, check=False)
    subprocess.run(["ip", "link", "delete", bridge.name], capture_output=True, check=False)


def _remove_group(group: Path) -> None:
    for directory in sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):
            directory.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()


def _remove_outside(absent: tuple[str, ...]) -> None:
    in_use = Path("/proc/net/unix").read_text()
    for pattern in SOCKETS:
        for path in Path("/").glob(pattern.removeprefix("/")):
            if path.is_socket() and str(path) not in in_use:
                path.unlink(missing_ok=True)
    for name in absent:
        with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
            Path(name).rmdir()


def _groups(bridge: Bridge) -> list[Path]:
    """Our cgroup in every hierarchy."""
    return [Path(point) / bridge.name for point, _ in _cgroups()]


def _cgroups() -> Iterator[tuple[str, str]]:
    """Where cgroups are mounted, and of which version."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, kind = line.partition(" - ")
        if kind.split()[0] in {"cgroup", "cgroup2"}:
            yield place.split()[4], kind.split()[0]


def _nft(*arguments: str) -> bool:
    return _succeeds("nft", *arguments)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def journal(state: State) -> Path:
    """Where it is written down what the machine was before."""
    return state.directory / "machine.json"


def _write(path: Path, content: dict[str, object]) -> None:
    scratch = path.with_suffix(".tmp")
    with scratch.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Make a rename in a directory outlast a crash of the machine."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(path: Path) -> Before | None:
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Before(bridge=found["bridge"], sysctls=found["sysctls"], absent=tuple(found["absent"]))
