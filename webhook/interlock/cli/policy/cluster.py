"""What decisions read, from a cluster through the user's kubectl: as a guard sees it, at this moment."""

from interlock.cli.kubectl import Kubectl
from interlock.core import systems
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.rehearsal.sentence import Sentence
from interlock.core.systems import Reference
from interlock.core.types import JsonObject, Request
from interlock.errors import BadPolicy

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


def followed(kubectl: Kubectl, request: Request) -> list[JsonObject]:
    """What a request of a system identity says that it follows, as far as it is there.

    Raises:
        ClusterError: it could not be read; the message is kubectl's.
        UsageError: there is no kubectl.
    """
    parent = systems.needs_parent(request) or systems.adopted(request)
    found = [_found(kubectl, each) for each in (parent.references if parent else ())]
    return [each for each in found if each is not None]


def _found(kubectl: Kubectl, reference: Reference) -> JsonObject | None:
    group, _, version = reference.api_version.rpartition("/")
    where = ["-n", reference.namespace] if reference.namespace else []
    return kubectl.find(f"{reference.kind}.{version}.{group}", reference.name, *where)
