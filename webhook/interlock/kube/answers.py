"""What the API server's answers mean: a JSON object, or one of our own errors."""

from http import HTTPStatus
from typing import Any

import orjson

from interlock.core.types import JsonObject
from interlock.core.unstructured import items, text
from interlock.errors import ClusterError, Conflict, Forbidden, InterlockError, NameTaken, NotFound, Unavailable

ERROR_TEXT_RUNES = 256
"""What of an error's text is kept: enough to act on, too little to flood a log."""

_BY_STATUS: dict[int, type[InterlockError]] = {
    HTTPStatus.UNAUTHORIZED: Unavailable,  # a token being renewed, or an API server whose authenticators still start
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_TIMEOUT: Unavailable,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Unavailable,
    HTTPStatus.TOO_MANY_REQUESTS: Unavailable,
}


def checked(what: str, status: int, answer: bytes) -> JsonObject:
    """Read the answer to one request.

    Args:
        what: verb and path, for the error's text.
        status: HTTP status.
        answer: the body.

    Raises:
        InterlockError: the one that status and reason mean; `Unavailable` where the effect is unknown.
    """
    if status < HTTPStatus.OK or status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _error(what, status, answer)
    return _decoded(what, answer)


def event(what: str, line: bytes) -> tuple[str, JsonObject]:
    """Read one line of a watch.

    Raises:
        Unavailable: it is an ERROR event (the resourceVersion is too old, for example), or no event at all.
    """
    value = _decoded(what, line)
    if value["type"] == "ERROR":
        raise Unavailable(f"{what}: {scrubbed(str(value['object'].get('message', 'error event')))}")
    return value["type"], value["object"]


def why(error: Exception) -> str:
    """Tell why a request got no answer; a timeout has no text of its own."""
    return scrubbed("no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__)


def scrubbed(message: str) -> str:
    """Make text from outside harmless for logs: printable, in one line, short."""
    clean = "".join(character if character.isprintable() else " " for character in message)
    return clean if len(clean) <= ERROR_TEXT_RUNES else clean[: ERROR_TEXT_RUNES - 1] + "…"


def _error(what: str, status: int, answer: bytes) -> InterlockError:
    told = _status(answer)
    kind = _kind(status, text(told, "reason"))
    message = f"{what}: {status} {scrubbed(text(told, 'message'))}"
    if kind is not Forbidden:
        return kind(message)
    causes = items(told, "details", "causes")
    return Forbidden(message, causes={text(cause, "reason"): text(cause, "message") for cause in causes})


def _kind(status: int, reason: str) -> type[InterlockError]:
    if status == HTTPStatus.CONFLICT and reason == "AlreadyExists":
        return NameTaken
    return _BY_STATUS.get(status, Unavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ClusterError)


def _status(answer: bytes) -> JsonObject:
    """The Status object; what stands there instead as its message."""
    try:
        status: Any = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {"message": answer.decode(errors="replace")}
    return status if isinstance(status, dict) else {"message": "an answer that is no Status object"}


def _decoded(what: str, answer: bytes) -> JsonObject:
    try:
        value: Any = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise Unavailable(f"{what}: the answer is no JSON ({len(answer)} bytes)") from error
    if not isinstance(value, dict):
        raise Unavailable(f"{what}: the answer is no JSON object")
    return value
