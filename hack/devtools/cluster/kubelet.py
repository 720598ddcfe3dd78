"""The stand-in for the kubelet: runs the pods of node-1 that have Interlock's own image as processes of this machine.

Pods with any other image are left to kwok. It acts as system:node:node-1 and with no other right; what the chart's
accounts may do is therefore what its processes can do. A pod that asks for what is not done here (init containers,
probes that are not httpGet, other kinds of volumes) is left waiting, and its status names the fields.

A pod that is deleted gets its preStop hook, SIGTERM, its grace period and SIGKILL; then it is removed from the API.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path

import aiohttp

from devtools.cluster import podspec, probes, processes
from devtools.cluster.api import Api, ApiError, Change, Object
from devtools.cluster.controlplane import NODE, ControlPlane
from devtools.cluster.kwok import IMAGE
from devtools.cluster.network import POD_HOSTS
from devtools.cluster.pod import Pod
from devtools.cluster.podspec import Surroundings

ENDED = frozenset({"Succeeded", "Failed"})
DEFAULT_GRACE_SECONDS = 30


class Kubelet:
    """Runs the pods of one node."""

    def __init__(self, api: Api, plane: ControlPlane, programs: Path) -> None:
        """Prepare; nothing runs yet.

        Args:
            api: the API as the node.
            plane: the control plane.
            programs: the directory that a program without a path is looked up in first.
        """
        self._api = api
        self._plane = plane
        self._search = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
        self._pods: dict[str, Pod] = {}
        self._finishing: set[str] = set()
        self._hosts: dict[str, int] = {}
        self._latest_host = 0

    async def run(self) -> None:
        """Run pods for ever."""
        async with probes.session() as prober, asyncio.TaskGroup() as tasks:
            async for change in self._api.follow("/api/v1/pods", fieldSelector=f"spec.nodeName={NODE}"):
                if is_ours(change.object) and (work := self._work(change, prober)):
                    tasks.create_task(work)

    def _work(self, change: Change, prober: aiohttp.ClientSession) -> Coroutine[None, None, None] | None:
        """What a change asks for, if anything. It is noted here, at once, so that it is not begun twice."""
        pod, uid = change.object, change.object["metadata"]["uid"]
        if change.gone:
            return self._stop(uid, grace=0.0)
        if "deletionTimestamp" in pod["metadata"]:
            return self._finish(pod)
        if uid in self._hosts or pod["status"].get("phase") in ENDED:
            return None
        return self._begin(pod, prober)

    def _begin(self, pod: Object, prober: aiohttp.ClientSession) -> Coroutine[None, None, None]:
        uid = pod["metadata"]["uid"]
        host = self._hosts[uid] = self._free_host()
        around = self._surroundings(pod, host)
        if problems := podspec.unsupported(pod, around):
            return self._refuse(pod, problems)
        runner = self._pods[uid] = Pod(
            pod,
            api=self._api,
            state=self._plane.state,
            around=around,
            reported=self._plane.loopback.reported(host),
            prober=prober,
        )
        return runner.run()

    def _finish(self, pod: Object) -> Coroutine[None, None, None] | None:
        uid = pod["metadata"]["uid"]
        if uid in self._finishing:
            return None
        self._finishing.add(uid)
        return self._stop_and_remove(pod, uid)

    async def _stop_and_remove(self, pod: Object, uid: str) -> None:
        """Stop a deleted pod in its grace period, then take it out of the API."""
        await self._stop(uid, grace=pod["metadata"].get("deletionGracePeriodSeconds", DEFAULT_GRACE_SECONDS))
        await _tried(self._api.delete(_path(pod), {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}))

    async def _stop(self, uid: str, *, grace: float) -> None:
        if runner := self._pods.get(uid):
            await runner.stop(grace)
            self._pods.pop(uid, None)
        self._hosts.pop(uid, None)

    async def _refuse(self, pod: Object, problems: list[str]) -> None:
        """Leave a pod waiting for ever, saying why; were it Failed, its ReplicaSet would make the next at once."""
        message = f"the local cluster cannot do this: {'; '.join(problems)}"
        print(f"{_path(pod)}: {message}", file=sys.stderr, flush=True)
        waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
        statuses = [
            {
                "name": each["name"],
                "image": each["image"],
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": waiting,
            }
            for each in pod["spec"]["containers"]
        ]
        await _tried(self._api.merge(f"{_path(pod)}/status", {"status": {"containerStatuses": statuses}}))

    def _surroundings(self, pod: Object, host: int) -> Surroundings:
        plane, metadata = self._plane, pod["metadata"]
        return Surroundings(
            root=plane.state.pods / f"{metadata['namespace']}.{metadata['name']}",
            address=plane.loopback.pod(host),
            node_address=plane.network.control,
            api_server=(plane.network.control, plane.ports.api_server),
            search=self._search,
            inherited=processes.environment(plane.state),
        )

    def _free_host(self) -> int:
        """The next address in turn: one that was just given up may still be in somebody's connection."""
        taken = set(self._hosts.values())
        order = [*POD_HOSTS[self._latest_host :], *POD_HOSTS[: self._latest_host]]
        self._latest_host = next(host for host in order if host not in taken)
        return self._latest_host


def is_ours(pod: Object) -> bool:
    """Whether a pod's containers have the image that this checkout is."""
    return any(container["image"] == IMAGE for container in pod["spec"]["containers"])


def _path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


async def _tried(request: Coroutine[None, None, Object]) -> None:
    """Make a request whose failure changes nothing here: the object is gone already, or admission has a word in it."""
    try:
        await request
    except (ApiError, aiohttp.ClientError, TimeoutError) as error:
        print(f"kubelet: {error!r}", file=sys.stderr, flush=True)
