"""Which requests are one action, and which are alike: keys to compare them by.

A user's one action can be several requests (a webhook called again, a client that tries again), and a client in a loop
sends the same request for thousands of objects. Three keys say what counts as the same:

    key          the same action on the same object
    series_key   the same denial by the same policies, on whatever objects: what a loop repeats
    batch_key    the members of one deletecollection

Two requests of one user with different credentials never share a key: one of them may be stolen. `dryRun` is no part of
any key. What an API server changes in every write (resourceVersion, generation, managedFields) is no difference.
"""

import hashlib
from collections.abc import Mapping

import orjson

from interlock.core.types import Decision, JsonObject, Operation, PolicyOutcome, Request

BOOKKEEPING = frozenset({"resourceVersion", "generation", "managedFields"})

NAMED = frozenset({Operation.CREATE, Operation.CONNECT})  # the object has no uid yet, or the review does not tell it


def key(request: Request) -> str:
    """Name the action that a request belongs to; SHA-256, hex."""
    return _digest([*_who_does_what(request), request.namespace, _object(request), *_how(request)])


def series_key(request: Request, decision: Decision) -> str:
    """Name the series that a denial belongs to: everything but namespace, name and uid, with who denied it and why."""
    policies = [_policy(outcome) for outcome in decision.outcomes]
    return _digest([*_who_does_what(request), *_how(request), decision.verdict.title, policies])


def batch_key(request: Request) -> str:
    """Name the deletecollection that a request is a member of; empty if it is none."""
    if not request.in_collection:
        return ""
    return _digest([*_who_does_what(request), request.namespace, *_how(request)])


def _who_does_what(request: Request) -> list[str]:
    user = request.user
    return [
        user.name,
        user.uid,
        user.credential_id,
        request.operation.value,
        request.group,
        request.resource_path,
    ]


def _object(request: Request) -> str:
    if request.in_collection:
        return ""
    return request.name if request.operation in NAMED else request.target_uid


def _how(request: Request) -> list[object]:
    options = {name: value for name, value in (request.options or {}).items() if name != "dryRun"}
    match request.operation:
        case Operation.CONNECT:
            return [options, request.object]
        case Operation.UPDATE:
            return [options, _change(request.old_object or {}, request.object or {})]
        case _:
            return [options]


def _change(old: JsonObject, new: JsonObject) -> object:
    """What is new, without what the API server itself writes."""
    metadata = {side: _without_bookkeeping(found) for side, found in (("old", old), ("new", new))}
    return _difference({**old, "metadata": metadata["old"]}, {**new, "metadata": metadata["new"]})


def _without_bookkeeping(found: JsonObject) -> JsonObject:
    metadata = found.get("metadata") or {}
    return {name: value for name, value in metadata.items() if name not in BOOKKEEPING}


def _difference(old: object, new: object) -> object:
    """Nested maps of the fields that differ; each ends in a list of its new value, an empty one if it is gone."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return [new]
    gone: JsonObject = {name: [] for name in old.keys() - new.keys()}
    return gone | {name: _difference(old.get(name), value) for name, value in new.items() if old.get(name) != value}


def _policy(outcome: PolicyOutcome) -> list[object]:
    return [outcome.uid, outcome.generation, outcome.finding, outcome.yields.title, outcome.excluded_by]


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
