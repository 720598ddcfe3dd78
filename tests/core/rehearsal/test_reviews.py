"""Reviews that are made, held against those that a real API server sent."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from interlock.core import catalogue, snapshot
from interlock.core.rehearsal import acting, reviews, sentence
from interlock.core.rehearsal.objects import Objects
from interlock.core.review import request
from interlock.core.types import Finding, JsonObject, Operation, Request
from interlock.errors import BadInput
from tests import vectors

AS_RECORDED = {
    "delete-namespace": "delete namespaces/prod-old",
    "delete-namespace-dry-run": "delete namespace/prod-shop --dry-run",
    "delete-deployment-orphan": "delete deployments.apps/orphaning -n prod-shop --cascade=orphan",
    "delete-claim-bound": "delete persistentvolumeclaims/data-db-0 -n prod-shop",
    "delete-crd": "delete customresourcedefinitions/widgets.example.org",
    "delete-httproute": "delete httproutes.gateway.networking.k8s.io/shop -n prod-shop",
    "delete-ingress": "delete ingress/shop -n prod-shop",
    "delete-pod-forced-1": "delete pods/forced -n prod-shop --force",
    "delete-collection-pod": "deletecollection pods/one-of-many -n prod-shop",
    "exec-interactive": "exec pods/web-0 -n prod-shop -i -c app -- true",
    "attach-get": "attach pods/web-0 -n prod-shop -c app",
    "port-forward-spdy": "port-forward pods/web-0 -n prod-shop 5432",
    "node-proxy": "proxy nodes/node-1",
    "service-proxy": "proxy services/shop -n prod-shop",
    "scale-to-zero": "scale deployments.apps/shop -n prod-shop --replicas 0",
    "evict-pod": "evict pods/evicted -n prod-shop --grace-period=0",
    "debug-container": "debug pods/web-1 -n prod-shop --image busybox -c debugger-vcdgh --target app",
    "label-namespace": "label namespaces/prod-new env=prod",
    "remove-finalizer": """patch configmaps/held -n prod-shop -p '{"metadata": {"finalizers": null}}'""",
}


def around(name: str) -> tuple[Request, Objects]:
    """What was recorded, and the objects that it happened to."""
    real = request.parse(vectors.read(name))
    old = real.old_object or {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": real.name, "namespace": "prod-shop"},
    }
    if old["kind"] == "Scale":
        old = old | {"kind": "Deployment", "apiVersion": "apps/v1"}
    return real, Objects((old,))


def found(review: Request) -> tuple[Finding, ...]:
    """What the catalogue finds."""
    return catalogue.find(review, snapshot.build())


@pytest.mark.parametrize(("name", "line"), AS_RECORDED.items(), ids=AS_RECORDED.keys())
def test_as_recorded(name: str, line: str) -> None:
    """A review that is made of a line is that of the API server, but for bookkeeping, and the same is found in it."""
    real, objects = around(name)

    made = request.parse(acting.of_sentence(sentence.read(f"{line} as alice"), objects, _no_file))

    blank: dict[str, Any] = {"uid": "", "user": made.user, "object": None, "old_object": None, "options": None}
    assert replace(made, **blank) == replace(real, **blank)
    assert found(made) == found(real)


def _no_file(name: str) -> JsonObject:
    raise AssertionError(name)


WEB: JsonObject = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}
OTHER: JsonObject = {
    "apiVersion": "example.org/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
}


def test_apply_of_what_is_not_there_creates() -> None:
    """A manifest of an object that is not described is a CREATE of it."""
    line = sentence.read("apply -f web.yaml as alice")

    made = request.parse(acting.of_sentence(line, Objects(), lambda _: WEB))

    assert (made.operation, made.resource, made.name, made.object) == (Operation.CREATE, "deployments", "web", WEB)


def test_apply_of_what_is_there_updates() -> None:
    """A manifest of an object that is described is an UPDATE that keeps what the manifest leaves out."""
    stored = WEB | {"spec": {"replicas": 2, "paused": True}}
    line = sentence.read("apply -f web.yaml as alice")

    made = request.parse(acting.of_sentence(line, Objects((stored,)), lambda _: WEB | {"spec": {"replicas": 0}}))

    assert (made.operation, made.old_object, made.object) == (
        Operation.UPDATE,
        stored,
        WEB | {"spec": {"replicas": 0, "paused": True}},
    )


NOWHERE: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "nowhere"}}

REFUSED = {
    "delete pods/web -n shop": "objects: got no pods web in shop, expected the object, since the review shows it",
    "delete deployments/web -n shop": "objects: got several deployments web in shop: deployments.apps, "
    "deployments.example.org, expected the group with the resource, such as deployments.apps",
    "delete deployments.apps/web -n shop --cascade=all": "request: got --cascade all, "
    "expected one of background, foreground, orphan",
    "evict deployments.apps/web -n shop": "request: got evict deployments.apps, expected evict pods/NAME",
    "exec services/web -- sh": "request: got exec services, expected pods/NAME",
    "proxy deployments/web": "request: got proxy deployments, expected pods/NAME or services/NAME or nodes/NAME",
    "exec pods/web": "request: got exec without a command, expected -- COMMAND before as USER",
    "label deployments.apps/web -n shop": "request: got label and nothing to set, expected KEY=VALUE or KEY-",
    "label deployments.apps/web -n shop env": "request: got env, expected KEY=VALUE or KEY-",
    "patch deployments.apps/web -n shop": "request: got no patch, expected -p with a JSON merge patch, an object",
    "patch deployments.apps/web -n shop -p []": "request: got [], expected -p with a JSON merge patch, an object",
    "scale deployments.apps/web -n shop": "request: got scale without --replicas, expected --replicas NUMBER",
    "delete pods/nowhere": "namespace: got nothing, expected the namespace of pods nowhere",
    "port-forward pods/web http": "request: got a port http, expected a port from 0 to 2147483647",
}


@pytest.mark.parametrize(("line", "says"), REFUSED.items(), ids=REFUSED.keys())
def test_refused_is(line: str, says: str) -> None:
    """What cannot be made a review of is refused, saying what is missing."""
    with pytest.raises(BadInput) as caught:
        acting.of_sentence(sentence.read(f"{line} as alice"), Objects((WEB, OTHER, NOWHERE)), _no_file)

    assert str(caught.value) == says


def test_custom_kinds_are_called_as_they_are_defined() -> None:
    """A CustomResourceDefinition among the objects says what its kind is called; without one it is guessed."""
    goose: JsonObject = {"apiVersion": "farm.example/v1", "kind": "Goose", "metadata": {"name": "g"}}
    names = {"kind": "Goose", "plural": "geese"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "geese.farm.example"},
        "spec": {"group": "farm.example", "names": names},
    }

    assert str(Objects((goose, definition)).resource_of(goose)) == "geese.farm.example"
    assert str(Objects((goose,)).resource_of(goose)) == "gooses.farm.example"


def test_bytes_are_an_admission_review() -> None:
    """What is made has the envelope that every reader of reviews expects."""
    made = orjson.loads(acting.of_sentence(sentence.read("proxy nodes/n as alice"), Objects(), _no_file))

    assert (made["apiVersion"], made["kind"], made["request"]["uid"]) == (
        "admission.k8s.io/v1",
        "AdmissionReview",
        reviews.UID,
    )
