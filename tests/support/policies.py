"""Policies and reviews for tests: sound ones, changes to them, and the refusals that unit and cluster tests share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from interlock.core import catalogue, snapshot
from interlock.core.mergepatch import merged
from interlock.core.policies import scopespec
from interlock.core.policies.policy import Policy, parse
from interlock.core.types import Finding, JsonObject, Operation, Request, User

CRD = Path("crds/dangerpolicies.yaml")
EXAMPLES = tuple(sorted(Path("crds/examples").glob("*.yaml")))
REFUSALS: tuple[JsonObject, ...] = tuple(yaml.safe_load(Path("tests/core/policy-refusals.yaml").read_text()))

MATCH_FIELDS = scopespec.MATCH_FIELDS
ALICE = User(name="alice", groups=("dev", "system:authenticated"))
SOUND = {"severity": "Critical", "mode": "Enforce", "verdict": "Deny", "match": {"actions": ["delete-namespace"]}}


def policy(spec: JsonObject, *, name: str = "sound") -> JsonObject:
    """A DangerPolicy with this spec."""
    return {"apiVersion": "interlock.dev/v1alpha1", "kind": "DangerPolicy", "metadata": {"name": name}, "spec": spec}


def changed(spec: JsonObject, change: JsonObject) -> JsonObject:
    """A spec after a JSON merge patch (RFC 7396); null removes."""
    after: JsonObject = merged(spec, change)
    return after


def parsed(name: str = "sound", /, **change: Any) -> Policy:
    """The sound policy with some fields of its spec changed (merge patch), compiled."""
    return parse(policy(changed(SOUND, change), name=name))


def named(labels: Mapping[str, str] | None = None, **metadata: object) -> JsonObject:
    """An object of which only labels and metadata matter."""
    return {"metadata": {"labels": dict(labels or {}), **metadata}}


def request(  # noqa: PLR0913  a review has that many parts
    operation: str = "DELETE",
    resource: str = "pods",
    *,
    group: str = "",
    name: str = "web-0",
    namespace: str = "shop",
    user: User = ALICE,
    old: JsonObject | None = None,
    new: JsonObject | None = None,
    dry_run: bool = False,
) -> Request:
    """A review of `resource` or `resource/subresource`, with objects where the operation has them."""
    kind, _, subresource = resource.partition("/")
    was, will_be = operation in {"UPDATE", "DELETE"}, operation in {"CREATE", "UPDATE"}
    return Request(
        uid="a-review",
        operation=Operation(operation),
        group=group,
        version="v1",
        resource=kind,
        subresource=subresource,
        kind=kind.removesuffix("s").capitalize(),
        name=name,
        namespace=namespace,
        user=user,
        dry_run=dry_run,
        object=(new or named()) if will_be else new,
        old_object=(old or named()) if was else old,
    )


def namespace_request(operation: str, name: str, *, user: User = ALICE, **objects: JsonObject | None) -> Request:
    """A review of a Namespace; its namespace is its own name, as the API server sends it."""
    return request(operation, "namespaces", name=name, namespace=name, user=user, **objects)  # type: ignore[arg-type]


def find(review: Request) -> tuple[Finding, ...]:
    """What the catalogue finds in it, with no roles known."""
    return catalogue.find(review, snapshot.build())
