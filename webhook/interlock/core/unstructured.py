"""Reading untyped Kubernetes objects: what is absent, or of another type than asked for, reads as empty.

The API server has checked the built-in kinds; custom ones may hold anything. No function here raises on any JSON value.
"""

from collections.abc import Sequence
from typing import Any

from interlock.core.types import JsonObject


def mapping(node: object, *path: str) -> JsonObject:
    """The object at `path`, empty if there is none."""
    found = _at(node, path)
    return found if isinstance(found, dict) else {}


def items(node: object, *path: str) -> list[Any]:
    """The list at `path`, empty if there is none."""
    found = _at(node, path)
    return found if isinstance(found, list) else []


def text(node: object, *path: str) -> str:
    """The string at `path`, empty if there is none."""
    found = _at(node, path)
    return found if isinstance(found, str) else ""


def texts(node: object, *path: str) -> tuple[str, ...]:
    """The strings of the list at `path`; other members are left out."""
    return tuple(member for member in items(node, *path) if isinstance(member, str))


def strings(node: object, *path: str) -> dict[str, str]:
    """The members of the object at `path` that are strings: labels, annotations."""
    return {key: value for key, value in mapping(node, *path).items() if isinstance(value, str)}


def integer(node: object, *path: str) -> int | None:
    """The integer at `path`, None if there is none."""
    found = _at(node, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag(node: object, *path: str) -> bool:
    """Whether `true` stands at `path`."""
    return _at(node, path) is True


def _at(node: object, path: Sequence[str]) -> object:
    for key in path:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node
