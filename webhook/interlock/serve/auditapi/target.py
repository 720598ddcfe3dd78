"""Paths of the API: what a request is about.

/apis                                                        groups; also as aggregated discovery
/apis/audit.interlock.dev                                    the group
/apis/audit.interlock.dev/v1alpha1                           its resources
…/auditrecords                                               a list or a watch of all namespaces
…/namespaces/NAMESPACE/auditrecords[/NAME[/proof]]           of one, an object, its proof
/openapi/v2, /openapi/v3, /openapi/v3/apis/…                 schemas
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self
from urllib.parse import parse_qsl, unquote

from interlock.core.auditapi.resource import API_VERSION, GROUP, RESOURCE

MAX_PARAMETERS = 64
"""Of a query; ListOptions has a dozen."""

PROOF = "proof"


class Kind(Enum):
    """What a path leads to."""

    GROUPS = "/apis"
    GROUP = f"/apis/{GROUP}"
    RESOURCES = f"/apis/{API_VERSION}"
    OPENAPI_2 = "/openapi/v2"
    OPENAPI_3 = "/openapi/v3"
    OPENAPI_3_GROUP = f"/openapi/v3/apis/{API_VERSION}"
    COLLECTION = "auditrecords"
    OBJECT = "an auditrecord"
    PROOF = "its proof"


_DOCUMENTS = {kind.value: kind for kind in Kind if kind.value.startswith("/")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A request's path and query.

    Attributes:
        namespace: whose records; empty for all.
        name: of the object; empty for a collection.
    """

    kind: Kind
    namespace: str = ""
    name: str = ""

    @classmethod
    def read(cls, target: str) -> Self | None:
        """Read the path; None for one that leads nowhere."""
        path = target.partition("?")[0]
        if kind := _DOCUMENTS.get(path if path == "/" else path.removesuffix("/")):
            return cls(kind=kind)
        base, found, rest = path.partition(f"{Kind.RESOURCES.value}/")
        return None if base or not found else cls._of_records([unquote(part) for part in rest.split("/")])

    @classmethod
    def _of_records(cls, parts: list[str]) -> Self | None:
        match parts:
            case [resource] if resource == RESOURCE:
                return cls(kind=Kind.COLLECTION)
            case ["namespaces", namespace, resource] if resource == RESOURCE and namespace:
                return cls(kind=Kind.COLLECTION, namespace=namespace)
            case ["namespaces", namespace, resource, name] if resource == RESOURCE and namespace and name:
                return cls(kind=Kind.OBJECT, namespace=namespace, name=name)
            case ["namespaces", namespace, resource, name, subresource] if (
                (resource, subresource) == (RESOURCE, PROOF) and namespace and name
            ):
                return cls(kind=Kind.PROOF, namespace=namespace, name=name)
        return None

    @property
    def is_document(self) -> bool:
        """Whether it is one of the constant documents."""
        return self.kind.value.startswith("/")


def query_of(target: str) -> Mapping[str, str]:
    """The query of a target; the first value of each parameter counts.

    Raises:
        ValueError: more than `MAX_PARAMETERS`.
    """
    found: dict[str, str] = {}
    query = target.partition("?")[2]
    for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS):
        found.setdefault(name, value)
    return found
