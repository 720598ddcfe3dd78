"""The policies that the end-to-end tests apply, as a user would write them."""

from collections.abc import Callable

from interlock.core.types import JsonObject

Policy = JsonObject
Apply = Callable[[Policy], None]


def policy(name: str, **spec: object) -> Policy:
    """A DangerPolicy that enforces, of severity Critical unless the spec says otherwise."""
    return {
        "apiVersion": "interlock.dev/v1alpha1",
        "kind": "DangerPolicy",
        "metadata": {"name": name},
        "spec": {"severity": "Critical", "mode": "Enforce", "verdict": "Deny", **spec},
    }


def no_namespace_delete(name: str, namespace: str, **spec: object) -> Policy:
    """Deny deleting one namespace."""
    return policy(name, match={"actions": ["delete-namespace"], "namespaces": {"names": [namespace]}}, **spec)


def no_configmap_delete(name: str, namespace: str, **spec: object) -> Policy:
    """Deny deleting ConfigMaps of one namespace, as a plain finding."""
    match = {
        "operations": ["DELETE"],
        "resources": [{"groups": [""], "resources": ["configmaps"]}],
        "namespaces": {"names": [namespace]},
    }
    return policy(name, match=match, **spec)
