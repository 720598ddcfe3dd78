"""Kubernetes Events, by which the controller tells people what it found.

An Event is about the controller's own pod, with the object in question as `related`: Events about cluster-scoped
objects would have to live in namespace `default`, where the controller may write nothing and nobody would look.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC

import structlog

from interlock.core.ports import Clock
from interlock.core.types import JsonObject
from interlock.errors import ClusterError
from interlock.kube import paths
from interlock.kube.client import ApiClient

LOG = structlog.get_logger(__name__)

NOTE_RUNES = 1024
"""Longest note that the API server accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """What an Event speaks of."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""

    def reference(self) -> JsonObject:
        """As an ObjectReference; empty fields are left out."""
        fields = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
        }
        return {key: value for key, value in fields.items() if value}


class Events:
    """Writes Events in the name of one pod."""

    def __init__(self, api: ApiClient, *, pod: Related, clock: Clock) -> None:
        self._api = api
        self._pod = pod
        self._clock = clock

    async def warn(self, *, reason: str, note: str, related: Related) -> None:
        """Log and write a Warning; an Event that cannot be written is only logged."""
        LOG.warning(note, reason=reason, about=related.name)
        now = self._clock().astimezone(UTC)
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{self._pod.name}-", "namespace": self._pod.namespace},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": "Warning",
            "reason": reason,
            "note": note[:NOTE_RUNES],
            "action": "Reconcile",
            "regarding": self._pod.reference(),
            "related": related.reference(),
            "reportingController": "interlock.dev/controller",
            "reportingInstance": self._pod.name,
        }
        with contextlib.suppress(ClusterError):
            await self._api.create(
                paths.collection("events.k8s.io", "v1", "events", namespace=self._pod.namespace), event
            )
