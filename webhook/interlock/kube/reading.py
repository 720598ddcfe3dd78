"""What decisions read of Kubernetes objects, made into values of the core, and what of each object they depend on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from interlock import settings
from interlock.core import rbac, unstructured
from interlock.core.access.book import Binding, ClusterRole
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, NamespaceView
from interlock.errors import BadPolicy
from interlock.kube import paths

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object that decisions read.

    Attributes:
        essence: what of an object decisions depend on; the rest changes without a new snapshot.
        read: the object as a value of the core.
    """

    group: str
    version: str
    plural: str
    essence: Callable[[JsonObject], object]
    read: Callable[[JsonObject], Any]

    @property
    def path(self) -> str:
        """Of all objects of the kind."""
        return paths.collection(self.group, self.version, self.plural)


def read_policy(obj: JsonObject) -> Policy:
    """Compile a stored policy; one that no longer compiles fails closed for what its match covers."""
    try:
        return policy.parse(obj)
    except BadPolicy as error:
        LOG.error("a stored policy does not compile and fails closed", policy=obj["metadata"]["name"], why=str(error))
        return policy.broken(obj, error.diagnostics())


def read_namespace(obj: JsonObject) -> NamespaceView:
    """Labels, and whether the namespace is going."""
    metadata = obj["metadata"]
    return NamespaceView(
        name=metadata["name"],
        labels=unstructured.mapping(metadata, "labels"),
        terminating="deletionTimestamp" in metadata,
    )


def _spec_version(obj: JsonObject) -> object:
    """Status and labels decide nothing; a spec changes with its generation, but a restored etcd counts those again."""
    return obj["metadata"]["generation"], _digest(obj.get("spec"))


def _labels_and_end(obj: JsonObject) -> object:
    return unstructured.mapping(obj, "metadata", "labels"), "deletionTimestamp" in obj["metadata"]


def _role(obj: JsonObject) -> object:
    """The rules themselves are kept once, as values of the core."""
    labels = unstructured.mapping(obj, "metadata", "labels")
    return _digest([unstructured.items(obj, "rules"), labels, obj.get("aggregationRule")])


def _binding(obj: JsonObject) -> object:
    return _digest([obj.get("roleRef"), obj.get("subjects")])


def _digest(value: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(value), digest_size=16).digest()


POLICIES = Kind(
    group=settings.GROUP,
    version=settings.VERSION,
    plural=settings.POLICIES,
    essence=_spec_version,
    read=read_policy,
)
NAMESPACES = Kind(group="", version="v1", plural="namespaces", essence=_labels_and_end, read=read_namespace)


def _rbac(plural: str, essence: Callable[[JsonObject], object], read: Callable[[JsonObject], Any]) -> Kind:
    return Kind(group=rbac.GROUP, version="v1", plural=plural, essence=essence, read=read)


CLUSTER_ROLES = _rbac("clusterroles", _role, ClusterRole.read)
ROLES = _rbac("roles", _role, rbac.rules_of)
CLUSTER_ROLE_BINDINGS = _rbac("clusterrolebindings", _binding, Binding.read)
ROLE_BINDINGS = _rbac("rolebindings", _binding, Binding.read)

ACCESS = (CLUSTER_ROLES, ROLES, CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS)
KINDS = (POLICIES, NAMESPACES, *ACCESS)
