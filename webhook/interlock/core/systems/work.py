"""What a system identity does day by day, told from the review alone.

A piece of work is a rule as in admission, narrowed by a test on the objects: a ReplicaSet controller deletes pods that
a ReplicaSet controls, a protection controller removes a finalizer and nothing else. A test proves that the request
*looks* like that work, not who sent it: whoever may impersonate the identity can forge ownerReferences as well. So
ordinary work is exempt only from policies whose author says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock.core import unstructured
from interlock.core.types import JsonObject, Operation, Request

CREATE, UPDATE, DELETE = Operation.CREATE, Operation.UPDATE, Operation.DELETE
ALL = "*"

Test = Callable[[Request], bool]

_BOOKKEEPING = ("managedFields", "resourceVersion", "generation")


def anything(_request: Request) -> bool:
    """No narrower test than the rule."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of ordinary work.

    Attributes:
        title: what it is, as the end of a sentence.
        operations: with `group` and `resources` (also ``resource/subresource``; ``*`` for all) the rule.
        test: what else must hold.
    """

    title: str
    operations: tuple[Operation, ...]
    group: str
    resources: tuple[str, ...]
    test: Test = anything

    def is_this(self, request: Request) -> bool:
        """Whether the request is this work."""
        return (
            request.operation in self.operations
            and self.group in {ALL, request.group}
            and (request.resource_path in self.resources or ALL in self.resources)
            and self.test(request)
        )


def all_of(*tests: Test) -> Test:
    """Every test holds."""
    return lambda request: all(test(request) for test in tests)


def any_of(*tests: Test) -> Test:
    """At least one test holds."""
    return lambda request: any(test(request) for test in tests)


def named(*names: str) -> Test:
    """The object has one of these names."""
    return lambda request: request.name in names


def inside(*namespaces: str) -> Test:
    """The object is in one of these namespaces."""
    return lambda request: request.namespace in namespaces


def controlled_by(*kinds: str) -> Test:
    """An object of one of these kinds controls the object, before and after."""
    return _always(lambda state: _controller(state) in kinds)


def labelled(key: str, *values: str) -> Test:
    """The object carries the label with one of these values, before and after."""
    return _always(lambda state: unstructured.text(state, "metadata", "labels", key) in values)


def of_type(kind: str) -> Test:
    """The Secret has this type, before and after."""
    return _always(lambda state: unstructured.text(state, "type") == kind)


def disrupted_for(reason: str) -> Test:
    """The pod's status says why it is being taken down (condition DisruptionTarget)."""
    return lambda request: any(
        unstructured.text(condition, "type") == "DisruptionTarget" and unstructured.text(condition, "reason") == reason
        for condition in unstructured.items(request.old_object, "status", "conditions")
    )


def in_phase(*phases: str) -> Test:
    """The object's status says one of these phases."""
    return lambda request: unstructured.text(request.old_object, "status", "phase") in phases


def only_changes(*paths: tuple[str, ...]) -> Test:
    """An UPDATE that leaves everything but these fields as it was."""
    return lambda request: (
        request.operation is UPDATE and _without(request.object, paths) == _without(request.old_object, paths)
    )


def going(request: Request) -> bool:
    """The existing object is already being deleted."""
    return bool(unstructured.text(request.old_object, "metadata", "deletionTimestamp"))


def signed_by(*signers: str) -> Test:
    """The certificate request is for one of these signers."""
    return _always(lambda state: unstructured.text(state, "spec", "signerName") in signers)


def _always(test: Callable[[JsonObject], bool]) -> Test:
    """The test holds before and after, as far as the object existed; a review without any object passes no test."""

    def holds(request: Request) -> bool:
        states = [state for state in (request.object, request.old_object) if state is not None]
        return bool(states) and all(map(test, states))

    return holds


def _controller(state: JsonObject) -> str:
    for owner in unstructured.items(state, "metadata", "ownerReferences"):
        if unstructured.flag(owner, "controller"):
            return unstructured.text(owner, "kind")
    return ""


def _without(state: JsonObject | None, paths: tuple[tuple[str, ...], ...]) -> JsonObject:
    rest: JsonObject = dict(state or {})
    for path in (*paths, *(("metadata", key) for key in _BOOKKEEPING)):
        rest = _dropped(rest, path)
    return rest


def _dropped(node: JsonObject, path: tuple[str, ...]) -> JsonObject:
    key, *deeper = path
    if key not in node:
        return node
    rest: dict[str, Any] = {other: value for other, value in node.items() if other != key}
    if deeper and isinstance(node[key], dict):
        rest[key] = _dropped(node[key], tuple(deeper))
    return rest
