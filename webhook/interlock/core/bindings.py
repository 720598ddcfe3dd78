"""RoleBindings and ClusterRoleBindings: whom a write newly gives a role, and what that role holds."""

from dataclasses import dataclass

from interlock.core import unstructured
from interlock.core.text import printable
from interlock.core.types import JsonObject, Request

CLUSTER_ROLE = "ClusterRole"
SERVICE_ACCOUNT = "ServiceAccount"

_ANYBODY = frozenset({("User", "system:anonymous"), ("Group", "system:unauthenticated")})
_CROWDS = frozenset({("Group", "system:authenticated"), ("Group", "system:serviceaccounts")})
_CROWD_OF_NAMESPACE = "system:serviceaccounts:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject of a binding; `namespace` only for ServiceAccounts."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{printable(self.kind)} {printable(name)}"

    @property
    def anybody(self) -> bool:
        """Whether it needs no credential at all."""
        return (self.kind, self.name) in _ANYBODY

    @property
    def crowd(self) -> bool:
        """Whether it is whoever has any credential, or any ServiceAccount, of the cluster or of one namespace."""
        whole_namespace = self.kind == "Group" and self.name.startswith(_CROWD_OF_NAMESPACE)
        return whole_namespace or (self.kind, self.name) in _CROWDS


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReference:
    """The role that a binding gives: a ClusterRole, or a Role in the binding's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{printable(self.kind)} {printable(self.name)}"


def role_reference(binding: JsonObject | None) -> RoleReference:
    """The role that the binding gives."""
    reference = unstructured.mapping(binding, "roleRef")
    return RoleReference(kind=unstructured.text(reference, "kind"), name=unstructured.text(reference, "name"))


def new_subjects(request: Request) -> tuple[Subject, ...]:
    """Whom the write of a binding newly gives its role, in the binding's order.

    `roleRef` cannot be changed; if it ever were, every subject would be new.
    """
    same_role = role_reference(request.old_object) == role_reference(request.object)
    known = set(subjects(request.old_object, request.namespace)) if same_role else set()
    return tuple(subject for subject in subjects(request.object, request.namespace) if subject not in known)


def subjects(binding: JsonObject | None, namespace: str) -> tuple[Subject, ...]:
    """Whom a binding gives its role, in its order.

    Args:
        binding: the binding; None gives it to nobody.
        namespace: the binding's.
    """
    listed = (_subject(subject, namespace) for subject in unstructured.items(binding, "subjects"))
    return tuple(dict.fromkeys(listed))


def _subject(subject: object, namespace: str) -> Subject:
    kind = unstructured.text(subject, "kind")
    # A RoleBinding may leave a ServiceAccount's namespace out: its own is meant (RBAC's appliesToUser).
    home = unstructured.text(subject, "namespace") or namespace
    return Subject(
        kind=kind, name=unstructured.text(subject, "name"), namespace=home if kind == SERVICE_ACCOUNT else ""
    )
