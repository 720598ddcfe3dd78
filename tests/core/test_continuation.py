"""Deletions by Kubernetes itself that only go on with another one, and those that are the real thing under its name."""

import pytest

from interlock.core import systems
from interlock.core.review import request as requests
from interlock.core.systems import Parent, Reference
from interlock.core.types import JsonObject, NamespaceView, Request
from tests import vectors
from tests.support.identities import GOING_SINCE, MANAGER, NODE, by, meta, owned
from tests.support.policies import request

GOING = meta(deletionTimestamp=GOING_SINCE)
HERE = {"spec": {"nodeName": "n1"}}
TERMINATING = NamespaceView(name="shop", terminating=True)
ACTIVE = NamespaceView(name="shop")
COLLECTOR, EMPTIER = "generic-garbage-collector", "namespace-controller"

# What is asked, what reading showed, the namespace; the answer.
CONTINUES: dict[str, tuple[Request, bool, NamespaceView | None, str]] = {
    "kubelet, terminating pod of its node": (
        by(NODE, "DELETE", "pods", old=GOING | HERE),
        False,
        ACTIVE,
        "the kubelet completes the deletion of a pod of its node",
    ),
    "kubelet, terminating pod of another node": (
        by(NODE, "DELETE", "pods", old=GOING | {"spec": {"nodeName": "n2"}}),
        False,
        ACTIVE,
        "",
    ),
    "kubelet, living pod": (by(NODE, "DELETE", "pods", old=HERE), False, TERMINATING, ""),
    "collector, terminating object": (
        by(COLLECTOR, "DELETE", "jobs", group="batch", old=GOING),
        False,
        ACTIVE,
        "the garbage collector completes a deletion that has begun",
    ),
    "collector, owner going": (
        by(COLLECTOR, "DELETE", "pods", old=owned("ReplicaSet")),
        True,
        ACTIVE,
        "the garbage collector deletes what belongs to something that is going",
    ),
    "collector, owner there": (
        by(COLLECTOR, "DELETE", "pods", old=owned("ReplicaSet")),
        False,
        ACTIVE,
        "",
    ),
    "collector, owner not read": (by(COLLECTOR, "DELETE", "pods", old=owned("ReplicaSet")), False, ACTIVE, ""),
    "collector, no owner at all": (by(COLLECTOR, "DELETE", "pods"), True, ACTIVE, ""),
    "collector, in a terminating namespace": (
        by(COLLECTOR, "DELETE", "pods"),
        False,
        TERMINATING,
        "the garbage collector empties namespace shop, which is terminating",
    ),
    "namespace controller, terminating namespace": (
        by(EMPTIER, "DELETE", "pods"),
        False,
        TERMINATING,
        "the namespace controller empties namespace shop, which is terminating",
    ),
    "namespace controller, namespace read": (
        by(EMPTIER, "DELETE", "pods"),
        True,
        None,
        "the namespace controller deletes what belongs to something that is going",
    ),
    "namespace controller, living namespace": (by(EMPTIER, "DELETE", "pods"), False, ACTIVE, ""),
    "namespace controller, unknown namespace": (by(EMPTIER, "DELETE", "pods"), False, None, ""),
    "namespace controller, another namespace's view": (
        by(EMPTIER, "DELETE", "pods"),
        False,
        NamespaceView(name="other", terminating=True),
        "",
    ),
    "namespace controller, the namespace itself": (
        by(EMPTIER, "DELETE", "namespaces", name="shop"),
        True,
        TERMINATING,
        "",
    ),
    "namespace controller, something without a namespace": (
        by(EMPTIER, "DELETE", "persistentvolumes", namespace=""),
        True,
        None,
        "",
    ),
    "namespace controller, an update": (by(EMPTIER, "UPDATE", "pods", old=GOING), True, TERMINATING, ""),
    "controller manager, terminating namespace": (
        by(MANAGER, "DELETE", "pods"),
        False,
        TERMINATING,
        "the controller manager empties namespace shop, which is terminating",
    ),
    "controller manager, owner going": (
        by(MANAGER, "DELETE", "pods", old=owned("Job")),
        True,
        ACTIVE,
        "the controller manager deletes what belongs to something that is going",
    ),
    "another controller": (by("replicaset-controller", "DELETE", "pods", old=GOING), True, TERMINATING, ""),
    "a person": (request("DELETE", "pods", old=GOING), True, TERMINATING, ""),
}


@pytest.mark.parametrize(("review", "going", "namespace", "why"), CONTINUES.values(), ids=CONTINUES.keys())
def test_continuation(review: Request, namespace: NamespaceView | None, why: str, *, going: bool) -> None:
    """Only what is really going lets a deletion pass as one that goes on; a name never does."""
    assert systems.continuation(review, namespace, parent_going=going) == why


OWNER = Reference(api_version="apps/v1", kind="ReplicaSet", namespace="shop", name="owner", uid="u1")
HOME = Reference(api_version="v1", kind="Namespace", namespace="", name="shop")
CROWD = {"metadata": {"ownerReferences": [{"kind": "Job", "name": f"j{number}"} for number in range(9)]}}

PARENTS: dict[str, tuple[Request, Parent | None]] = {
    "the collector needs the owners": (
        by(COLLECTOR, "DELETE", "pods", old=owned("ReplicaSet")),
        Parent(references=(OWNER,)),
    ),
    "the namespace controller needs the namespace": (
        by(EMPTIER, "DELETE", "pods", old=owned("ReplicaSet")),
        Parent(references=(HOME,)),
    ),
    "the controller manager needs the owners, if there are any": (
        by(MANAGER, "DELETE", "pods", old=owned("ReplicaSet")),
        Parent(references=(OWNER,)),
    ),
    "the controller manager needs the namespace else": (by(MANAGER, "DELETE", "pods"), Parent(references=(HOME,))),
    "without owners there is nothing to read": (by(COLLECTOR, "DELETE", "pods"), None),
    "more owners than anybody has are not read": (by(COLLECTOR, "DELETE", "pods", old=CROWD), None),
    "the namespace itself follows nothing": (by(EMPTIER, "DELETE", "namespaces", name="shop"), None),
    "an update follows nothing": (by(COLLECTOR, "UPDATE", "pods", old=owned("ReplicaSet")), None),
    "a person's deletion follows nothing": (request("DELETE", "pods", old=owned("ReplicaSet")), None),
}


@pytest.mark.parametrize(("review", "parent"), PARENTS.values(), ids=PARENTS.keys())
def test_needs_parent(review: Request, parent: Parent | None) -> None:
    """Just what could show that a deletion goes on with another is asked for."""
    assert systems.needs_parent(review) == parent


GOES: dict[str, tuple[JsonObject | None, bool]] = {
    "gone": (None, True),
    "terminating": (meta(uid="u1", deletionTimestamp=GOING_SINCE), True),
    "replaced by another of its name": (meta(uid="u2"), True),
    "there": (meta(uid="u1"), False),
}


@pytest.mark.parametrize(("stands_there", "going"), GOES.values(), ids=GOES.keys())
def test_is_going(stands_there: JsonObject | None, *, going: bool) -> None:
    """A parent is going if it is gone, terminating, or another by now."""
    assert systems.is_going(OWNER, stands_there) == going


def test_a_namespace_is_known_by_name() -> None:
    """A namespace is looked up without a uid, so one that stands there is not taken for another."""
    assert not systems.is_going(HOME, meta(uid="u9"))


RECORDED = {
    "delete-pod-kubelet-1": "the kubelet completes the deletion of a pod of its node",
    "delete-pod-kubelet-2": "the kubelet completes the deletion of a pod of its node",
    "namespace-controller-delete": "the namespace controller empties namespace prod-old, which is terminating",
    "delete-namespace-as-namespace-controller": "",
    "garbage-collector-delete": "",
    "delete-pod": "",
}


@pytest.mark.parametrize(("name", "why"), RECORDED.items(), ids=RECORDED.keys())
def test_recorded(name: str, why: str) -> None:
    """Real reviews of controllers and kubelets are told as what they are, from the review and the snapshot alone."""
    review = requests.parse(vectors.read(name))
    view = NamespaceView(name=review.namespace, terminating=review.namespace == "prod-old")

    assert systems.continuation(review, view) == why


def test_recorded_dependent_needs_its_owner() -> None:
    """A dependent that the collector deletes names the owner that has to be looked at."""
    review = requests.parse(vectors.read("garbage-collector-delete"))

    parent = systems.needs_parent(review)

    assert parent is not None
    assert [str(reference) for reference in parent.references] == ["Deployment web"]
    assert systems.continuation(review, None, parent_going=True) != ""
