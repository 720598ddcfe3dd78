"""Handing an object to the garbage collector: an update that gives it a new owner is judged as its deletion, too."""

from datetime import UTC, datetime

import pytest

from interlock.core import catalogue, snapshot, systems
from interlock.core.decide import decide
from interlock.core.policies.policy import Policy
from interlock.core.systems import Reference
from interlock.core.types import Decision, JsonObject, Request, User, Verdict
from tests.support.identities import by
from tests.support.policies import ALICE, find, parsed, request

NOW = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "u1"}
ANOTHER = OWNER | {"name": "other", "uid": "u2"}
REPLICAS = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u3", "controller": True}
PLAIN = {"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["secrets"]}]}


def owned(*owners: JsonObject, **more: object) -> JsonObject:
    """An object with these owners."""
    return {"metadata": {"ownerReferences": list(owners)}} | more


def updated(old: JsonObject, new: JsonObject, *, path: str = "secrets", user: User = ALICE) -> Request:
    """An update of an object."""
    return request("UPDATE", path, old=old, new=new, user=user)


HANDED = updated(owned(), owned(OWNER))


def decided(stored: Policy, review: Request) -> Decision:
    """What the policy decides on a review, and on what it can become."""
    seen = snapshot.build(policies=[stored], namespaces=[])
    return decide(review, find(review), seen, NOW, handed=catalogue.handed(review, seen))


@pytest.mark.parametrize(
    ("match", "finding"),
    [
        ({"actions": ["delete-secret"]}, "delete-secret"),
        ({"actions": ["destruction"]}, "delete-secret"),
        (PLAIN, "delete"),
        (PLAIN | {"namespaces": {"names": ["shop"]}}, "delete"),
    ],
)
def test_judged_as_a_deletion(match: JsonObject, finding: str) -> None:
    """A policy about deleting the object denies giving it a new owner, and says what would come of that."""
    decision = decided(parsed("guard", match=match), HANDED)

    assert [(outcome.finding, outcome.yields) for outcome in decision.outcomes] == [(finding, Verdict.DENY)]
    assert "by the garbage collector, as soon as its new owner is gone: ConfigMap nobody" in " ".join(
        found.evidence for found in decision.findings
    )


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(updated(owned(OWNER), owned(OWNER)), id="it had this owner"),
        pytest.param(updated(owned(OWNER, ANOTHER), owned(OWNER)), id="an owner goes"),
        pytest.param(updated(owned(OWNER), owned(OWNER | {"blockOwnerDeletion": True})), id="only a flag changes"),
        pytest.param(request("CREATE", "secrets", new=owned(OWNER)), id="it is created with an owner"),
        pytest.param(updated(owned(), owned(OWNER), path="configmaps"), id="it is of another kind"),
        pytest.param(updated(owned(), owned("x")), id="what is added is no owner"),  # type: ignore[arg-type]
    ],
)
def test_no_deletion(review: Request) -> None:
    """Everything else about owners is no deletion."""
    assert decided(parsed("guard", match=PLAIN), review).outcomes == ()


def test_status_writes_count() -> None:
    """An owner can be given through a subresource that carries the object."""
    decision = decided(parsed("guard", match=PLAIN), updated(owned(), owned(OWNER), path="secrets/status"))

    assert decision.verdict is Verdict.DENY


def test_who_may_delete_may_hand_over() -> None:
    """The policy's own exclusions hold, and are recorded as those of the deletion."""
    policy = parsed("guard", match=PLAIN, exclude=[{"subjects": {"users": ["alice"]}}])

    assert [outcome.excluded_by for outcome in decided(policy, HANDED).outcomes] == ["spec.exclude[0]"]


def test_one_outcome_of_each_policy() -> None:
    """A policy about both update and deletion speaks once, as strictly as it can."""
    both = PLAIN | {"operations": ["UPDATE", "DELETE"]}
    decision = decided(parsed("guard", match=both), HANDED)

    assert [outcome.yields for outcome in decision.outcomes] == [Verdict.DENY]


POD = {"spec": {"nodeName": "n1"}}


@pytest.mark.parametrize(
    ("review", "references"),
    [
        pytest.param(
            by("replicaset-controller", "UPDATE", "pods", old=owned(**POD), new=owned(REPLICAS, **POD)),
            [Reference(api_version="apps/v1", kind="ReplicaSet", namespace="shop", name="web", uid="u3")],
            id="a controller takes a pod in",
        ),
        pytest.param(
            by("replicaset-controller", "UPDATE", "secrets", old=owned(), new=owned(REPLICAS)),
            None,
            id="a controller takes in what is not its kind",
        ),
        pytest.param(
            request("UPDATE", "pods", old=owned(**POD), new=owned(REPLICAS, **POD)), None, id="a person does it"
        ),
        pytest.param(
            by(
                "replicaset-controller",
                "UPDATE",
                "pods",
                old=owned(**POD),
                new=owned(*[REPLICAS | {"uid": f"u{n}"} for n in range(9)], **POD),
            ),
            None,
            id="more owners than are read",
        ),
        pytest.param(
            by("replicaset-controller", "DELETE", "pods", old=owned(REPLICAS, **POD)), None, id="it is no update"
        ),
    ],
)
def test_adopted(review: Request, references: list[Reference] | None) -> None:
    """What a controller takes in, as it ordinarily does, is told by the owners that have to be read."""
    found = systems.adopted(review)

    assert (list(found.references) if found else None) == references


@pytest.mark.parametrize(
    ("found", "staying"),
    [
        (None, False),
        ({"metadata": {"uid": "u3"}}, True),
        ({"metadata": {"uid": "another"}}, False),
        ({"metadata": {"uid": "u3", "deletionTimestamp": "2026-11-25T02:00:00Z"}}, False),
    ],
    ids=["not there", "there", "another one of its name", "going"],
)
def test_staying(found: JsonObject | None, *, staying: bool) -> None:
    """Only an owner that is there, is the one named and is not going makes it no deletion."""
    reference = Reference(api_version="apps/v1", kind="ReplicaSet", namespace="shop", name="web", uid="u3")

    assert systems.is_staying(reference, found) is staying
