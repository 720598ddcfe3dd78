"""Which webhooks the API server calls for a request: an independent model of rules and match conditions."""

from typing import Any

from interlock.core.types import JsonObject, Request
from tests.support import cel


def sent_to(webhooks: list[JsonObject], request: Request) -> set[str]:
    """The webhooks that the API server would call: rules first, then every condition."""
    return {
        webhook["name"].partition(".")[0]
        for webhook in webhooks
        if any(_rule_matches(rule, request) for rule in webhook["rules"])
        and all(cel.evaluate(c["expression"], **_scope(request)) for c in webhook.get("matchConditions", []))
    }


def _scope(request: Request) -> dict[str, Any]:
    """The variables of a condition; an object of which nothing is said has metadata at least."""
    objects = {"object": request.object, "oldObject": request.old_object}
    return {"request": _review(request)} | {name: found or {"metadata": {}} for name, found in objects.items()}


def _rule_matches(rule: JsonObject, request: Request) -> bool:
    groups = "*" in rule["apiGroups"] or request.group in rule["apiGroups"]
    return (
        request.operation.value in rule["operations"]
        and groups
        and any(_pattern_matches(pattern, request) for pattern in rule["resources"])
    )


def _pattern_matches(pattern: str, request: Request) -> bool:
    resource, _, subresource = pattern.partition("/")
    return resource in {"*", request.resource} and subresource in {"*", request.subresource}


def _review(request: Request) -> dict[str, Any]:
    """`request` as CEL sees it: an empty field is absent."""
    fields = {
        "operation": request.operation.value,
        "resource": {"group": request.group, "version": "v1", "resource": request.resource},
        "subResource": request.subresource,
        "namespace": request.namespace,
        "name": request.name,
        "options": request.options,
        "userInfo": {"username": request.user.name, "groups": list(request.user.groups)},
    }
    return {key: value for key, value in fields.items() if value}
