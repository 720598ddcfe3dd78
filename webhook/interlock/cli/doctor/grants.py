"""Who holds which RBAC rules, through which binding: in the whole cluster, or in Interlock's namespace.

Group system:masters stands here by its binding to cluster-admin, as it is in every cluster; the API server lets it do
everything without asking RBAC at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.core import rbac, unstructured
from interlock.core.bindings import CLUSTER_ROLE, SERVICE_ACCOUNT, Subject, role_reference, subjects
from interlock.core.types import JsonObject, RoleRule

BOOTSTRAPPED = ("kubernetes.io/bootstrapping", "rbac-defaults")
KUBE_SYSTEM = "kube-system"
ADMINISTRATORS = "cluster-admin"

_CLUSTER_BINDING, _BINDING = "ClusterRoleBinding", "RoleBinding"
_Roles = Mapping[tuple[str, str, str], JsonObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one binding gives one subject.

    Attributes:
        subject: who.
        rules: what.
        binding: through which.
        administrator: whether it is cluster-admin in the whole cluster, given to people.
        kubernetes: whether Kubernetes itself gives it to a part of Kubernetes.
    """

    subject: Subject
    rules: tuple[RoleRule, ...]
    binding: str
    administrator: bool = False
    kubernetes: bool = False


def grants(objects: Iterable[JsonObject]) -> Sequence[Grant]:
    """Read roles and bindings, of the cluster and of one namespace, into what they grant to whom."""
    listed = list(objects)
    roles = {_key(each): each for each in listed if unstructured.text(each, "kind").endswith("Role")}
    bindings = [each for each in listed if unstructured.text(each, "kind") in {_CLUSTER_BINDING, _BINDING}]
    return [grant for binding in bindings for grant in _grants(binding, roles)]


def _key(obj: JsonObject) -> tuple[str, str, str]:
    metadata = unstructured.mapping(obj, "metadata")
    return unstructured.text(obj, "kind"), unstructured.text(metadata, "namespace"), unstructured.text(metadata, "name")


def _grants(binding: JsonObject, roles: _Roles) -> Iterator[Grant]:
    kind, namespace, name = _key(binding)
    reference = role_reference(binding)
    home = "" if reference.kind == CLUSTER_ROLE else namespace
    rules = rbac.rules_of(roles.get((reference.kind, home, reference.name)))
    everything = kind == _CLUSTER_BINDING and reference.name == ADMINISTRATORS
    for subject in subjects(binding, namespace):
        yield Grant(
            subject=subject,
            rules=rules,
            binding=f"{kind} {name}",
            administrator=everything and _people(subject),
            kubernetes=_of_kubernetes(binding, subject),
        )


def _people(subject: Subject) -> bool:
    return subject.kind != SERVICE_ACCOUNT and not subject.anybody and not subject.crowd


def _of_kubernetes(binding: JsonObject, subject: Subject) -> bool:
    """Whether a part of Kubernetes has what the API server itself binds to it, and sees to it that it stays bound."""
    label, value = BOOTSTRAPPED
    by_default = unstructured.mapping(binding, "metadata", "labels").get(label) == value
    name = unstructured.text(binding, "metadata", "name")
    account = subject.namespace == KUBE_SYSTEM and name in {
        f"system:controller:{subject.name}",
        f"system:{subject.name}",
    }
    return by_default and (account or (subject.kind == "User" and subject.name.startswith("system:kube-")))
