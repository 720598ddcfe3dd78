"""What a case of the catalogue is, and the reviews that cases are made of."""

from dataclasses import replace
from typing import Any

from interlock.core.types import JsonObject, Request
from tests.support.policies import request

Case = tuple[str, Request, list[str]]
"""Action, review, and the findings of that action: severity, reach, evidence."""


def delete(
    resource: str, name: str, old: JsonObject | None = None, *, group: str = "", kind: str = "", **more: Any
) -> Request:
    """A DELETE."""
    return replace(request("DELETE", resource, group=group, name=name, old=old, **more), kind=kind or "Thing")
