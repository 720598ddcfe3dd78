"""What the controller makes again when it is gone, owned by a ClusterRole of the chart that was just seen live.

So Helm takes the object for its own, and the garbage collector for the chart's: `helm uninstall` takes both away, in
whatever order. Without such a role nothing is made: there is no release that it would belong to.
"""

from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient

REPAIRER = "interlock-self-repair"
"""Field manager of an object's creation, so that who keeps it afterwards owns no more than it keeps."""

HELM_ANNOTATIONS = "meta.helm.sh/"


async def live_role(api: ApiClient, name: str) -> JsonObject | None:
    """A ClusterRole of the chart; None if it is gone, or going.

    Raises:
        ClusterError: the API server did not answer as needed.
    """
    try:
        role = await api.get(paths.named("rbac.authorization.k8s.io", "v1", "clusterroles", name))
    except NotFound:
        return None
    return None if "deletionTimestamp" in role["metadata"] else role


def owned_by(role: JsonObject) -> JsonObject:
    """Metadata that make an object belong to a role and its release."""
    annotations = unstructured.mapping(role, "metadata", "annotations")
    return {
        "labels": unstructured.mapping(role, "metadata", "labels"),
        "annotations": {key: value for key, value in annotations.items() if key.startswith(HELM_ANNOTATIONS)},
        "ownerReferences": [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "name": role["metadata"]["name"],
                "uid": role["metadata"]["uid"],
            }
        ],
    }
