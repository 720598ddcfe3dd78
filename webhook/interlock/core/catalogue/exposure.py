"""Family `exposure`: services, traffic and credentials that get where they should not."""

import re
from collections.abc import Iterator, Mapping

from interlock.core import text, unstructured
from interlock.core.catalogue import podspec, target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import connects, creates, updates, writes
from interlock.core.systems import identity_of, ordinary_work
from interlock.core.types import JsonObject, Operation, Request, Severity

FAMILY = "exposure"
SYSTEM_PREFIXES = ("kube-", "openshift-", "interlock-")
SNIPPETS = ("-snippet", "/server-snippets", "/configuration-snippets")

TOKEN_SHAPES: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"AKIA[0-9A-Z]{16}"),
    "a GitHub token": re.compile(r"gh[pousr]_[0-9A-Za-z]{36}"),
    "a GitHub fine-grained token": re.compile(r"github_pat_[0-9A-Za-z_]{60}"),
    "a GitLab token": re.compile(r"glpat-[0-9A-Za-z_-]{20}"),
    "a Slack token": re.compile(r"xox[abprs]-[0-9A-Za-z-]{10}"),
    "a Google API key": re.compile(r"AIza[0-9A-Za-z_-]{35}"),
    "a Stripe key": re.compile(r"sk_live_[0-9A-Za-z]{16}"),
    "a JSON Web Token": re.compile(r"eyJ[0-9A-Za-z_-]{10,2048}\.eyJ[0-9A-Za-z_-]{10}"),
}
"""Credentials that can be told by their shape alone. Each begins with fixed text, so that a MiB is searched fast."""


def _service(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.subresource == "status":
        by_hand = identity_of(request.user) is None and not request.user.service_account
        if by_hand and _ingress(request.object) != _ingress(request.old_object):
            yield Seen(f"write the address of {target.titled(request)} by hand", target.reach(request), Severity.HIGH)
        return
    was, kind = (unstructured.text(state, "spec", "type") for state in request.states)
    if kind in {"NodePort", "LoadBalancer"} and kind != was:
        yield Seen(f"expose {target.titled(request)} as {kind}", target.reach(request))
    addresses, known = (
        unstructured.texts(state, "spec", "externalIPs") for state in (request.object, request.old_object)
    )
    if new := [each for each in addresses if each not in known]:
        yield Seen(
            f"let {target.titled(request)} take traffic of {text.listed(new)}", target.reach(request), Severity.HIGH
        )


def _ingress(state: JsonObject | None) -> list[object]:
    return unstructured.items(state, "status", "loadBalancer", "ingress")


def _route(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    annotations, known = (
        unstructured.mapping(state, "metadata", "annotations") for state in (request.object, request.old_object)
    )
    snippets = [key for key in annotations if key.endswith(SNIPPETS) and annotations[key] != known.get(key)]
    if snippets:
        yield Seen(
            f"{podspec.written(request)} with configuration of its own: {text.listed(snippets)}",
            target.reach(request),
            Severity.HIGH,
        )
    if _open(request.object) and not (request.old_object and _open(request.old_object)):
        yield Seen(f"{podspec.written(request)} without TLS", target.reach(request))


def _open(state: JsonObject | None) -> bool:
    return bool(unstructured.items(state, "spec", "rules")) and not unstructured.items(state, "spec", "tls")


def _traffic(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.resource == "services":
        before, after = (unstructured.mapping(state, "spec", "selector") for state in request.states)
        if before and before != after:
            what = "other pods" if after else "no pods"
            yield Seen(f"point {target.titled(request)} at {what}", target.reach(request), Severity.MEDIUM)
    elif request.resource == "referencegrants":
        listed = unstructured.items(request.object, "spec", "from")
        homes = dict.fromkeys(text.printable(unstructured.text(each, "namespace")) for each in listed)
        yield Seen(
            f"{podspec.written(request)}: routes of {text.listed(list(homes))} may come in", target.reach(request)
        )
    elif not ordinary_work(request) and _addresses(request.object) != _addresses(request.old_object):
        yield Seen(f"{podspec.written(request)} by hand: where traffic goes", target.reach(request))


def _addresses(state: JsonObject | None) -> tuple[object, ...]:
    return tuple(unstructured.items(state, field) for field in ("subsets", "endpoints", "ports"))


def _credential(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    known = set(_shapes(request, request.old_object))
    if new := [each for each in dict.fromkeys(_shapes(request, request.object)) if each not in known]:
        yield Seen(f"put {text.listed(new)} of {target.titled(request)}", target.reach(request))


def _shapes(request: Request, state: JsonObject | None) -> Iterator[str]:
    """What looks like a credential, and where, never what it is."""
    for place, value in _texts(request, state):
        for what, shape in TOKEN_SHAPES.items():
            if shape.search(value):
                yield f"{what} into {place}"


def _texts(request: Request, state: JsonObject | None) -> Iterator[tuple[str, str]]:
    if request.operation is Operation.CONNECT:
        yield from (("the command line", word) for word in unstructured.texts(state, "command"))
    elif request.resource == "configmaps":
        for key, value in unstructured.mapping(state, "data").items():
            if isinstance(value, str):
                yield f"key {text.printable(key)}", value
    else:
        for container in podspec.containers(podspec.spec(request, state)):
            yield from _environment(container)


def _environment(container: JsonObject) -> Iterator[tuple[str, str]]:
    for variable in unstructured.items(container, "env"):
        name, value = (unstructured.text(variable, key) for key in ("name", "value"))
        yield f"variable {text.printable(name)} of {podspec.named(container)}", value
    for word in (*unstructured.texts(container, "command"), *unstructured.texts(container, "args")):
        yield f"the command line of {podspec.named(container)}", word


def _namespace(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if not ordinary_work(request):
        system = request.name.startswith(SYSTEM_PREFIXES)
        more = ", named like one of the system" if system else ""
        yield Seen(f"create {target.titled(request)}{more}", target.reach(request), Severity.HIGH if system else None)


EXPOSURE = (
    Entry(
        id="expose-service",
        family=FAMILY,
        title="Expose a Service outside the cluster, or let it take traffic of other addresses",
        severity=Severity.MEDIUM,
        raised="High for externalIPs and for a load balancer's address that is written by hand (CVE-2020-8554).",
        rules=(writes("", "services"), updates("", "services/status")),
        misses="Whether a firewall stands before it.",
        example="kubectl expose deployment db --type=LoadBalancer --port=5432 -n prod-shop",
        references=("T1133", "T1557"),
        detect=_service,
    ),
    Entry(
        id="expose-route",
        family=FAMILY,
        title="Route traffic in by an Ingress without TLS, or with configuration of its own",
        severity=Severity.MEDIUM,
        raised="High for snippets, which the ingress controller takes into its configuration.",
        rules=(writes("networking.k8s.io", "ingresses"),),
        misses="TLS that ends before the cluster; routes of other kinds.",
        example="kubectl create ingress shop --rule='shop.example.org/*=shop:80' -n prod-shop",
        references=("T1190",),
        detect=_route,
    ),
    Entry(
        id="redirect-traffic",
        family=FAMILY,
        title="Write Endpoints by hand, point a Service at other pods, or let routes of other namespaces in",
        severity=Severity.HIGH,
        raised="Medium for the selector of a Service.",
        rules=(
            writes("", "endpoints"),
            writes("discovery.k8s.io", "endpointslices"),
            writes("gateway.networking.k8s.io", "referencegrants"),
            updates("", "services"),
        ),
        misses="What answers at the new address.",
        example='kubectl patch service shop -n prod-shop -p \'{"spec":{"selector":{"app":"other"}}}\'',
        references=("T1557",),
        goes_round=("delete-service",),
        detect=_traffic,
    ),
    Entry(
        id="leak-credential",
        family=FAMILY,
        title="Write something with the shape of a credential into a ConfigMap, a variable or a command line",
        severity=Severity.HIGH,
        rules=(writes("", "configmaps"), *podspec.WRITES, *connects("pods/exec")),
        misses="Credentials without a shape of their own, such as passwords; Secrets, which are meant for them.",
        example="kubectl create configmap settings --from-file=id_rsa -n prod-shop",
        references=("T1552.001", "T1552.007"),
        detect=_credential,
    ),
    Entry(
        id="create-namespace",
        family=FAMILY,
        title="Create a namespace",
        severity=Severity.MEDIUM,
        raised="High where it is named like one of the system.",
        rules=(creates("", "namespaces"),),
        misses="Whether it was meant to be: exclude the names that are.",
        example="kubectl create namespace kube-tools",
        references=("T1036.005",),
        detect=_namespace,
    ),
)
