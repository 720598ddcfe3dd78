"""The ledger as the cluster stores it, read with the user's rights."""

import base64
import binascii

from interlock.cli.kubectl import Kubectl
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject

LANES = "interlock.dev/ledger=lane"
BODY = "r"  # the key of binaryData that holds a commit


def commits(kubectl: Kubectl, namespace: str) -> list[StoredCommit]:
    """Every stored commit, at one instant.

    Raises:
        ClusterError: it could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    listed = kubectl.get("configmaps", "-n", namespace, "-l", LANES)
    return [_commit(configmap) for configmap in listed["items"]]


def _commit(configmap: JsonObject) -> StoredCommit:
    """A ConfigMap as a commit; one without a readable body is an empty commit, which verification refuses by name."""
    metadata = configmap["metadata"]
    try:
        body = base64.b64decode(configmap.get("binaryData", {}).get(BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    return StoredCommit(name=metadata["name"], uid=metadata["uid"], body=body)
