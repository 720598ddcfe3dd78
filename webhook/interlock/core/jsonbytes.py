"""JSON as bytes: reading what others wrote, and the one spelling in which Interlock hashes and signs.

Reading is bounded and strict: UTF-8 only, nesting up to MAX_DEPTH, no NaN, nothing after the document. A key that
stands twice in one object is no error of `loads` (the last one wins, as in every common reader); who must not be told
two stories by one text asks `duplicate_key`.

Writing is canonical: keys sorted by code point, no white space, UTF-8 unescaped, and only values that every reader
agrees on: strings, booleans, null and integers up to 2^53. The same value is the same bytes, today and in the
auditor's tool.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import orjson

from interlock.errors import BadInput

MAX_DEPTH = 254
"""Nested arrays and objects that `loads` accepts: what is nested deeper orjson reads but cannot write, so no digest of
it could be recorded. Far above any object of Kubernetes in use."""

MAX_SAFE_INTEGER = 2**53 - 1
"""Largest integer that a reader with IEEE doubles (JavaScript, jq) still reads exactly."""

_WRITE = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]', re.DOTALL)
# Go's encoder escapes these five for HTML's sake; orjson does not. Otherwise both write the same, but for some floats.
_GO_ESCAPES = (
    (b"\\u003c", b"<"),
    (b"\\u003e", b">"),
    (b"\\u0026", b"&"),
    (b"\\u2028", b"\xe2\x80\xa8"),
    (b"\\u2029", b"\xe2\x80\xa9"),
)
_BACKSLASH = b"\\\\"  # as it stands in a text; what follows it is no escape


def loads(data: bytes) -> Any:  # noqa: ANN401  a JSON document can be anything; whoever reads it checks its type
    """Read one JSON document.

    Raises:
        BadInput: not JSON, not UTF-8, or nested deeper than MAX_DEPTH; says where.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadInput(
            field="", got=f"{error.msg} at byte {error.pos}", expected="one JSON document in UTF-8"
        ) from error
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _demand_depth(value)
    return value


def _demand_depth(value: object) -> None:
    """Refuse what is nested too deep, a level at a time; asked only of documents with enough brackets for that."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise BadInput(field="", got="a deeper one", expected=f"one JSON document of at most {MAX_DEPTH} nested levels")


def _children(node: object) -> Iterable[object]:
    """What is nested in a node, scalars left out: only arrays and objects can hold more."""
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (child for child in inside if isinstance(child, (dict, list)))


def canonical(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Write a value in its one spelling.

    Raises:
        ValueError: it holds something that readers may not agree on: a float, an integer beyond 2^53, a key that is no
            string, or a type that JSON does not have.
    """
    _refuse_ambiguous(value)
    return orjson.dumps(value, option=_WRITE)


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def duplicate_key(data: bytes, value: Any) -> str | None:  # noqa: ANN401  any JSON value
    """Find a key that stands twice in one object.

    Three steps, each exact, the next only where the one before cannot tell: text that is what a writer makes of the
    value has no second key, since the value has none (cheaper than reading it); else members are counted in text and
    value; and only text that really repeats a key is read token by token, to name it.

    Args:
        data: a document that `loads` accepts.
        value: what `loads` made of it.

    Returns:
        The first such key, as it is spelled in the text; None if there is none.
    """
    if is_written(data, value) or _members_in_text(data) == _members(value):
        return None
    return _first_repeated(data)


def is_written(data: bytes, value: Any) -> bool:  # noqa: ANN401  any JSON value
    """Whether a text is just what Go's encoder, or ours, makes of the value: then it holds no more than the value."""
    text = data.rstrip(b"\n")
    if b"\\u" in text:
        text = _BACKSLASH.join(map(_unescaped, text.split(_BACKSLASH)))
    return text == orjson.dumps(value)


def _unescaped(text: bytes) -> bytes:
    if b"\\u" in text:
        for escaped, plain in _GO_ESCAPES:
            text = text.replace(escaped, plain)
    return text


def _members_in_text(data: bytes) -> int:
    return _STRING.sub(b"", data).count(b":")


def _members(value: object) -> int:
    count, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            count += len(node)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return count


def _first_repeated(data: bytes) -> str | None:
    seen: list[set[str]] = []
    for token in _TOKEN.finditer(data):
        if token[0] == b"{":
            seen.append(set())
        elif token[0] == b"}":
            seen.pop()
        elif token[2]:
            key = orjson.loads(token[1])
            if key in seen[-1]:
                return str(key)
            seen[-1].add(key)
    return None


def _refuse_ambiguous(value: object) -> None:
    waiting: list[object] = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            _refuse_other_keys(node)
            waiting.extend(node.values())
        elif isinstance(node, (list, tuple)):
            waiting.extend(node)
        elif not _is_plain(node):
            raise ValueError(f"{type(node).__name__} {node!r:.40} has no canonical spelling")


def _is_plain(node: object) -> bool:
    if isinstance(node, int):
        return abs(node) <= MAX_SAFE_INTEGER
    return node is None or isinstance(node, str)


def _refuse_other_keys(keys: Iterable[object]) -> None:
    for key in keys:
        if not isinstance(key, str):
            raise ValueError(f"key {key!r:.40} is {type(key).__name__}, not a string")  # noqa: TRY004  a value without spelling
