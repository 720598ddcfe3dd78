"""The real API server sends each request to the very webhooks that the model of our rules and conditions says.

A condition that the API server evaluates otherwise than we think would let actions pass, or stop all of them.
"""

import base64
import http.server
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import orjson
import pytest
import trustme

from interlock.core import catalogue
from interlock.core.interception import rules
from interlock.core.interception.rules import Delivery
from interlock.core.types import JsonObject, Operation, Request, User
from tests.e2e.conftest import SYSTEM
from tests.support.api import Api
from tests.support.interception import sent_to
from tests.support.kubectl import Kubectl, eventually
from tests.support.policies import parsed

pytestmark = pytest.mark.cluster

NAME = "interlock-test-interception"
LEASE = "interlock-test-lease"
HOST = "127.0.0.1"
ALICE = ("alice", "system:masters")
NODE = ("system:node:node-9", "system:nodes", "system:masters")
NO_NODE = ("system:node:node-9", "system:masters")
COLLECTOR = ("system:serviceaccount:kube-system:generic-garbage-collector", "system:masters")
GUARD = (f"system:serviceaccount:{SYSTEM}:interlock-guard", "system:masters")


class Recorder:
    """An HTTPS server that allows everything and remembers by which path it was asked what."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, JsonObject]] = []
        self._authority = trustme.CA()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                review = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
                recorder.seen.append((self.path.strip("/").partition("?")[0], review["request"]))
                uid = review["request"]["uid"]
                answer = orjson.dumps(review | {"request": None, "response": {"uid": uid, "allowed": True}})
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(HOST).configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Serve for the length of a block."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def client_config(self, name: str) -> JsonObject:
        """How the API server reaches it for one webhook."""
        bundle = base64.b64encode(self._authority.cert_pem.bytes()).decode()
        return {"url": f"https://{HOST}:{self._server.server_port}/{name}", "caBundle": bundle}

    def paths(self, request: Request) -> set[str]:
        """By which webhooks this request has come."""
        return {path for path, review in self.seen if _is(review, request)}


def _is(review: JsonObject, request: Request) -> bool:
    """Whether a review is of this request; a generated name is not looked at."""
    resource = review["resource"]
    return (
        review["operation"],
        resource["group"],
        resource["resource"],
        review.get("subResource", ""),
        review.get("namespace", ""),
        review["userInfo"]["username"],
    ) == (
        request.operation.value,
        request.group,
        request.resource,
        request.subresource,
        request.namespace,
        request.user.name,
    )


def _webhooks(a: str, b: str) -> list[JsonObject]:
    """Of policies that use every form of narrowing."""
    everything = [{"groups": ["*"], "resources": ["*/*"]}]
    policies = [
        parsed("a", match={"actions": ["exec", "delete-secret"], "namespaces": {"names": [f"{a[:-2]}*{a[-1]}"]}}),
        parsed(
            "b",
            match={
                "actions": None,
                "operations": ["UPDATE"],
                "resources": [{"groups": ["apps"], "resources": ["*/scale"]}],
                "namespaces": {"names": [b, "nowhere*"]},
            },
        ),
        parsed("c", match={"namespaces": {"selector": {"matchLabels": {"env": "prod"}}, "names": [a]}}),
        parsed(
            "d",
            match={
                "actions": None,
                "operations": ["DELETE"],
                "resources": [{"groups": [""], "resources": ["configmaps"]}],
                "namespaces": {"names": ["kube-system"]},
            },
        ),
        parsed("e", match={"actions": ["delete-node", "delete-configmap"], "namespaces": {"names": [b]}}),
        parsed(
            "g",
            match={
                "actions": ["remove-finalizer", "remove-keeping-mark", "orphan-dependents", "change-managed-object"],
                "namespaces": {"names": [b]},
            },
        ),
        parsed("h", match={"actions": ["take-lease"], "namespaces": {"names": ["kube-system", b]}}),
        parsed("f", mode="Observe", match={"actions": None, "operations": ["CREATE"], "resources": everything}),
    ]
    delivery = Delivery(
        namespace=SYSTEM, service="interlock-guard", port=443, ca_bundle="", generation=1, path_secret="00" * 32
    )
    return rules.webhooks(policies, delivery)


@pytest.fixture
def places(kubectl: Kubectl) -> Iterator[tuple[str, str]]:
    """Two namespaces, each with a Secret, ConfigMaps and a Deployment, and a Lease in kube-system."""
    names = [f"intercept-{letter}-{secrets.token_hex(3)}" for letter in "ab"]
    for name in names:
        kubectl.must("create", "namespace", name)
        kubectl.must("create", "secret", "generic", "thing", "-n", name)
        kubectl.must("create", "configmap", "thing", "-n", name)
        kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", **_held(name)})
        kubectl.must("create", "deployment", "thing", "--image=none", "--replicas=0", "-n", name)
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "nobody"}}
    kubectl.apply(lease | {"metadata": {"name": LEASE, "namespace": "kube-system"}})
    yield names[0], names[1]
    kubectl.must("delete", "lease", LEASE, "-n", "kube-system")
    for name in names:
        kubectl.must("patch", "configmap", "held", "-n", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        kubectl.must("delete", "namespace", name, "--wait=false")


def _held(namespace: str, **changed: object) -> JsonObject:
    """The metadata of an object that is held by a finalizer and kept by a mark."""
    marks = {"annotations": {"helm.sh/resource-policy": "keep"}, "finalizers": ["example.org/held"]}
    return {"metadata": {"name": "held", "namespace": namespace, **marks, **changed}}


Case = tuple[tuple[str, ...], str, str, JsonObject | None, Request]


def _case(
    who: tuple[str, ...], method: str, group: str, path: str, namespace: str, name: str, body: JsonObject | None = None
) -> Case:
    """A raw call, and the request that admission makes of it."""
    resource, _, subresource = path.partition("/")
    connect = subresource == "exec"
    operation = {"POST": "CREATE", "PATCH": "UPDATE", "DELETE": "DELETE"}[method]
    root = f"/apis/{group}/v1" if group else "/api/v1"
    of_namespace = f"/namespaces/{namespace}" if namespace else ""
    one = f"/{name}" if name else ""
    below = f"/{subresource}" if subresource else ""
    query = "?command=id" if connect else "?dryRun=All"
    request = Request(
        uid="u",
        operation=Operation("CONNECT" if connect else operation),
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        kind="Any",
        name=name,
        namespace=name if resource == "namespaces" else namespace,
        user=User(name=who[0], groups=who[1:]),
    )
    return who, method, f"{root}{of_namespace}/{resource}{one}{below}{query}", body, request


def _change(namespace: str, patch: JsonObject, **changed: object) -> Case:
    """A change of what is held, with the objects that admission sees."""
    who, method, path, body, request = _case(ALICE, "PATCH", "", "configmaps", namespace, "held", {"metadata": patch})
    return who, method, path, body, replace(request, old_object=_held(namespace), object=_held(namespace, **changed))


def _orphaning(namespace: str, propagation: str) -> Case:
    """The deletion of an owner."""
    who, method, path, body, request = _case(ALICE, "DELETE", "apps", "deployments", namespace, "thing")
    options = {"propagationPolicy": propagation}
    return who, method, f"{path}&propagationPolicy={propagation}", body, replace(request, options=options)


def _cases(a: str, b: str) -> list[Case]:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    labels = {"metadata": {"labels": {"env": "prod"}}}
    replicas = {"spec": {"replicas": 0}}
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "none"}}
    access = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "new"}}
    return [
        *(_case(who, "DELETE", "", "secrets", a, "thing") for who in (ALICE, NODE, NO_NODE, COLLECTOR, GUARD)),
        *(_case(ALICE, "DELETE", "", resource, b, "thing") for resource in ("secrets", "configmaps")),
        _case(ALICE, "DELETE", "", "configmaps", a, "thing"),
        _case(ALICE, "POST", "", "pods/exec", a, "none"),
        _case(ALICE, "POST", "", "pods/exec", b, "none"),
        _case(ALICE, "DELETE", "", "configmaps", "kube-system", "extension-apiserver-authentication"),
        _case(ALICE, "POST", "", "configmaps", "kube-system", "", config_map),
        _case(ALICE, "PATCH", "apps", "deployments/scale", a, "thing", replicas),
        _case(ALICE, "PATCH", "apps", "deployments/scale", b, "thing", replicas),
        _case(ALICE, "PATCH", "apps", "deployments", b, "thing", labels),
        _case(ALICE, "DELETE", "", "namespaces", "", a),
        _case(ALICE, "DELETE", "", "namespaces", "", b),
        _case(ALICE, "PATCH", "", "namespaces", "", a, labels),
        _case(ALICE, "PATCH", "", "namespaces", "", b, labels),
        *(_case(who, "POST", "", "configmaps", a, "", config_map) for who in (ALICE, NODE, GUARD)),
        *(_case(who, "POST", "", "configmaps", SYSTEM, "", config_map) for who in (ALICE, GUARD)),
        _case(ALICE, "POST", "authentication.k8s.io", "tokenreviews", "", "", token),
        _case(ALICE, "POST", "authorization.k8s.io", "selfsubjectaccessreviews", "", "", access),
        _case(ALICE, "POST", "rbac.authorization.k8s.io", "clusterroles", "", "", role),
        _case(ALICE, "DELETE", "", "nodes", "", "node-1"),
        *(_change(home, {"finalizers": None}, finalizers=[]) for home in (a, b)),
        *(_change(home, {"annotations": {"helm.sh/resource-policy": "x"}}, annotations={}) for home in (a, b)),
        _change(b, {"labels": {"env": "prod"}}, labels={"env": "prod"}),
        _change(b, {"annotations": {"meta.helm.sh/release-name": "shop"}}, labels={}),
        *(_orphaning(b, propagation) for propagation in ("Orphan", "Background")),
        _case(ALICE, "DELETE", "coordination.k8s.io", "leases", "kube-system", LEASE),
        _case(ALICE, "DELETE", "coordination.k8s.io", "leases", b, "none"),
    ]


def test_conditions_mean_on_the_server_what_they_mean_here(kubectl: Kubectl, places: tuple[str, str]) -> None:
    """For requests of every shape the webhooks that are called are those of the model, and each outcome occurs."""
    webhooks, recorder = _webhooks(*places), Recorder()
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [
            webhook | {"clientConfig": recorder.client_config(webhook["name"].partition(".")[0])}
            for webhook in webhooks
        ],
    }
    with recorder.listening(), Api(kubectl.kubeconfig) as api:
        kubectl.apply(configuration)
        try:
            probe = _case(ALICE, "DELETE", "", "secrets", places[0], "thing")
            eventually(lambda: _called(api, recorder, probe), seconds=20, what="the configuration in force")
            called = {_title(case): _called(api, recorder, case) for case in _cases(*places)}
        finally:
            kubectl.must("delete", "validatingwebhookconfiguration", NAME)

    expected = {_title(case): sent_to(webhooks, case[4]) for case in _cases(*places)}
    assert called == expected
    assert {frozenset(paths) for paths in called.values()} == {
        frozenset(paths) for paths in ([], ["enforce"], ["observe"], ["system"])
    }


@pytest.mark.parametrize("count", [1, 24, 300])
def test_the_longest_conditions_are_read(kubectl: Kubectl, count: int) -> None:
    """The API server accepts what is made of one policy for everything, and of many that all speak of others."""
    ids = [entry.id for entry in catalogue.ENTRIES if entry.rules]
    matches: list[JsonObject] = [{"actions": ["*"]}] if count == 1 else []
    matches += [
        {"actions": ids[number % 60 : number % 60 + 30], "namespaces": {"names": [f"ns-{number}"]}}
        for number in range(count - len(matches))
    ]
    delivery = Delivery(
        namespace=SYSTEM, service="interlock-guard", port=443, ca_bundle="", generation=1, path_secret="00" * 32
    )
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": rules.webhooks([parsed(match=match) for match in matches], delivery),
    }
    document = orjson.dumps(configuration).decode()

    assert kubectl("create", "--dry-run=server", "-f", "-", stdin=document).err == ""


def _title(case: Case) -> str:
    who, method, path, body, _ = case
    return f"{method} {path} {body} by {who[0]}"


def _called(api: Api, recorder: Recorder, case: Case) -> set[str]:
    """Make the call and say by which webhooks it came."""
    who, method, path, body, request = case
    recorder.seen.clear()
    api.call(method, path, body, acting_as=who)
    return recorder.paths(request)
