"""Up, restart and down. What ends `up` or `restart` early, an error or a signal, ends in the same removal as `down`.

Tools are found or built before anything of the cluster exists. From then on somebody is always there to clean up:
`up` itself, or, if it is killed outright, the supervisor that hangs on its lifeline.
"""

import dataclasses
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from devtools import console, launch, toolchain, venv
from devtools.cluster import install, kind, lifeline, processes, providers, removal, state
from devtools.cluster.node import images, machine
from devtools.cluster.providers import Asked, Choice
from devtools.cluster.state import Description, Provider, State
from devtools.errors import ToolError

PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "helm")
NEEDED = {
    "local": (*PLANE, "kwok"),
    "node": (*PLANE, "kubelet", "kube-proxy", "kube-scheduler", "coredns"),
    "kind": ("kubectl", "helm"),
    "given": ("kubectl", "helm"),
}
USER_TOOLS = ("kubectl", "helm")
CACHES = ("KUBECACHEDIR", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")  # of kubectl and helm
START_SECONDS = 6  # estimate
LOG_TAIL = 1500  # characters of the supervisor's log that an error shows; the reason comes last
LEFT_OUT = (
    "the cluster's own control plane and its audit log",
    "`kubectl exec` into simulated pods",
    "installing Interlock",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster that can be used.

    Attributes:
        name: its name.
        provider: who made the control plane.
        kubeconfig: for a user in system:masters (whoever a given one says, otherwise).
        bin: the directory for PATH: kubectl, helm, interlock, kubectl-interlock.
        state: the directory that holds everything.
        audit_log: the API server's audit log; None where others made the control plane.
        etcd: URL of etcd, for those who go behind the API server's back; likewise.
    """

    name: str
    provider: Provider
    kubeconfig: Path
    bin: Path
    state: Path
    audit_log: Path | None
    etcd: str | None

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with the cluster's kubeconfig and programs."""
        path = os.pathsep.join([str(self.bin), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    @property
    def exports(self) -> list[str]:
        """The same as two lines for a shell."""
        return [
            f"export KUBECONFIG={shlex.quote(str(self.kubeconfig))}",
            f'export PATH={shlex.quote(str(self.bin))}:"$PATH"',
        ]


def up(name: str = "interlock", asked: Asked = "auto", *, bare: bool = False, durable: bool = False) -> Cluster:
    """Bring a cluster up, or find it up.

    Args:
        name: what to call it.
        asked: the provider, see `providers.choose`.
        bare: without Interlock.
        durable: with an etcd that syncs what it writes, for those who measure.

    Raises:
        ToolError: it could not be brought up (nothing is left then), or another of this name is in the way.
    """
    place, choice = state.of(name), providers.choose(asked)
    wanted = Description(name=name, provider=choice.provider, bare=bare, durable=durable)
    if place.exists():
        return _existing(place, wanted)
    if asked == "auto":
        console.say(f"Provider {choice.provider}: {choice.why}.")
    _check(choice)
    tools = {tool: str(path) for tool, path in toolchain.binaries(NEEDED[choice.provider]).items()}
    wanted = dataclasses.replace(wanted, tools=tools)
    if choice.provider == "node":
        wanted = _with_images(wanted)
    if choice.provider == "kind":
        wanted = dataclasses.replace(wanted, interlock=kind.IMAGE)
    with _made(place, wanted):
        _make(place, choice, bare=bare)
        place.write(dataclasses.replace(place.read(), ready=True))
    return _cluster(place)


def _check(choice: Choice) -> None:
    """Find out before anything is made whether this machine can have such a cluster.

    Raises:
        ToolError: it cannot.
    """
    if choice.provider in {"local", "node"} and sys.platform != "linux":
        raise ToolError(
            f"a cluster of our own needs Linux, this is {sys.platform}; {providers.GIVEN} can name another cluster"
        )
    if choice.provider == "node":
        machine.check()
    if choice.provider == "kind":
        kind.check()


def _with_images(wanted: Description) -> Description:
    found = images.ensure(bare=wanted.bare)
    archives = {name: str(archive) for name, archive in found.archives.items()}
    return dataclasses.replace(wanted, images=archives, interlock=found.interlock)


def down(name: str = "interlock") -> bool:
    """Remove a cluster: its processes, then its files.

    Returns:
        Whether there was one.

    Raises:
        ToolError: a process could not be ended.
    """
    place = state.of(name)
    there = place.exists()
    removal.remove(place)
    return there


def restart(name: str = "interlock") -> Cluster:
    """Cut the power and bring the cluster up again: every process is killed, all that was stored is there again.

    It is up when control plane and node are; what runs in pods comes back as it can.

    Raises:
        ToolError: there is no such cluster made here, or it did not come up again (nothing is left of it then).
    """
    place = state.of(name)
    if not place.exists() or place.read().provider != "local" or place.read().network is None:
        raise ToolError(f"there is no cluster {name} with a simulated node that was made here")
    processes.kill_all(place)
    removal.forget_processes(place)
    with _supervised(place):
        pass
    return _cluster(place)


def _existing(place: State, wanted: Description) -> Cluster:
    """The cluster that is there, if it is what is wanted and in working order."""
    found = place.read()
    remedy = f"`hack/cluster down --name {place.name}` first"
    if (found.provider, found.bare) != (wanted.provider, wanted.bare):
        kind = "without" if found.bare else "with"
        raise ToolError(f"cluster {place.name} is there already, {found.provider} and {kind} Interlock; {remedy}")
    dead = [record.name for record in processes.records(place) if not record.alive]
    if not found.ready or dead:
        what = f"does not run ({', '.join(dead)})" if dead else "is being brought up, or its `up` was killed"
        raise ToolError(f"cluster {place.name} {what}; {remedy}")
    console.say(f"Cluster {place.name} is up already.")
    return _cluster(place)


@contextmanager
def _made(place: State, description: Description) -> Iterator[None]:
    """The directory of a new cluster; gone again, with everything that was started, if the block does not succeed."""
    try:
        place.create()
    except FileExistsError as error:
        raise ToolError(f"cluster {place.name} has just been made by somebody else") from error
    try:
        place.write(description)
        _write_programs(place, description.tools)
        yield
    except BaseException:
        with console.step(f"removing what there was of cluster {place.name}"):
            removal.remove(place)
        raise


def _make(place: State, choice: Choice, *, bare: bool) -> None:
    if choice.provider == "given":
        _adopt(place, Path(choice.given))
    elif choice.provider == "kind":
        kind.make(place, bare=bare)
        if not bare:
            install.install(place)
    else:
        with _supervised(place):
            if not bare:
                install.install(place)


@contextmanager
def _supervised(place: State) -> Iterator[None]:
    """Start the supervisor, wait until the cluster is ready, and hand it over after the block.

    If the block fails, or this process dies, the lifeline ends and the supervisor removes everything.
    """
    program = [sys.executable, "-m", "devtools.cluster.supervisor", str(place.directory)]
    command = launch.daemon(program, record=place.processes / f"{processes.SUPERVISOR}.json")
    settings = processes.environment(place, PYTHONPATH=str(toolchain.ROOT / "hack"))
    output, supervisor_output = os.pipe()
    supervisor_input, holding = os.pipe()
    with os.fdopen(output) as answers, os.fdopen(holding, "wb"), place.log(processes.SUPERVISOR).open("w") as log:
        try:
            subprocess.run(
                command, env=settings, stdin=supervisor_input, stdout=supervisor_output, stderr=log, check=True
            )
        finally:
            os.close(supervisor_input)
            os.close(supervisor_output)
        with console.step(f"cluster {place.name}: control plane and node", START_SECONDS):
            _wait_until_ready(place, answers)
        yield
        lifeline.hand_over(holding)


def _wait_until_ready(place: State, answers: TextIO) -> None:
    try:
        lifeline.wait_until_ready(answers)
    except ToolError as error:
        log = place.log(processes.SUPERVISOR)
        raise ToolError(
            str(error) or f"the supervisor ended; {log} ends with\n{log.read_text()[-LOG_TAIL:]}"
        ) from error


def _adopt(place: State, given: Path) -> None:
    """Use a cluster as it is."""
    if not given.is_file():
        raise ToolError(f"{providers.GIVEN}: got {given}, expected a kubeconfig file")
    place.kubeconfig.symlink_to(given.absolute())
    console.say(f"Using the cluster of {given} as it is. Left out: {'; '.join(LEFT_OUT)}.")


def _write_programs(place: State, tools: dict[str, str]) -> None:
    """Put the user's programs into bin/; what they keep between runs goes to the cluster's directory, not to a home."""
    programs = {name: tools[name] for name in USER_TOOLS}
    programs |= {name: str(venv.VENV / "bin" / name) for name in ("interlock", "kubectl-interlock")}
    keep = {name: str(place.cache / name.lower()) for name in CACHES}
    settings = " ".join(f"{name}={shlex.quote(path)}" for name, path in keep.items())
    for name, program in programs.items():
        script = place.bin / name
        script.write_text(f'#!/bin/sh\n{settings} exec {shlex.quote(program)} "$@"\n')
        script.chmod(0o755)


def _cluster(place: State) -> Cluster:
    description = place.read()
    provider, network, ports = description.provider, description.network, description.ports
    return Cluster(
        name=place.name,
        provider=provider,
        kubeconfig=place.kubeconfig,
        bin=place.bin,
        state=place.directory,
        audit_log=place.audit_log if ports else None,
        etcd=f"http://{network.control}:{ports.etcd}" if network and ports else None,
    )
