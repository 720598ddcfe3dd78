"""The stand-in for kube-scheduler: binds every pod to the only node there is, by the Binding API.

It has the scheduler's identity and so its rights. It does not look at resources, affinity, taints, topology or
priorities: with one node of unlimited room there is nothing to choose. Scheduling gates and the names of other
schedulers are respected.
"""

import sys

import aiohttp

from devtools.cluster.api import Api, ApiError, Object

PENDING = "spec.nodeName="
DEFAULT_SCHEDULER = "default-scheduler"


async def run(api: Api, node: str) -> None:
    """Bind pods for ever.

    Args:
        api: the API as system:kube-scheduler.
        node: the node that all pods go to.
    """
    async for change in api.follow("/api/v1/pods", fieldSelector=PENDING):
        if not change.gone and waits(change.object):
            await _bind(api, change.object, node)


def waits(pod: Object) -> bool:
    """Whether a pod is to be bound by us, now."""
    spec, metadata = pod["spec"], pod["metadata"]
    return (
        not spec.get("nodeName")
        and not spec.get("schedulingGates")
        and spec.get("schedulerName") == DEFAULT_SCHEDULER
        and "deletionTimestamp" not in metadata
    )


async def _bind(api: Api, pod: Object, node: str) -> None:
    metadata = pod["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    binding = {
        "metadata": {"name": name, "namespace": namespace, "uid": metadata["uid"]},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }
    try:
        await api.create(f"/api/v1/namespaces/{namespace}/pods/{name}/binding", binding)
    except (ApiError, aiohttp.ClientError, TimeoutError) as error:  # bound or gone meanwhile, or refused by admission
        print(f"binding {namespace}/{name}: {error!r}", file=sys.stderr, flush=True)
