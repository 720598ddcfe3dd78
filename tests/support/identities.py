"""Requests of Kubernetes itself: its user names, and objects that belong to others."""

from typing import Any

from interlock.core.types import JsonObject, Request, User
from tests.support.policies import request

CONTROLLERS = "system:serviceaccount:kube-system:"
NODE = User(name="system:node:n1", groups=("system:nodes", "system:authenticated"))
MANAGER = User(name="system:kube-controller-manager")
GOING_SINCE = "2026-11-25T02:00:00Z"


def controller(name: str) -> User:
    """A controller's ServiceAccount."""
    return User(name=f"{CONTROLLERS}{name}", groups=("system:serviceaccounts", "system:serviceaccounts:kube-system"))


def owned(kind: str, **fields: Any) -> JsonObject:
    """An object that another one controls."""
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": "owner", "uid": "u1", "controller": True}
    return {"metadata": {"ownerReferences": [owner], **fields.pop("metadata", {})}} | fields


def meta(**metadata: Any) -> JsonObject:
    """An object of which only metadata is known."""
    return {"metadata": metadata}


def by(user: User | str, operation: str, resource: str, **more: Any) -> Request:
    """A request by a system identity; a plain name is a controller's."""
    who = controller(user) if isinstance(user, str) else user
    return request(operation, resource, user=who, **more)
