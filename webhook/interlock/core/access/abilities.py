"""What rules let their holder do on the way to more power: the steps that paths are made of.

Only steps that RBAC alone decides are listed. Whoever may read Secrets may find a token in one, whoever may enter a pod
may find anything in it; a path does not claim what nobody can see from roles and bindings.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache

from interlock.core import rbac
from interlock.core.access.book import Rules
from interlock.core.access.powers import ADMISSION, CERTIFICATES, CHANGE, WORKLOADS, WRITE
from interlock.core.rbac import ALL, Atom

Names = frozenset[str] | None
"""Names over which an ability is held; None stands for all."""

ROLES_KEPT = 4096
"""Roles whose abilities are remembered; a large cluster has about as many."""


class Ability(StrEnum):
    """One thing to be able to do; the value completes "may …"."""

    EVERYTHING = "do everything"
    ESCALATE_CLUSTER_ROLES = "give ClusterRoles more than it has"
    WRITE_CLUSTER_ROLES = "write ClusterRoles"
    BIND_CLUSTER_ROLES = "bind any ClusterRole"
    WRITE_CLUSTER_BINDINGS = "write ClusterRoleBindings"
    WRITE_BINDINGS = "write RoleBindings"
    ESCALATE_ROLES = "give Roles more than it has"
    WRITE_ROLES = "write Roles"
    IMPERSONATE_USERS = "impersonate users"
    IMPERSONATE_GROUPS = "impersonate groups"
    IMPERSONATE_ACCOUNTS = "impersonate ServiceAccounts"
    MINT_TOKENS = "create tokens of ServiceAccounts"
    FILL_SECRETS = "create Secrets and read the tokens that fill them"
    READ_SECRETS = "read Secrets"
    RUN_PODS = "run pods under ServiceAccounts"
    ENTER_PODS = "enter pods that run under ServiceAccounts"
    COMMAND_KUBELETS = "run commands in any pod by its kubelet"
    REQUEST_CERTIFICATES = "request certificates"
    APPROVE_CERTIFICATES = "approve certificates"
    CHOOSE_SIGNER = "approve for the signer of clients"
    CHANGE_WRITES = "change what others write by a webhook or policy"


def _atoms(verbs: Iterable[str], group: str, *resources: str) -> tuple[Atom, ...]:
    return tuple(Atom(verb=verb, group=group, resource=resource) for verb in verbs for resource in resources)


_AUTHENTICATION = "authentication.k8s.io"
_BY: Mapping[Ability, tuple[Atom, ...]] = {
    Ability.EVERYTHING: _atoms([ALL], ALL, ALL),
    Ability.ESCALATE_CLUSTER_ROLES: _atoms(["escalate"], rbac.GROUP, "clusterroles"),
    Ability.WRITE_CLUSTER_ROLES: _atoms(CHANGE, rbac.GROUP, "clusterroles"),
    Ability.BIND_CLUSTER_ROLES: _atoms(["bind"], rbac.GROUP, "clusterroles"),
    Ability.WRITE_CLUSTER_BINDINGS: _atoms(["create"], rbac.GROUP, "clusterrolebindings"),
    Ability.WRITE_BINDINGS: _atoms(["create"], rbac.GROUP, "rolebindings"),
    Ability.ESCALATE_ROLES: _atoms(["escalate"], rbac.GROUP, "roles"),
    Ability.WRITE_ROLES: _atoms(CHANGE, rbac.GROUP, "roles"),
    Ability.IMPERSONATE_USERS: _atoms(["impersonate"], "", "users"),
    Ability.IMPERSONATE_GROUPS: _atoms(["impersonate"], "", "groups"),
    Ability.IMPERSONATE_ACCOUNTS: _atoms(["impersonate"], "", "serviceaccounts"),
    Ability.MINT_TOKENS: _atoms(["create"], "", "serviceaccounts/token"),
    Ability.FILL_SECRETS: _atoms(["create"], "", "secrets"),
    Ability.READ_SECRETS: _atoms(["get", "list"], "", "secrets"),
    Ability.RUN_PODS: (
        *_atoms(["create"], "", "pods"),
        *_atoms(WRITE, "", "replicationcontrollers"),
        *_atoms(WRITE, "apps", *WORKLOADS),
        *_atoms(WRITE, "batch", "jobs", "cronjobs"),
    ),
    Ability.ENTER_PODS: (*_atoms(["create"], "", "pods/exec"), *_atoms(CHANGE, "", "pods/ephemeralcontainers")),
    Ability.COMMAND_KUBELETS: _atoms(["get", "create"], "", "nodes/proxy"),
    Ability.REQUEST_CERTIFICATES: _atoms(["create"], CERTIFICATES, "certificatesigningrequests"),
    Ability.APPROVE_CERTIFICATES: _atoms(CHANGE, CERTIFICATES, "certificatesigningrequests/approval"),
    Ability.CHOOSE_SIGNER: _atoms(["approve"], CERTIFICATES, "signers"),
    Ability.CHANGE_WRITES: _atoms(WRITE, ADMISSION, "mutatingwebhookconfigurations", "mutatingadmissionpolicies"),
}

NAMELESS = frozenset({"create"})
"""Verbs whose requests have no name to compare resourceNames with, except on subresources."""


@lru_cache(maxsize=ROLES_KEPT)
def abilities(rules: Rules) -> Mapping[Ability, Names]:
    """What rules let their holder do, and over which names."""
    return {ability: names for ability, found in _BY.items() if (names := _names(rules, found)) != frozenset()}


def _names(rules: Rules, found: Iterable[Atom]) -> Names:
    names: frozenset[str] = frozenset()
    for atom in found:
        for rule in rules:
            if not rbac.covers_apart_from_names(rule, atom):
                continue
            if not rule.resource_names:
                return None
            if atom.verb not in NAMELESS or "/" in atom.resource:
                names |= frozenset(rule.resource_names)
    return names
