"""The life of one pod on this machine: volumes, containers, the status that the API shows, the end.

The status is written whenever it changed, by one task, so that a later one never loses against an earlier one. It is
sent with the pod's uid: a pod of the same name that came after it is somebody else's.
"""

import asyncio
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import aiohttp

from devtools.cluster import podspec
from devtools.cluster.api import CONFLICT, NOT_FOUND, Api, ApiError, Object
from devtools.cluster.container import Container, now
from devtools.cluster.podspec import Surroundings
from devtools.cluster.state import State
from devtools.cluster.volumes import MissingError, Volumes

REFRESH_SECONDS = 30.0  # between looks at volumes; tokens live ten minutes at least
RETRY_SECONDS = 0.2  # while something that the pod needs is missing, or the API server is away


class Pod:
    """A pod whose containers are processes."""

    def __init__(
        self,
        pod: Object,
        *,
        api: Api,
        state: State,
        around: Surroundings,
        reported: str,
        prober: aiohttp.ClientSession,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            pod: the pod as the API has it, bound to our node.
            api: the API as the node.
            state: the cluster's directory.
            around: what the processes can learn about where they run.
            reported: the pod's address as the API shows it.
            prober: client for probes and hooks.
        """
        self._pod = pod
        self._api = api
        self._around = around
        self._reported = reported
        self._volumes = Volumes(api, pod, around)
        self._since = now()
        self._problem = ""
        self._transitions: dict[str, Object] = {}
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._containers = [
            Container(
                spec=spec,
                pod=pod,
                address=around.address,
                launch=podspec.launch(pod, spec, around),
                state=state,
                prober=prober,
                changed=self._changed.set,
            )
            for spec in pod["spec"]["containers"]
        ]

    @property
    def path(self) -> str:
        """Where the pod is found in the API."""
        metadata = self._pod["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    async def run(self) -> None:
        """Run until every container has ended for good; the status is reported for as long."""
        reporting = asyncio.create_task(self._report_changes())
        refreshing = asyncio.create_task(self._refresh_volumes())
        try:
            await self._prepare()
            await asyncio.gather(*(container.run() for container in self._containers))
            await self._report()
        finally:
            await _cancelled(reporting, refreshing)
            shutil.rmtree(self._around.root, ignore_errors=True)

    async def stop(self, grace: float) -> None:
        """Stop all containers side by side; `run` then comes to its end."""
        self._stopping.set()
        await asyncio.gather(*(container.stop(grace) for container in self._containers))

    async def _prepare(self) -> None:
        """Make the volumes, waiting for what they need, then put the mounts in place."""
        while not await self._refreshed():
            self._changed.set()
            if await self._stops_within(RETRY_SECONDS):
                return
        for container in self._containers:
            self._volumes.link(container.spec, container.launch.home)

    async def _refresh_volumes(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._refreshed()  # or not: then what is there stays, as with a kubelet

    async def _refreshed(self) -> bool:
        """Whether every volume is up to date; what keeps it from being so goes to the log, and to the status."""
        self._problem = ""
        try:
            await self._volumes.refresh()
        except (MissingError, ApiError, aiohttp.ClientError, TimeoutError) as error:
            self._problem = str(error) or repr(error)
            print(f"{self.path}: volumes: {self._problem}", file=sys.stderr, flush=True)
        return not self._problem

    async def _stops_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _report_changes(self) -> None:
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._report()

    async def _report(self) -> None:
        """Write the status as it is now, trying again while the API server is away."""
        while not await self._reported_now():
            if await self._stops_within(RETRY_SECONDS):
                return

    async def _reported_now(self) -> bool:
        """Whether there is nothing left to report: written, or the pod is gone or another's."""
        body = {"metadata": {"uid": self._pod["metadata"]["uid"]}, "status": self._status()}
        try:
            await self._api.merge(f"{self.path}/status", body)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error, ApiError) and error.code in {NOT_FOUND, CONFLICT}:
                return True
            print(f"{self.path}: status: {error!r}", file=sys.stderr, flush=True)
            return False
        return True

    def _status(self) -> Object:
        ready = all(container.ready for container in self._containers)
        statuses = [container.status for container in self._containers]
        return {
            "phase": phase(statuses, self._pod["spec"].get("restartPolicy", "Always")),
            "conditions": self._conditions({"Initialized": True, "ContainersReady": ready, "Ready": ready}),
            "containerStatuses": [_explained(status, self._problem) for status in statuses],
            "hostIP": self._around.node_address,
            "hostIPs": [{"ip": self._around.node_address}],
            "podIP": self._reported,
            "podIPs": [{"ip": self._reported}],
            "startTime": self._since,
        }

    def _conditions(self, wanted: dict[str, bool]) -> list[Object]:
        """The pod's conditions; those that did not change keep their time, and others' keep all."""
        for kind, value in wanted.items():
            condition = {"type": kind, "status": str(value)}
            if self._transitions.get(kind, {}).get("status") != condition["status"]:
                self._transitions[kind] = {**condition, "lastTransitionTime": now()}
        others = [each for each in self._pod["status"].get("conditions") or [] if each["type"] not in wanted]
        return [*others, *self._transitions.values()]


def phase(statuses: Iterable[dict[str, Any]], restart_policy: str) -> str:
    """The phase of a pod whose containers have these statuses."""
    states = [status["state"] for status in statuses]
    if any("waiting" in state and state["waiting"]["reason"] == "ContainerCreating" for state in states):
        return "Pending"
    if restart_policy == "Always" or not all("terminated" in state for state in states):
        return "Running"
    return "Failed" if any(state["terminated"]["exitCode"] for state in states) else "Succeeded"


def _explained(status: Object, problem: str) -> Object:
    """A waiting container says what it waits for."""
    if problem and "waiting" in status["state"]:
        return {**status, "state": {"waiting": {"reason": "ContainerCreating", "message": problem}}}
    return status


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
