"""JSON merge patches, RFC 7396, as `kubectl patch --type=merge` sends them."""

from typing import Any


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401  any JSON value
    """What a value becomes by a patch; null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
