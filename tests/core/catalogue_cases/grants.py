"""Family `privilege`: rights that a write newly gives, and ways that it opens."""

from dataclasses import replace

from interlock.core.types import JsonObject, Request, User
from tests.core.catalogue_cases.backdoors import OPERATOR
from tests.core.catalogue_cases.case import Case, delete
from tests.core.catalogue_cases.privilege import (
    EVERYTHING,
    RBAC,
    READS,
    account,
    bind,
    binding,
    grant,
    group,
    rule,
    rules,
    user,
    write,
)

SECRETS = rule("get", "core", "secrets")
MANAGER = User(name="manager", groups=("Managers", "system:authenticated"))
NO_UPDATE = {"rbac.authorization.kubernetes.io/autoupdate": "false"}
MASTER = User(name="root", groups=("system:masters",))
TO_ADMIN = {f"{RBAC}/aggregate-to-admin": "true"}


def role(
    name: str, *each: JsonObject, old: JsonObject | None = None, everywhere: bool = False, **meta: object
) -> Request:
    """The write of a role of this name, an update if there is an old one."""
    return replace(grant(rules(*each, **meta), old, everywhere=everywhere), name=name)


def by(who: User, review: Request) -> Request:
    """The same by somebody else."""
    return replace(review, user=who)


GRANTS: dict[str, Case] = {
    "Secrets everywhere, to a ServiceAccount": (
        "grant-secrets",
        bind(binding("secret-reader", account("deployer", "ci")), everywhere=True),
        ["Critical, reaches all: gives system:serviceaccount:ci:deployer get, list on all secrets in all namespaces"],
    ),
    "Secrets of a namespace, to two, of whom one is new": (
        "grant-secrets",
        bind(binding("secret-reader", group("readers"), user("eve"))),
        ["High, reaches shop: gives user eve get, list on all secrets in shop"],
    ),
    "Secrets by a wildcard": (
        "grant-secrets",
        bind(binding("owner-of-all", user("eve"))),
        ["High, reaches shop: gives user eve get, list, watch on all secrets in shop"],
    ),
    "one Secret": (
        "grant-secrets",
        bind(binding("one-secret", user("eve"), kind="Role")),
        ["High, reaches shop: gives user eve get on secrets db in shop"],
    ),
    "a rule for a role that somebody is bound to": (
        "grant-secrets",
        role("secret-reader", rule("get list watch", "core", "secrets"), old=rules(SECRETS), everywhere=True),
        ["High, reaches shop: gives group readers watch on all secrets in shop"],
    ),
    "a role for a binding that has waited": (
        "grant-secrets",
        role("waiting", SECRETS),
        ["High, reaches shop: gives group dev get on all secrets in shop"],
    ),
    "a role that nobody is bound to yet": (
        "grant-secrets",
        role("new", SECRETS, everywhere=True),
        ["Critical, reaches all: gives whoever is bound to ClusterRole new get on all secrets in all namespaces"],
    ),
    "a label by which a bound role collects the rules": (
        "grant-secrets",
        role("part", SECRETS, old=rules(SECRETS), everywhere=True, labels={"collect": "yes"}),
        ["Critical, reaches all: gives system:serviceaccount:ci:deployer get on all secrets in all namespaces"],
    ),
    "not Secrets that they had by another binding": (
        "grant-secrets",
        bind(binding("secret-reader", account("manager", "tools")), everywhere=True),
        [],
    ),
    "not one more name where all were held": (
        "grant-secrets",
        bind(binding("one-secret", group("readers"), kind="Role")),
        [],
    ),
    "not other things": ("grant-secrets", role("new", READS, everywhere=True), []),
    "not a role that does not exist": ("grant-secrets", bind(binding("nothing", user("eve"))), []),
    "a shell": (
        "grant-sessions",
        role("new", rule("create", "core", "pods/exec pods/attach")),
        ["Medium, reaches shop: gives whoever is bound to Role new create on all pods/exec, pods/attach in shop"],
    ),
    "every exec there is": (
        "grant-sessions",
        role("new", rule("create", "*", "*/exec"), everywhere=True),
        ["High, reaches all: gives whoever is bound to ClusterRole new create on all pods/exec in all namespaces"],
    ),
    "a shell in one pod": (
        "grant-sessions",
        role("new", rule("create", "core", "pods/exec", resourceNames=["web-0"])),
        ["Medium, reaches shop: gives whoever is bound to Role new create on pods/exec web-0 in shop"],
    ),
    "not logs": ("grant-sessions", role("new", rule("get", "core", "pods/log")), []),
    "a kubelet, to read only": (
        "grant-node-access",
        bind(binding("node-reader", user("eve")), everywhere=True),
        ["Critical, reaches all: gives user eve get on all nodes/proxy in all namespaces"],
    ),
    "not nodes by a RoleBinding": ("grant-node-access", bind(binding("node-reader", user("eve"))), []),
    "not metrics of nodes": ("grant-node-access", role("n", rule("get", "core", "nodes/metrics"), everywhere=True), []),
    "tokens": (
        "grant-tokens",
        bind(binding("minter", user("eve")), everywhere=True),
        ["Critical, reaches all: gives user eve create on all serviceaccounts/token in all namespaces"],
    ),
    "tokens where the cluster itself runs": (
        "grant-tokens",
        replace(bind(binding("minter", user("eve"))), namespace="kube-system"),
        ["Critical, reaches kube-system: gives user eve create on all serviceaccounts/token in kube-system"],
    ),
    "not ServiceAccounts": ("grant-tokens", role("n", rule("get", "core", "serviceaccounts")), []),
    "pods and what makes them": (
        "grant-workloads",
        role("new", rule("create patch", "core apps", "pods deployments")),
        [("Medium, reaches shop: gives whoever is bound to Role new create, patch on all pods, deployments in shop")],
    ),
    "not a creation by name, which has none": (
        "grant-workloads",
        role("new", rule("create", "core", "pods", resourceNames=["web-0"])),
        [],
    ),
    "approval of certificates": (
        "grant-certificates",
        role(
            "new",
            rule("update", "certificates.k8s.io", "certificatesigningrequests/approval"),
            rule("approve", "certificates.k8s.io", "signers", resourceNames=["kubernetes.io/*"]),
            everywhere=True,
        ),
        [
            (
                "Critical, reaches all: gives whoever is bound to ClusterRole new approve on signers kubernetes.io/* "
                "and update on all certificatesigningrequests/approval in all namespaces"
            )
        ],
    ),
    "not certificate requests": (
        "grant-certificates",
        role("new", rule("create", "certificates.k8s.io", "certificatesigningrequests"), everywhere=True),
        [],
    ),
    "webhooks": (
        "grant-control",
        role("new", rule("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"), everywhere=True),
        [
            (
                "High, reaches all: gives whoever is bound to ClusterRole new patch on all "
                "mutatingwebhookconfigurations in all namespaces"
            )
        ],
    ),
    "labels of a namespace, and unsafe deletion": (
        "grant-control",
        role(
            "new", rule("patch", "core", "namespaces"), rule("unsafe-delete-ignore-read-errors", "apps", "deployments")
        ),
        [
            (
                "Medium, reaches shop: gives whoever is bound to Role new patch on all namespaces and "
                "unsafe-delete-ignore-read-errors on all deployments in shop"
            )
        ],
    ),
    "not reading them": (
        "grant-control",
        role("new", rule("get list", "admissionregistration.k8s.io", "*"), everywhere=True),
        [],
    ),
    "deletion of anything": (
        "grant-deletion",
        role("new", rule("deletecollection", "*", "*"), everywhere=True),
        [
            (
                "Critical, reaches all: gives whoever is bound to ClusterRole new deletecollection on all resources "
                "in all namespaces"
            )
        ],
    ),
    "not deletion of one kind": ("grant-deletion", role("new", rule("delete", "apps", "deployments")), []),
}

WAYS: dict[str, Case] = {
    "a ServiceAccount that can mint the token of an administrator": (
        "open-path",
        bind(binding("minter", user("eve")), everywhere=True),
        [
            (
                "Critical, reaches all: opens a way for user eve: user eve may create tokens of ServiceAccounts (this "
                "write) and so acts as system:serviceaccount:kube-system:installer, which is cluster-admin"
            )
        ],
    ),
    "two steps": (
        "open-path",
        replace(bind(binding("runner", user("eve"))), namespace="ops"),
        [
            (
                "Critical, reaches ops: opens a way for user eve: user eve may run pods under ServiceAccounts in ops "
                "(this write) and so acts as system:serviceaccount:ops:tokens; system:serviceaccount:ops:tokens may "
                "create tokens of ServiceAccounts in tools (rolebinding tools/minter-tokens) and so acts as "
                "system:serviceaccount:tools:manager, which is cluster-admin"
            )
        ],
    ),
    "not every right in a namespace where nobody else holds anything": (
        "open-path",
        role(
            "secret-reader",
            SECRETS,
            rule("bind", RBAC, "clusterroles"),
            rule("create", RBAC, "rolebindings"),
            old=rules(SECRETS),
            everywhere=True,
        ),
        [],
    ),
    "somebody else in the namespace": (
        "open-path",
        replace(bind(binding("runner", user("eve"))), namespace="ci"),
        [
            (
                "Medium, reaches ci: opens a way for user eve: user eve may run pods under ServiceAccounts in ci (this "
                "write) and so acts as system:serviceaccount:ci:deployer"
            )
        ],
    ),
    "not cluster-admin itself, which needs no way": (
        "open-path",
        bind(binding("cluster-admin", user("eve")), everywhere=True),
        [],
    ),
    "not a way that was open": (
        "open-path",
        bind(binding("minter", group("system:masters")), everywhere=True),
        [],
    ),
    "not pods where nobody holds anything": ("open-path", bind(binding("runner", user("eve"))), []),
}

OBJECTS: dict[str, Case] = {
    "a label": (
        "grant-by-label",
        role("part", READS, old=rules(READS), everywhere=True, labels=TO_ADMIN),
        [
            (
                "High, reaches all: let 2 grants of ClusterRole part flow into admin, and so to everybody who is bound "
                "to that"
            )
        ],
    ),
    "a label of one's own, on what escalates": (
        "grant-by-label",
        role("part", rule("escalate", RBAC, "roles"), everywhere=True, labels={"collect": "yes"}),
        [
            (
                "Critical, reaches all: let 1 grant of ClusterRole part flow into collector, and so to everybody who "
                "is bound to that"
            )
        ],
    ),
    "not a label that was there": (
        "grant-by-label",
        role("part", READS, old=rules(READS, labels=TO_ADMIN), everywhere=True, labels=TO_ADMIN),
        [],
    ),
    "not a label that nobody collects by": (
        "grant-by-label",
        role("part", READS, everywhere=True, labels={"collect": "no"}),
        [],
    ),
    "the account of every pod": (
        "grant-default-account",
        bind(binding("view", account("default", "ci"), account("robot", "ci"))),
        ["Medium, reaches shop: bind every pod of ci that names no ServiceAccount to ClusterRole view"],
    ),
    "not a user of that name": ("grant-default-account", bind(binding("view", user("default"))), []),
    "more than the author holds": (
        "grant-beyond-own",
        by(MANAGER, bind(binding("secret-reader", user("eve")))),
        ["Critical, reaches shop: gives user eve what manager does not hold: get secrets, list secrets"],
    ),
    "not what the author holds": (
        "grant-beyond-own",
        by(replace(MANAGER, groups=("readers",)), bind(binding("secret-reader", user("eve")))),
        [],
    ),
    "not an administrator": ("grant-beyond-own", by(MASTER, bind(binding("owner-of-all", user("eve")))), []),
    "a role of Kubernetes": (
        "change-system-role",
        role("system:node", READS, old=rules(), everywhere=True),
        ["Critical, reaches all: change ClusterRole system:node, which Kubernetes itself relies on"],
    ),
    "what the API server would put back": (
        "change-system-role",
        role(
            "view",
            READS,
            old=rules(READS),
            everywhere=True,
            annotations=NO_UPDATE,
        ),
        ["Critical, reaches all: change ClusterRole view, which Kubernetes itself relies on"],
    ),
    "a binding of Kubernetes": (
        "change-system-role",
        delete("clusterrolebindings", "system:basic-user", group=RBAC, kind="ClusterRoleBinding", namespace=""),
        ["Critical, reaches all: delete ClusterRoleBinding system:basic-user, which Kubernetes itself relies on"],
    ),
    "not a label on one": (
        "change-system-role",
        role("system:node", READS, old=rules(READS), everywhere=True, labels={"a": "b"}),
        [],
    ),
    "not another role": ("change-system-role", role("systems", READS, old=rules(), everywhere=True), []),
    "a binding that goes": (
        "delete-role",
        delete("rolebindings", "b", binding("edit", user("ann")), group=RBAC, kind="RoleBinding"),
        ["Medium, reaches shop: delete RoleBinding b in shop"],
    ),
    "one of several administrators": (
        "delete-role",
        delete(
            "clusterrolebindings",
            "cluster-admin-installer",
            binding("cluster-admin", account("installer", "kube-system")),
            group=RBAC,
            kind="ClusterRoleBinding",
            namespace="",
        ),
        ["Medium, reaches all: delete ClusterRoleBinding cluster-admin-installer"],
    ),
    "not a subject that goes": (
        "delete-role",
        bind(binding("edit"), binding("edit", user("ann"))),
        [],
    ),
    "a ServiceAccount that binds": (
        "account-writes-rbac",
        by(OPERATOR, bind(binding("view", user("eve")))),
        ["High, reaches shop: create RoleBinding b in shop by ServiceAccount operators/widgets"],
    ),
    "not a person": ("account-writes-rbac", bind(binding("view", user("eve"))), []),
    "not a controller of Kubernetes": (
        "account-writes-rbac",
        by(
            User(name="system:serviceaccount:kube-system:clusterrole-aggregation-controller"),
            write("UPDATE", "clusterroles", "admin", rules(EVERYTHING), rules(), kind="ClusterRole"),
        ),
        [],
    ),
}
