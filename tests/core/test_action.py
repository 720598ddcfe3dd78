"""Which requests are the same action, which denials repeat each other, which deletions are one collection."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from interlock.core.review import action
from interlock.core.types import (
    CREDENTIAL_ID,
    Decision,
    Durability,
    Mode,
    Operation,
    PolicyOutcome,
    Request,
    Severity,
    User,
    Verdict,
)

DELETE = Request(
    uid="review-1",
    operation=Operation.DELETE,
    group="",
    version="v1",
    resource="configmaps",
    subresource="",
    kind="ConfigMap",
    name="a",
    namespace="shop",
    user=User(name="ada", uid="u1", extra={CREDENTIAL_ID: ("token-1",)}),
    old_object={"metadata": {"name": "a", "uid": "o1", "resourceVersion": "7"}},
    options={"propagationPolicy": "Background"},
)
EXEC = replace(
    DELETE,
    operation=Operation.CONNECT,
    resource="pods",
    subresource="exec",
    old_object=None,
    object={"command": ["sh"]},
    options=None,
)
UPDATE = replace(
    DELETE,
    operation=Operation.UPDATE,
    old_object={"metadata": {"uid": "o1", "resourceVersion": "7", "labels": {"a": "1"}}, "data": {"k": "old"}},
    object={"metadata": {"uid": "o1", "resourceVersion": "8", "labels": {"a": "1"}}, "data": {"k": "new"}},
    options={},
)
MEMBER = replace(DELETE, in_collection=True)

OTHER = {
    "user name": (DELETE, replace(DELETE, user=replace(DELETE.user, name="bob"))),
    "user uid": (DELETE, replace(DELETE, user=replace(DELETE.user, uid="u2"))),
    "credential": (DELETE, replace(DELETE, user=replace(DELETE.user, extra={CREDENTIAL_ID: ("token-2",)}))),
    "resource": (DELETE, replace(DELETE, resource="secrets")),
    "options": (DELETE, replace(DELETE, options={"propagationPolicy": "Orphan"})),
    "command": (EXEC, replace(EXEC, object={"command": ["rm"]})),
    "new value": (UPDATE, replace(UPDATE, object={**(UPDATE.object or {}), "data": {"k": "newer"}})),
    "field removed": (UPDATE, replace(UPDATE, object={**(UPDATE.object or {}), "data": {}})),
}
SAME = {
    "another review": (DELETE, replace(DELETE, uid="review-2")),
    "dry run": (DELETE, replace(DELETE, options={"propagationPolicy": "Background", "dryRun": ["All"]})),
    "written meanwhile": (
        UPDATE,
        replace(
            UPDATE,
            old_object={"metadata": {"uid": "o1", "resourceVersion": "9", "labels": {"a": "1"}}, "data": {"k": "old"}},
        ),
    ),
}
ON_ANOTHER_OBJECT = {
    "deleted": (DELETE, replace(DELETE, name="b", old_object={"metadata": {"uid": "o2"}})),
    "deleted and made again": (DELETE, replace(DELETE, old_object={"metadata": {"name": "a", "uid": "o2"}})),
    "exec": (EXEC, replace(EXEC, name="b")),
    "in another namespace": (DELETE, replace(DELETE, namespace="bank")),
}


def denied(policy: str = "p1", generation: int = 1, finding: str = "delete") -> Decision:
    """A denial by one policy."""
    outcome = PolicyOutcome(
        policy=policy,
        uid=policy,
        generation=generation,
        digest="",
        mode=Mode.ENFORCE,
        severity=Severity.HIGH,
        finding=finding,
        yields=Verdict.DENY,
    )
    return Decision(
        verdict=Verdict.DENY,
        severity=Severity.HIGH,
        findings=(),
        outcomes=(outcome,),
        recorded=True,
        durability=Durability.BLOCKING,
    )


def series(request: Request) -> str:
    """The series of a request that one policy denies."""
    return action.series_key(request, denied())


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER.keys())
@pytest.mark.parametrize("key", [action.key, series], ids=["action", "series"])
def test_different(key: Callable[[Request], str], one: Request, other: Request) -> None:
    """Who asks, with what credential, for what and how: each makes another action and another series."""
    assert key(one) != key(other)


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
@pytest.mark.parametrize("key", [action.key, series], ids=["action", "series"])
def test_same(key: Callable[[Request], str], one: Request, other: Request) -> None:
    """A request asked again, and what the API server writes by itself, make no difference."""
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), ON_ANOTHER_OBJECT.values(), ids=ON_ANOTHER_OBJECT.keys())
def test_another_object(one: Request, other: Request) -> None:
    """Another object is another action, but the same series."""
    assert (action.key(one) == action.key(other), series(one) == series(other)) == (False, True)


@pytest.mark.parametrize(
    "other",
    [denied("p2"), denied(generation=2), denied(finding="delete-namespace")],
    ids=["policy", "edited", "finding"],
)
def test_series_belongs_to_its_policies(other: Decision) -> None:
    """Another policy, another version of it, or another finding is another series."""
    assert action.series_key(DELETE, denied()) != action.series_key(DELETE, other)


def test_members_of_a_collection_are_one_batch() -> None:
    """All members share the batch and the action; one deletion alone is no batch; another namespace is another one."""
    other = replace(MEMBER, name="b", old_object={"metadata": {"uid": "o2"}})

    assert action.batch_key(DELETE) == ""
    assert action.batch_key(MEMBER) == action.batch_key(other) != action.batch_key(replace(MEMBER, namespace="bank"))
    assert action.key(MEMBER) == action.key(other)
