"""Creations and updates: RBAC in every way that it can be written, subresources, and what controllers write."""

from interlock.core.types import JsonObject
from tests.vectors.objects import (
    NAMESPACE,
    POD,
    RBAC,
    certificate_request,
    configmap,
    pod,
    role,
    role_binding,
    rule,
    thing,
    waiting_pod,
    workload,
)
from tests.vectors.scenario import Scenario, Wanted, once

IN = ("-n", NAMESPACE)
FOR_ADMIN = {"labels": {f"{RBAC}/aggregate-to-admin": "true"}}


def _apply(vector: str, what: str, target: JsonObject, *setup: JsonObject, side: str = "client") -> Scenario:
    how = ("--server-side", "--field-manager=team") if side == "server" else ()
    return once(vector, what, ("apply", *how, "-f", "-"), *setup, stdin=target)


def _patch(
    vector: str, what: str, kind: str, name: str, patch: str, *options: str, setup: JsonObject | None = None
) -> Scenario:
    before = (setup,) if setup else ()
    return once(vector, what, ("patch", kind, name, *options, f"-p={patch}"), *before)


_EVERYTHING = rule("*", "*", "*")
_READING = rule("get list", "core", "pods")

BINDINGS = (
    once(
        "bind-cluster-admin",
        "CREATE clusterrolebindings",
        ("create", "clusterrolebinding", "eve", "--clusterrole=cluster-admin", "--user=eve"),
    ),
    once(
        "bind-cluster-admin-impersonated",
        "CREATE clusterrolebindings",
        (
            *("create", "clusterrolebinding", "oops", "--clusterrole=cluster-admin", "--serviceaccount=ci:robot"),
            *("--as=mallory", "--as-group=system:masters", "--dry-run=server"),
        ),
    ),
    _apply("bind-edit-by-apply", "CREATE rolebindings", role_binding("editors", "edit", "ann")),
    _apply("bind-edit-new-subject", "UPDATE rolebindings", role_binding("editors", "edit", "ann", "bob")),
    _apply(
        "bind-admin-server-side",
        "CREATE rolebindings",
        role_binding("admins", "admin", "ann"),
        side="server",
    ),
    _apply(
        "bind-admin-server-side-new-subject",
        "UPDATE rolebindings",
        role_binding("admins", "admin", "ann", "bob"),
        side="server",
    ),
    _patch("label-binding", "UPDATE rolebindings", "rolebinding", "admins", '{"metadata":{"labels":{"a":"b"}}}', *IN),
    once(
        "bind-missing-role",
        "CREATE rolebindings",
        ("create", "rolebinding", "later", "--role=not-yet", "--user=eve", *IN),
    ),
    once(
        "bind-view",
        "CREATE clusterrolebindings",
        ("create", "clusterrolebinding", "readers", "--clusterrole=view", "--group=auditors"),
    ),
    once(
        "bind-unauthenticated",
        "CREATE clusterrolebindings",
        ("create", "clusterrolebinding", "open", "--clusterrole=view", "--group=system:unauthenticated"),
    ),
    once("delete-binding", "DELETE clusterrolebindings", ("delete", "clusterrolebinding", "open")),
)

ROLES = (
    _apply("role-wildcard", "CREATE clusterroles", role("ClusterRole", "all", _EVERYTHING)),
    _apply("role-reading", "CREATE roles", role("Role", "reader", _READING)),
    _apply("role-impersonate", "UPDATE roles", role("Role", "reader", _READING, rule("impersonate", "core", "users"))),
    once(
        "role-escalate",
        "CREATE clusterroles",
        ("create", "clusterrole", "climber", "--verb=escalate,bind", f"--resource=clusterroles.{RBAC}"),
    ),
    _apply("role-for-aggregation", "CREATE clusterroles", role("ClusterRole", "extra", _EVERYTHING)),
    Scenario(
        act=("label", "clusterrole", "extra", f"{RBAC}/aggregate-to-admin=true"),
        kept=(
            Wanted("role-label-aggregation", "UPDATE clusterroles", "admin"),
            Wanted("role-aggregated", "UPDATE clusterroles", "clusterrole-aggregation-controller", "admin"),
        ),
    ),
)

SUBRESOURCES = (
    once(
        "scale-to-zero",
        "UPDATE deployments/scale",
        ("scale", "deployment", "shop", *IN, "--replicas=0"),
        workload("Deployment", "shop", replicas=1),
    ),
    Scenario(
        act=("patch", "deployment", "shop", *IN, '-p={"status":{"replicas":3}}', "--subresource=status"),
        kept=(Wanted("write-status", "UPDATE deployments/status", "admin"),),
    ),
    once(
        "debug-container",
        "UPDATE pods/ephemeralcontainers",
        ("debug", "web-1", *IN, "--image=busybox", "--target=app", "--quiet", "--attach=false"),
        pod("web-1"),
        ("wait", "pod/web-1", *IN, "--for=condition=Ready", "--timeout=30s"),
    ),
    once("create-token", "CREATE serviceaccounts/token", ("create", "token", "default", *IN)),
    Scenario(
        act=("apply", "-f", "-"),
        stdin=pod("to-schedule"),
        kept=(
            Wanted("create-pod", "CREATE pods", "admin"),
            Wanted("scheduler-binding", "CREATE pods/binding", "system:kube-scheduler"),
            Wanted("kubelet-pod-status", "UPDATE pods/status", "system:node:"),
        ),
    ),
)

WRITES = (
    Scenario(
        act=("create", "namespace", "prod-new"),
        kept=(
            Wanted("create-namespace", "CREATE namespaces", of="prod-new"),
            Wanted("root-ca-publisher", "CREATE configmaps", "root-ca-cert-publisher"),
            Wanted("service-account-controller", "CREATE serviceaccounts", "service-account-controller"),
        ),
    ),
    once("label-namespace", "UPDATE namespaces", ("label", "namespace", "prod-new", "env=prod")),
    once(
        "create-generated-name",
        "CREATE configmaps",
        ("create", "-f", "-"),
        stdin={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "run-", "namespace": NAMESPACE}},
    ),
    _apply("create-configmap", "CREATE configmaps", configmap("fresh")),
    Scenario(
        act=("apply", "-f", "-"),
        stdin=workload("Deployment", "rolling", replicas=1),
        kept=(
            Wanted("create-deployment", "CREATE deployments", "admin"),
            Wanted("deployment-controller-create", "CREATE replicasets", "deployment-controller"),
            Wanted("replicaset-controller-create", "CREATE pods", "replicaset-controller"),
            Wanted("deployment-controller-status", "UPDATE deployments/status", "deployment-controller"),
        ),
    ),
    Scenario(
        act=("scale", "deployment", "rolling", *IN, "--replicas=0"),
        kept=(Wanted("replicaset-controller-delete", "DELETE pods", "replicaset-controller"),),
    ),
    Scenario(
        act=("apply", "-f", "-"),
        stdin=thing(
            "batch/v1",
            "Job",
            "short",
            spec={"ttlSecondsAfterFinished": 0, "template": {"spec": POD | {"restartPolicy": "Never"}}},
        ),
        kept=(
            Wanted("job-controller-create", "CREATE pods", "job-controller"),
            Wanted("ttl-controller-delete", "DELETE jobs", "ttl-after-finished-controller"),
        ),
    ),
    once(
        "request-certificate",
        "CREATE certificatesigningrequests",
        ("create", "-f", "-"),
        stdin=certificate_request("eve"),
    ),
    once(
        "approve-certificate",
        "UPDATE certificatesigningrequests/approval",
        ("certificate", "approve", "eve"),
    ),
    once(
        "delete-as-user",
        "DELETE pods",
        ("delete", "pod", "mine", *IN, "--as=dana"),
        waiting_pod("mine"),
        role_binding("dana", "edit", "dana"),
    ),
)

CHANGES = (*BINDINGS, *ROLES, *SUBRESOURCES, *WRITES)
