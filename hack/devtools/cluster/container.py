"""One container as a process: started, probed, restarted with back-off, stopped in Kubernetes' order.

Its output goes to one log. When its main process ends, whatever it left running in its session is killed, as the end
of a container's PID 1 would. `status` is what the API shows of it; `changed` is called whenever that may differ.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from devtools.cluster import podspec, probes, processes
from devtools.cluster.api import Object
from devtools.cluster.podspec import Launch
from devtools.cluster.probes import Probe, Streak
from devtools.cluster.state import State

FIRST_PAUSE_SECONDS = 1.0  # before the first restart; doubles up to the longest. The kubelet's 10 s to 5 min are for
LONGEST_PAUSE_SECONDS = 10.0  # machines that run for years; here somebody is waiting
HEALTHY_SECONDS = 60.0  # a run this long makes the next pause the first again
SIGNAL_CODE = 128  # added to a signal's number, as shells and container runtimes do


@dataclass(slots=True)
class Container:
    """A container of a pod that runs on this machine.

    Attributes:
        spec: the container as it stands in the pod.
        pod: the pod.
        address: the pod's address on this machine.
        launch: what to start.
        state: the cluster's directory.
        prober: client for probes and hooks.
        changed: called when `status` may differ.
    """

    spec: Object
    pod: Object
    address: str
    launch: Launch
    state: State
    prober: aiohttp.ClientSession
    changed: Callable[[], None]
    started: bool = False
    ready: bool = False
    restarts: int = 0
    current: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    _process: asyncio.subprocess.Process | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> Object:
        """The container as the API shows it."""
        return {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": self.spec["image"],
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.current,
            "lastState": self.last,
        }

    @property
    def process_name(self) -> str:
        """The name of its record and its log."""
        metadata = self.pod["metadata"]
        return f"pod.{metadata['namespace']}.{metadata['name']}.{self.spec['name']}"

    async def run(self) -> None:
        """Run, and run again as the restart policy says, until it ends for good or is stopped."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            await self._once()
            if not self._runs_again():
                break
            pause = FIRST_PAUSE_SECONDS if asyncio.get_running_loop().time() - began > HEALTHY_SECONDS else pause
            await self._back_off(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        processes.forget(self.state, self.process_name)

    async def stop(self, grace: float) -> None:
        """Run the preStop hook, send SIGTERM, and SIGKILL when the grace period is over."""
        self._stopping.set()
        process = self._process
        if not process or process.returncode is not None:
            return
        try:
            async with asyncio.timeout(grace):
                await self._pre_stop()
                _send(process, signal.SIGTERM)
                await process.wait()
        except TimeoutError:
            _send(process, signal.SIGKILL)
            await process.wait()

    async def _once(self) -> None:
        """Start the process, follow its probes, and wait for its end."""
        process = self._process = await self._start(self.launch.program)
        if self._stopping.is_set():  # while it started: `stop` has seen no process
            _send(process, signal.SIGKILL)
        began = now()
        self.exit_code, self.current = None, {"running": {"startedAt": began}}
        probing = asyncio.create_task(self._follow_probes(process))
        try:
            code = await process.wait()
        finally:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing
            _kill_session(process.pid)
        self.exit_code = SIGNAL_CODE - code if code < 0 else code
        self._ended(began)

    def _ended(self, began: str) -> None:
        reason = "Error" if self.exit_code else "Completed"
        ended = {"exitCode": self.exit_code, "reason": reason, "startedAt": began, "finishedAt": now()}
        self.started = self.ready = False
        self.current = {"terminated": ended}
        self.changed()

    def _runs_again(self) -> bool:
        policy = self.pod["spec"].get("restartPolicy", "Always")
        return not self._stopping.is_set() and (policy == "Always" or (policy == "OnFailure" and self.exit_code != 0))

    async def _back_off(self, pause: float) -> None:
        self.last, self.restarts = self.current, self.restarts + 1
        message = f"back-off {pause:.0f}s; its output is in {self.state.log(self.process_name)}"
        self.current = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self.changed()
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _start(self, program: list[str], *, name: str = "") -> asyncio.subprocess.Process:
        command = processes.command(self.state, self.process_name + name, program)
        with self.state.log(self.process_name).open("ab") as log:
            log.write(f"--- {now()} {' '.join(program)}\n".encode())
            log.flush()
            return await asyncio.create_subprocess_exec(
                *command,
                env=self.launch.environment,
                cwd=self.launch.home,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _follow_probes(self, process: asyncio.subprocess.Process) -> None:
        """Startup first; then liveness and readiness side by side."""
        if not await self._starts_up(process):
            return
        self.started, self.ready = True, "readinessProbe" not in self.spec
        self.changed()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_liveness(process))
            tasks.create_task(self._follow_readiness())

    async def _starts_up(self, process: asyncio.subprocess.Process) -> bool:
        if probe := self._probe("startupProbe"):
            async with aclosing(probes.watch(self.prober, probe, Streak(healthy=False))) as answers:
                async for streak in answers:
                    if streak.healthy:
                        break
                    if streak.failed(probe):
                        await self._end_unhealthy(process, "startup")
                        return False
        return True

    async def _follow_liveness(self, process: asyncio.subprocess.Process) -> None:
        if probe := self._probe("livenessProbe"):
            async with aclosing(probes.watch(self.prober, probe, Streak(healthy=True))) as answers:
                async for streak in answers:
                    if streak.failed(probe):
                        await self._end_unhealthy(process, "liveness")
                        return

    async def _follow_readiness(self) -> None:
        if probe := self._probe("readinessProbe"):
            async with aclosing(probes.watch(self.prober, probe, Streak(healthy=False))) as answers:
                async for streak in answers:
                    if streak.healthy != self.ready:
                        self.ready = streak.healthy
                        self.changed()

    def _probe(self, kind: str) -> Probe | None:
        return Probe.parse(self.spec[kind], self.spec, self.address) if kind in self.spec else None

    async def _end_unhealthy(self, process: asyncio.subprocess.Process, probe: str) -> None:
        """End a process that fails a probe; `run` starts it again."""
        with self.state.log(self.process_name).open("a") as log:
            log.write(f"--- {now()} ended: its {probe} probe fails\n")
        _send(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(self.pod["spec"].get("terminationGracePeriodSeconds", 30)):
                await process.wait()
        except TimeoutError:
            _send(process, signal.SIGKILL)

    async def _pre_stop(self) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
        if "httpGet" in hook:
            address = probes.url(hook["httpGet"], self.spec, self.address)
            await probes.ask(self.prober, address, headers={}, timeout=float("inf"))
        if "exec" in hook:
            await self._pre_stop_command(hook["exec"]["command"])

    async def _pre_stop_command(self, program: list[str]) -> None:
        paths = podspec.paths(self.spec, self.launch.home)
        hook = await self._start([podspec.rewrite(each, paths) for each in program], name=".pre-stop")
        await hook.wait()
        processes.forget(self.state, f"{self.process_name}.pre-stop")


def now() -> str:
    """The time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _send(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    try:
        process.send_signal(what)
    except ProcessLookupError:
        return  # it has just ended by itself


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return  # nobody was left
