"""Family `privilege`: identities and credentials."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, Request, User
from tests.core.catalogue_cases.backdoors import change, spec
from tests.core.catalogue_cases.case import Case, delete
from tests.core.catalogue_cases.recovery import marked
from tests.core.catalogue_cases.workload import create, pod, template
from tests.support.identities import NODE, controller

CERTIFICATES = "certificates.k8s.io"
WHO = "which says who people are and what they may"
CLIENT = {"signerName": "kubernetes.io/kube-apiserver-client"}
KUBELET = {"signerName": "kubernetes.io/kube-apiserver-client-kubelet"}


def token(name: str, home: str = "shop", *, user: User | None = None, **fields: Any) -> Request:
    """A request for a token."""
    review = create("serviceaccounts/token", spec(**fields), kind="TokenRequest", name=name, namespace=home)
    return replace(review, user=user) if user else review


def approved(signer: JsonObject, *, status: bool = False, user: User | None = None) -> Request:
    """The approval or issue of a certificate."""
    new = {"conditions": [{"type": "Approved", "status": "True"}]} if not status else {"certificate": "LS0="}
    review = change(
        f"certificatesigningrequests/{'status' if status else 'approval'}",
        {"spec": signer},
        {"spec": signer, "status": new},
        group=CERTIFICATES,
        kind="CSR",
        name="eve",
        namespace="",
    )
    return replace(review, user=user) if user else review


def configmap(name: str, home: str, **data: str) -> Request:
    """A change of a ConfigMap."""
    return change("configmaps", {"data": {"a": "b"}}, {"data": data}, kind="ConfigMap", name=name, namespace=home)


IDENTITIES: dict[str, Case] = {
    "a token for a year": (
        "create-token",
        token("robot", expirationSeconds=365 * 86_400),
        ["High, reaches shop: create a token of ServiceAccount robot in shop, for 365 days, bound to nothing"],
    ),
    "a token of an administrator": (
        "create-token",
        token("installer", "kube-system", boundObjectRef={"kind": "Pod", "name": "p"}),
        [
            (
                "Critical, reaches kube-system: create a token of ServiceAccount installer in kube-system, "
                "cluster-admin in effect"
            )
        ],
    ),
    "not a kubelet's for its pod": (
        "create-token",
        token("robot", user=NODE, boundObjectRef={"kind": "Pod", "name": "p"}),
        [],
    ),
    "a Secret to be filled": (
        "create-credential-secret",
        create(
            "secrets",
            marked("annotations", "kubernetes.io/service-account.name", type="kubernetes.io/service-account-token"),
            kind="Secret",
            name="t",
        ),
        ["Critical, reaches shop: have Secret t in shop filled with a token without end of ServiceAccount shop"],
    ),
    "a Secret for nodes": (
        "create-credential-secret",
        create("secrets", {"type": "bootstrap.kubernetes.io/token"}, kind="Secret", name="b", namespace="kube-system"),
        [
            (
                "Critical, reaches kube-system: have Secret b in kube-system filled with a token by which nodes join, "
                "in Secret b in kube-system"
            )
        ],
    ),
    "not another Secret": ("create-credential-secret", create("secrets", {"type": "Opaque"}, kind="Secret"), []),
    "a certificate to log in with": (
        "request-certificate",
        create("certificatesigningrequests", {"spec": CLIENT}, group=CERTIFICATES, kind="CSR", name="e", namespace=""),
        ["High, reaches all: request by CSR e a certificate to log in with"],
    ),
    "not a kubelet's": (
        "request-certificate",
        create("certificatesigningrequests", {"spec": KUBELET}, group=CERTIFICATES, kind="CSR", namespace=""),
        [],
    ),
    "an approval": (
        "approve-certificate",
        approved(CLIENT),
        ["Critical, reaches all: approve CSR eve for kubernetes.io/kube-apiserver-client"],
    ),
    "an issue": (
        "approve-certificate",
        approved(CLIENT, status=True),
        ["Critical, reaches all: issue the certificate of CSR eve for kubernetes.io/kube-apiserver-client"],
    ),
    "not the controller's own": (
        "approve-certificate",
        approved(KUBELET, user=controller("certificate-controller")),
        [],
    ),
    "who people are, at Amazon": (
        "change-identity-map",
        configmap("aws-auth", "kube-system", mapUsers="- eve"),
        [f"Critical, reaches all: change ConfigMap aws-auth in kube-system, {WHO}"],
    ),
    "who people are, in Argo CD": (
        "change-identity-map",
        delete("configmaps", "argocd-rbac-cm", kind="ConfigMap", namespace="argocd"),
        [f"Critical, reaches all: delete ConfigMap argocd-rbac-cm in argocd, {WHO}"],
    ),
    "not one of that name elsewhere": ("change-identity-map", configmap("aws-auth", "shop", a="c"), []),
    "an account where the cluster itself runs": (
        "create-system-account",
        create("serviceaccounts", {}, kind="ServiceAccount", name="helper", namespace="kube-system"),
        [("Medium, reaches kube-system: create ServiceAccount helper in kube-system, where the cluster itself runs")],
    ),
    "not an account elsewhere": ("create-system-account", create("serviceaccounts", {}, kind="ServiceAccount"), []),
    "a pod of an administrator": (
        "borrow-account",
        create("pods", pod(serviceAccountName="manager"), kind="Pod", namespace="tools"),
        ["Critical, reaches tools: create Pod web in tools under ServiceAccount manager, cluster-admin in effect"],
    ),
    "a workload of a controller": (
        "borrow-account",
        change(
            "deployments",
            template(),
            template(serviceAccountName="namespace-controller"),
            group="apps",
            kind="Deployment",
            namespace="kube-system",
        ),
        [
            (
                "Critical, reaches kube-system: change Deployment web in kube-system under ServiceAccount "
                "namespace-controller, a controller of Kubernetes"
            )
        ],
    ),
    "not an ordinary account": ("borrow-account", create("pods", pod(serviceAccountName="web"), kind="Pod"), []),
    "not the account that it had": (
        "borrow-account",
        change(
            "deployments",
            template(serviceAccountName="manager"),
            template(serviceAccountName="manager", hostPID=True),
            group="apps",
            kind="Deployment",
            namespace="tools",
        ),
        [],
    ),
    "an identity of the cloud": (
        "bind-cloud-identity",
        change("serviceaccounts", {}, marked("annotations", "eks.amazonaws.com/role-arn"), kind="ServiceAccount"),
        ["High, reaches shop: let ServiceAccount web in shop act as an AWS role, shop"],
    ),
    "not the one that it had": (
        "bind-cloud-identity",
        change(
            "serviceaccounts",
            marked("annotations", "eks.amazonaws.com/role-arn"),
            marked("annotations", "eks.amazonaws.com/role-arn", secrets=[]),
            kind="ServiceAccount",
        ),
        [],
    ),
}
