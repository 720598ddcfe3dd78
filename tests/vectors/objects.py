"""The objects that scenarios are played with; those of a namespace live in prod-shop."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interlock.core.types import JsonObject

NAMESPACE = "prod-shop"
IMAGE = "example.org/web:1"
RBAC = "rbac.authorization.k8s.io"
CONTAINERS = [{"name": "app", "image": IMAGE}]
POD = {"containers": CONTAINERS, "terminationGracePeriodSeconds": 1}


def thing(api_version: str, kind: str, name: str, *, namespace: str = NAMESPACE, **fields: object) -> JsonObject:
    """An object, without a namespace if that is empty; its other metadata stands in `meta`."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    meta = fields.pop("meta", {})
    assert isinstance(meta, dict)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata | meta, **fields}


def configmap(name: str, **meta: object) -> JsonObject:
    """A ConfigMap; its data holds what Go escapes in JSON and others do not."""
    return thing("v1", "ConfigMap", name, meta=meta, data={"script": 'test a \u003c b \u0026\u0026 echo "\u2028"'})


def pod(name: str) -> JsonObject:
    """A pod that the cluster's scheduler gives to a node."""
    return thing("v1", "Pod", name, spec=POD)


def waiting_pod(name: str) -> JsonObject:
    """A pod that fits no node."""
    return thing("v1", "Pod", name, spec=POD | {"schedulerName": "nobody"})


def workload(kind: str, name: str, **spec: object) -> JsonObject:
    """A Deployment, StatefulSet or DaemonSet."""
    template = {"metadata": {"labels": {"app": name}}, "spec": POD}
    common = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return thing("apps/v1", kind, name, spec=common | spec)


def role(kind: str, name: str, *rules: JsonObject, **meta: object) -> JsonObject:
    """A Role or ClusterRole."""
    namespace = NAMESPACE if kind == "Role" else ""
    return thing(f"{RBAC}/v1", kind, name, namespace=namespace, meta=meta, rules=list(rules))


def rule(verbs: str, groups: str, resources: str) -> JsonObject:
    """One rule; words are separated by blanks, the core group is `core`."""
    named = ["" if group == "core" else group for group in groups.split()]
    return {"verbs": verbs.split(), "apiGroups": named, "resources": resources.split()}


def role_binding(name: str, cluster_role: str, *users: str) -> JsonObject:
    """A RoleBinding of users to a ClusterRole."""
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": cluster_role}
    subjects = [{"apiGroup": RBAC, "kind": "User", "name": user} for user in users]
    return thing(f"{RBAC}/v1", "RoleBinding", name, roleRef=reference, subjects=subjects)


def crd(group: str, kind: str, plural: str) -> JsonObject:
    """A CustomResourceDefinition that takes any object."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    unapproved = {"annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}}
    spec = {
        "group": group,
        "names": {"kind": kind, "plural": plural},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    name = f"{plural}.{group}"
    return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, namespace="", meta=unapproved, spec=spec)


def volume(name: str, **spec: object) -> JsonObject:
    """A PersistentVolume."""
    common = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/nowhere"}}
    return thing("v1", "PersistentVolume", name, namespace="", spec=common | spec)


def claim(name: str, **spec: object) -> JsonObject:
    """A PersistentVolumeClaim."""
    common = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return thing("v1", "PersistentVolumeClaim", name, spec=common | spec)


def certificate_request(name: str) -> JsonObject:
    """A CertificateSigningRequest for a signer that nobody runs."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    request = base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"signerName": "example.org/nobody", "usages": ["client auth"], "request": request}
    return thing("certificates.k8s.io/v1", "CertificateSigningRequest", name, namespace="", spec=spec)
