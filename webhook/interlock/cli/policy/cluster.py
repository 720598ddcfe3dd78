"""What decisions read, from a cluster through the user's kubectl: as a guard sees it, at this moment."""

import asyncio

from interlock.cli.kubectl import Kubectl
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.rehearsal.objects import Objects
from interlock.core.rehearsal.sentence import Sentence
from interlock.core.types import JsonObject
from interlock.errors import BadPolicy, NotFound

POLICIES = "dangerpolicies.interlock.dev"
SURROUNDINGS = "namespaces,clusterroles,clusterrolebindings,roles,rolebindings"


def policies(kubectl: Kubectl) -> list[Policy]:
    """Every policy; one that does not compile is what a guard makes of it.

    Raises:
        ClusterError: they could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    return [compiled(item) for item in kubectl.get(POLICIES)["items"]]


def compiled(obj: JsonObject) -> Policy:
    """A stored policy as a guard has it."""
    try:
        return policy.parse(obj)
    except BadPolicy as error:
        return policy.broken(obj, error.diagnostics())


def surroundings(kubectl: Kubectl) -> list[JsonObject]:
    """Namespaces, roles and bindings.

    Raises:
        ClusterError: they could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    found: list[JsonObject] = kubectl.get(SURROUNDINGS, "--all-namespaces")["items"]
    return found


def target(kubectl: Kubectl, sentence: Sentence) -> JsonObject | None:
    """The object that a line speaks of; None if it speaks of none, or there is none.

    Raises:
        ClusterError: it could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    if not sentence.resource or sentence.command:
        return None
    where = ["-n", sentence.namespace] if sentence.namespace else []
    return kubectl.find(sentence.resource, sentence.name, *where)


class KubectlReader:
    """Implements `core.ports.ClusterReader`, through the user's kubectl."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Read one object.

        Raises:
            NotFound: it does not exist.
            Forbidden: the user may not read it.
            Unavailable: any other failure, in kubectl's words.
        """
        del seconds
        group, _, version = api_version.rpartition("/")
        where = ["-n", namespace] if namespace else []
        found = await asyncio.to_thread(self._kubectl.find, f"{kind}.{version}.{group}", name, *where)
        if found is None:
            raise NotFound(f"{kind} {name}")
        return found


class ObjectReader:
    """Implements `core.ports.ClusterReader` on described objects: what is not described does not exist."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Find one object.

        Raises:
            NotFound: it is not described.
        """
        del api_version, seconds
        found = self._objects.get(kind, name, namespace)
        if found is None:
            raise NotFound(f"{kind} {name}")
        return found
