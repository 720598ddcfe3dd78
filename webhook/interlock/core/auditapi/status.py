"""Failures as Kubernetes tells them: meta/v1 Status, in the words of apimachinery's `api/errors`.

kubectl prints the message, and client-go decides by reason and code what to do: list again (Expired), try again
(Timeout, TooManyRequests, ServiceUnavailable), or give up.
"""

from collections.abc import Iterable
from http import HTTPStatus

from interlock.core.auditapi.resource import GROUP, RESOURCE
from interlock.core.ports import Access
from interlock.core.types import JsonObject, User

QUALIFIED = f"{RESOURCE}.{GROUP}"

_REASONS = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.GONE: "Expired",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "Timeout",
}


def failure(code: HTTPStatus, message: str, *, name: str = "", **details: object) -> JsonObject:
    """A Status about AuditRecords.

    Args:
        code: decides the reason.
        message: for people.
        name: of the object, if it is about one.
        details: more of `status.details`.
    """
    named = {"name": name} if name else {}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS[code],
        "details": named | {"group": GROUP, "kind": RESOURCE} | details,
        "code": int(code),
    }


def not_found(name: str) -> JsonObject:
    """There is no such AuditRecord here (any more)."""
    return failure(HTTPStatus.NOT_FOUND, f'{QUALIFIED} "{name}" not found', name=name)


def forbidden(user: User, access: Access) -> JsonObject:
    """The user may not do this."""
    where = f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
    named = f' "{access.name}"' if access.name else ""
    resource = "/".join(part for part in (access.resource, access.subresource) if part)
    message = (
        f'{QUALIFIED}{named} is forbidden: User "{user.name}" cannot {access.verb} resource "{resource}" '
        f'in API group "{access.group}" {where}'
    )
    return failure(HTTPStatus.FORBIDDEN, message, name=access.name)


def read_only(verb: str) -> JsonObject:
    """AuditRecords are written by nobody but the ledger."""
    return failure(HTTPStatus.METHOD_NOT_ALLOWED, f'{verb} is not supported on resources of kind "{QUALIFIED}"')


def not_acceptable(offered: Iterable[str]) -> JsonObject:
    """None of the media types that the client takes is spoken here: protobuf and CBOR, for example."""
    return failure(HTTPStatus.NOT_ACCEPTABLE, f"only the following media types are accepted: {', '.join(offered)}")


def ahead(version: int, current: int) -> JsonObject:
    """The client has seen more elsewhere than is known here so far."""
    why = "Too large resource version"
    return failure(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"{why}: {version}, current: {current}",
        causes=[{"reason": "ResourceVersionTooLarge", "message": why}],
        retryAfterSeconds=1,
    )
