"""Records on a real API server: created by guards, removed by controllers, changed by nobody, whatever RBAC says."""

import os

import orjson
import pytest

from interlock.core.types import JsonObject
from tests.chart.callers import ADMINISTRATOR, BREAK_GLASS, CONTROLLER, GUARD, NAMESPACES, Caller
from tests.chart.guarded import DRY_RUN, KEYS, RECORDS, Guarded, furnished, refused
from tests.chart.helm import Helm
from tests.support.api import Api
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

NEXT_RECORDS = "interlock-lane-0123456789abcdef-0000000002"
CHECKPOINT = "interlock-checkpoint-000000000002"
OUTSIDERS = [ADMINISTRATOR, BREAK_GLASS, NAMESPACES]


@pytest.mark.parametrize("who", OUTSIDERS, ids=str)
@pytest.mark.parametrize("what", [NEXT_RECORDS, CHECKPOINT])
def test_created_by_interlock_only(what: str, who: Caller, guarded: Guarded) -> None:
    """Nobody else can add a commit to any lane, or a checkpoint."""
    assert refused(guarded.makes(who, f"configmap/{what}"), "written by its guards only, and checkpoints by its")


@pytest.mark.parametrize("who", [GUARD, CONTROLLER], ids=str)
def test_lanes_are_written_by_guards_and_ended_by_controllers(who: Caller, guarded: Guarded) -> None:
    """Both can."""
    assert guarded.makes(who, f"configmap/{NEXT_RECORDS}", DRY_RUN).ok


def test_checkpoints_are_written_by_controllers(guarded: Guarded) -> None:
    """A controller can, and a guard cannot."""
    assert guarded.makes(CONTROLLER, f"configmap/{CHECKPOINT}", DRY_RUN).ok
    assert refused(guarded.makes(GUARD, f"configmap/{CHECKPOINT}"), "checkpoints by its controller")


def test_generated_name_is_no_way_around(guarded: Guarded) -> None:
    """The name that counts is the one that the object gets."""
    nameless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "interlock-lane-"}}

    assert refused(guarded.creates(ADMINISTRATOR, nameless), "written by its guards only")


@pytest.mark.parametrize("who", [GUARD, *OUTSIDERS], ids=str)
@pytest.mark.parametrize("verb", [("label", "a=b"), ("annotate", "a=b"), ("delete",)], ids=lambda verb: verb[0])
def test_changed_by_nobody(verb: tuple[str, ...], who: Caller, guarded: Guarded) -> None:
    """Labels decide what a record is, so they are as protected as its content and its existence."""
    attempt = guarded.by(who, verb[0], "configmap", RECORDS, *verb[1:])

    assert refused(attempt, "never changed, and removed by its controller only")


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"r": ""}},
        {"binaryData": {"r": ""}},
        {"immutable": True},
        {"metadata": {"finalizers": ["example.com/kept"]}},
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}},
    ],
    ids=lambda change: next(iter(change.get("metadata", change))),
)
def test_no_part_is_open_to_change(change: JsonObject, guarded: Guarded) -> None:
    """Content, and what would have Kubernetes keep or delete it, are as protected."""
    patch = orjson.dumps(change).decode()

    attempt = guarded.by(ADMINISTRATOR, "patch", "configmap", RECORDS, "--type=merge", "--patch", patch)

    assert refused(attempt, "never changed, and removed by its controller only")


@pytest.mark.parametrize("what", [f"configmap/{RECORDS}", *KEYS])
def test_can_be_encrypted_anew(what: str, guarded: Guarded) -> None:
    """Replacing every object by itself is how a cluster moves to a new encryption key; it changes nothing here."""
    stored = guarded.by(ADMINISTRATOR, "get", what, "-o", "json").out

    replaced = guarded.by(ADMINISTRATOR, "replace", "-f", "-", stdin=stored)

    assert replaced.ok, replaced.err


def test_do_not_go_with_a_collection(guarded: Guarded) -> None:
    """Deleting all ConfigMaps at once is refused like deleting one."""
    path = f"/api/v1/namespaces/{guarded.name}/configmaps?fieldSelector=metadata.name%3D{RECORDS}"
    with Api(guarded.kubectl.kubeconfig) as api:
        code, status = api.call("DELETE", path)

    assert (code, status["reason"]) == (403, "Forbidden")


def test_removed_by_the_controller(guarded: Guarded) -> None:
    """What was shipped can retire."""
    assert guarded.by(CONTROLLER, "delete", "configmap", RECORDS, DRY_RUN).ok


@pytest.mark.parametrize("what", ["configmap/settings", "secret/settings", "secret/interlock-lane-x"])
def test_other_objects_are_nobodys_business(what: str, guarded: Guarded) -> None:
    """The policies speak of Interlock's own names only."""
    assert guarded.makes(ADMINISTRATOR, what, DRY_RUN).ok


def test_other_namespaces_are_nobodys_business(guarded: Guarded) -> None:
    """The same name elsewhere holds no records."""
    assert guarded.kubectl("create", "configmap", RECORDS, "--namespace", "default", DRY_RUN).ok


def test_namespace_with_records_and_keys_can_be_deleted(kubectl: Kubectl, helm: Helm) -> None:
    """What nobody may delete alone goes with its namespace: the policies never wedge it."""
    with furnished(kubectl, helm, f"chart-test-leaving-{os.getpid()}") as namespace:
        kubectl.must("delete", "namespace", namespace.name, "--timeout=45s")
