"""webhook/docs/policy-reference.md, made from the schema of DangerPolicy: every field with its meaning and bounds.

The CustomResourceDefinition is the one place where a field is explained; `kubectl explain` shows the same text. Pure:
text in, text out.
"""

from collections.abc import Iterator
from typing import Any

import yaml

Schema = dict[str, Any]

_PAGE = """\
# Policy reference

Made from crds/dangerpolicies.yaml by `hack/update generated`; do not edit. The same in a cluster:
`kubectl explain dangerpolicy.spec --recursive`. Examples that are tried by tests: [crds/examples](../../crds/examples);
how to try your own, and what is easily overlooked: [testing](policy-testing.md), [linting](policy-lint.md).

A finding is **selected** if it is named and `actions` cover it, or it is plain and `operations` and `resources` cover
it; namespaces, objects and subjects must hold as well. A policy **applies** to a selected finding when no exclude entry
lifts it. What an applying policy yields:

| windows | yields |
|---|---|
| none | `verdict` |
| closed | `windows.outside`; within the grace of what the requester began while it was open, as if it were |
| open | `verdict`, or nothing if absent |

The strictest yield over all findings and Enforce policies is the verdict: Deny, Warn, Allow, nothing. Observe policies
are evaluated and recorded and never stop anything. A decision is recorded if some policy applies, whatever it yields.

`interlock window --at 2026-12-24T22:00` says whether windows are open at a time, why, and when they open and close
next; with `-f FILE` of policies that are not applied yet. Windows are read by the time zones that Interlock ships
(`interlock version`, the metric `interlock_tzdata`), not by those of a machine. Whoever writes a policy is warned of a
freeze that leaves no opening, and of a window or freeze that does not come.
"""

_BOUNDS = {
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} keys",
    "maxLength": "at most {} characters",
    "format": "format {}",
}


def page(crd: str) -> str:
    """The reference of one CustomResourceDefinition with a single version."""
    [version] = yaml.safe_load(crd)["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    parts = [_PAGE]
    for name in ("spec", "status"):
        rows = "\n".join(_rows(name, properties[name]))
        parts.append(f"## {name}\n\n| field | type | meaning |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _rows(path: str, schema: Schema) -> Iterator[str]:
    """One row for each field below `path`, in the order of the schema."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        below = f"{path}.{name}"
        yield _row(below, field, required=name in required)
        yield from _rows(f"{below}[]" if field.get("type") == "array" else below, field.get("items", field))


def _row(path: str, field: Schema, *, required: bool) -> str:
    notes = [note for note in (_choice(field), _default(field), *_bounds(field)) if note]
    notes += ["required"] if required else []
    meaning = " ".join(str(field.get("description", "")).split()).replace("|", "\\|")
    bounds = f" *({'; '.join(notes)})*" if notes else ""
    return f"| `{path}` | {_type(field)} | {meaning}{bounds} |"


def _type(field: Schema) -> str:
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"list of {_type(field['items'])}"
    return "map" if kind == "object" and "properties" not in field else kind


def _choice(field: Schema) -> str:
    choices = field.get("enum") or field.get("items", {}).get("enum") or []
    return "one of " + ", ".join(f"`{choice}`" for choice in choices) if choices else ""


def _default(field: Schema) -> str:
    return f"default `{field['default']}`" if "default" in field else ""


def _bounds(field: Schema) -> Iterator[str]:
    return (text.format(field[key]) for key, text in _BOUNDS.items() if key in field)
