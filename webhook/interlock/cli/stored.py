"""The ledger as the cluster stores it, read with the user's rights."""

import base64
import binascii
from dataclasses import dataclass

from interlock.cli.kubectl import Kubectl
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject

LEDGER = "interlock.dev/ledger"
CHECKPOINT = "checkpoint"
BODY = "r"  # the key of binaryData that holds a commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything, at one instant.

    Attributes:
        commits: of all lanes.
        checkpoints: cuts with their checkpoints, by name.
    """

    commits: tuple[StoredCommit, ...]
    checkpoints: tuple[StoredCommit, ...]


def ledger(kubectl: Kubectl, namespace: str) -> Stored:
    """Read everything that is stored.

    Raises:
        ClusterError: it could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    listed = kubectl.get("configmaps", "-n", namespace, "-l", LEDGER)
    checkpoints = [item for item in listed["items"] if _is_checkpoint(item)]
    commits = [item for item in listed["items"] if not _is_checkpoint(item)]
    return Stored(
        commits=tuple(map(_stored, commits)),
        checkpoints=tuple(sorted(map(_stored, checkpoints), key=lambda each: each.name)),
    )


def _is_checkpoint(item: JsonObject) -> bool:
    return bool(item["metadata"].get("labels", {}).get(LEDGER) == CHECKPOINT)


def _stored(configmap: JsonObject) -> StoredCommit:
    """A ConfigMap of the ledger; one without a readable body is an empty one, which verification refuses by name."""
    metadata = configmap["metadata"]
    try:
        body = base64.b64decode(configmap.get("binaryData", {}).get(BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    return StoredCommit(name=metadata["name"], uid=metadata["uid"], body=body)
