"""Family `exposure`."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, User
from tests.core.catalogue_cases.backdoors import OPERATOR, change, spec
from tests.core.catalogue_cases.case import Case
from tests.core.catalogue_cases.interactive import connect
from tests.core.catalogue_cases.workload import create, pod
from tests.support.identities import controller

NETWORKING = "networking.k8s.io"
RULES = {"rules": [{"host": "shop.example.org"}]}
AWS = "AKIA" + "A" * 16
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVz.c2ln"
SLICE = {"endpoints": [{"addresses": ["203.0.113.7"]}]}


def ingress(new: JsonObject, **metadata: Any) -> JsonObject:
    """An Ingress."""
    return {"spec": new, "metadata": metadata}


def balanced(address: str) -> JsonObject:
    """A Service with a load balancer's address."""
    return {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}


def variable(value: str) -> JsonObject:
    """A pod with a variable."""
    return pod({"name": "app", "image": "a", "env": [{"name": "KEY", "value": value}]})


EXPOSURE: dict[str, Case] = {
    "a Service that becomes a load balancer": (
        "expose-service",
        change("services", spec(type="ClusterIP"), spec(type="LoadBalancer"), kind="Service"),
        ["Medium, reaches shop: expose Service web in shop as LoadBalancer"],
    ),
    "traffic of other addresses": (
        "expose-service",
        create("services", spec(type="ClusterIP", externalIPs=["203.0.113.7"]), kind="Service"),
        ["High, reaches shop: let Service web in shop take traffic of 203.0.113.7"],
    ),
    "an address by hand": (
        "expose-service",
        change("services/status", {}, balanced("203.0.113.7"), kind="Service"),
        ["High, reaches shop: write the address of Service web in shop by hand"],
    ),
    "not a cloud's controller": (
        "expose-service",
        change("services/status", {}, balanced("203.0.113.7"), kind="Service", user=OPERATOR),
        [],
    ),
    "not what was exposed": (
        "expose-service",
        change("services", spec(type="NodePort"), spec(type="NodePort", ports=[]), kind="Service"),
        [],
    ),
    "an Ingress without TLS, with a snippet": (
        "expose-route",
        create(
            "ingresses",
            ingress(RULES, annotations={"nginx.ingress.kubernetes.io/configuration-snippet": "x"}),
            group=NETWORKING,
            kind="Ingress",
        ),
        [
            (
                "High, reaches shop: create Ingress web in shop with configuration of its own: "
                "nginx.ingress.kubernetes.io/configuration-snippet"
            ),
            "Medium, reaches shop: create Ingress web in shop without TLS",
        ],
    ),
    "not an Ingress with TLS": (
        "expose-route",
        create("ingresses", ingress(RULES | {"tls": [{"secretName": "tls"}]}), group=NETWORKING, kind="Ingress"),
        [],
    ),
    "not one that never had": (
        "expose-route",
        change("ingresses", ingress(RULES), ingress(RULES), group=NETWORKING, kind="Ingress"),
        [],
    ),
    "a Service without pods": (
        "redirect-traffic",
        change("services", spec(selector={"app": "shop"}), spec(), kind="Service"),
        ["Medium, reaches shop: point Service web in shop at no pods"],
    ),
    "endpoints by hand": (
        "redirect-traffic",
        create("endpointslices", SLICE, group="discovery.k8s.io", kind="EndpointSlice"),
        ["High, reaches shop: create EndpointSlice web in shop by hand: where traffic goes"],
    ),
    "routes of others": (
        "redirect-traffic",
        create(
            "referencegrants",
            spec(**{"from": [{"kind": "HTTPRoute", "namespace": "dev"}]}),
            group="gateway.networking.k8s.io",
            kind="ReferenceGrant",
        ),
        ["High, reaches shop: create ReferenceGrant web in shop: routes of dev may come in"],
    ),
    "not the controller of endpoints": (
        "redirect-traffic",
        create("endpoints", {"subsets": [{}]}, kind="Endpoints", user=controller("endpoint-controller")),
        [],
    ),
    "not a port of a Service": (
        "redirect-traffic",
        change("services", spec(selector={"a": "b"}), spec(selector={"a": "b"}, ports=[]), kind="Service"),
        [],
    ),
    "a key in a ConfigMap": (
        "leak-credential",
        create("configmaps", {"data": {"aws": f"id = {AWS}", "port": "80"}}, kind="ConfigMap"),
        ["High, reaches shop: put an AWS access key into key aws of ConfigMap web in shop"],
    ),
    "a token in a variable": (
        "leak-credential",
        create("deployments", {"spec": {"template": variable(JWT)}}, group="apps", kind="Deployment"),
        ["High, reaches shop: put a JSON Web Token into variable KEY of container app of Deployment web in shop"],
    ),
    "a token on a command line": (
        "leak-credential",
        replace(connect("exec", command=["git", "clone", "https://ghp_" + "a" * 36 + "@git.example/x"]), kind="Exec"),
        ["High, reaches shop: put a GitHub token into the command line of Exec web-0 in shop"],
    ),
    "not one that was there": (
        "leak-credential",
        change("configmaps", {"data": {"aws": AWS}}, {"data": {"aws": AWS, "a": "b"}}, kind="ConfigMap"),
        [],
    ),
    "not a certificate": (
        "leak-credential",
        create("configmaps", {"data": {"ca": "-----BEGIN CERTIFICATE-----"}, "binaryData": {}}, kind="ConfigMap"),
        [],
    ),
    "a namespace": (
        "create-namespace",
        create("namespaces", {}, kind="Namespace", name="shop"),
        ["Medium, reaches shop: create Namespace shop"],
    ),
    "a namespace like one of the system": (
        "create-namespace",
        create("namespaces", {}, kind="Namespace", name="kube-tools", namespace="kube-tools"),
        ["High, reaches kube-tools: create Namespace kube-tools, named like one of the system"],
    ),
    "not the API server's own": (
        "create-namespace",
        create(
            "namespaces",
            {},
            kind="Namespace",
            name="kube-system",
            namespace="kube-system",
            user=User(name="system:apiserver", groups=("system:masters",)),
        ),
        [],
    ),
}
