"""The JSON schema of `PolicyTest`, for editors and CI: webhook/docs/policy-test.schema.json is made of it.

It says which fields there are and of which type. `interlock policy test` itself says the rest, with paths.
"""

import orjson

from interlock.cli.policy import requests, suite
from interlock.core.types import JsonObject, Operation, Verdict

_TEXT: JsonObject = {"type": "string", "minLength": 1}
_TEXTS: JsonObject = {"type": "array", "minItems": 1, "items": _TEXT}
_MANIFEST: JsonObject = {"type": "object", "required": ["apiVersion", "kind", "metadata"]}
_MANIFESTS: JsonObject = {"type": "array", "minItems": 1, "items": {"anyOf": [_TEXT, _MANIFEST]}}
_INSTANT: JsonObject = {"type": "string", "format": "date-time"}
_LABELS: JsonObject = {"type": "object", "additionalProperties": {"type": "string"}}
_VERDICT: JsonObject = {"enum": list(suite.VERDICTS)}

_PARTS: dict[str, JsonObject] = dict.fromkeys(requests.PARTS, _TEXT) | {
    "operation": {"enum": [each.value for each in Operation]},
    "groups": _TEXTS,
    "dryRun": {"type": "boolean"},
    **{key: {"type": "object"} for key in ("object", "oldObject", "options")},
}
_REVIEW: dict[str, JsonObject] = {"review": {"anyOf": [_TEXT, {"type": "object"}]}}
_EXPECT: dict[str, JsonObject] = dict.fromkeys(suite.EXPECT_FIELDS, _TEXT) | {
    "verdict": _VERDICT,
    "findings": _TEXTS,
    "wouldHave": {"enum": [*suite.VERDICTS, Verdict.NOTHING.title]},
}


def schema() -> str:
    """The schema's text."""
    request = {"anyOf": [_TEXT, _closed(_REVIEW, "review"), _closed(_PARTS, "operation", "resource", "as")]}
    case: dict[str, JsonObject] = {
        "name": _TEXT,
        "request": request,
        "time": _INSTANT,
        "expect": {"anyOf": [_VERDICT, _closed(_EXPECT, "verdict")]},
    }
    fields: dict[str, JsonObject] = {
        "apiVersion": {"const": suite.API_VERSION},
        "kind": {"const": suite.KIND},
        "metadata": _closed({"name": _TEXT}),
        "policies": _MANIFESTS,
        "namespaces": {"type": "object", "additionalProperties": _LABELS},
        "objects": _MANIFESTS,
        "time": _INSTANT,
        "cases": {"type": "array", "minItems": 1, "items": _closed(case, "name", "request", "expect")},
    }
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": suite.KIND}
    whole |= _closed(fields, "apiVersion", "kind", "policies", "cases")
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _closed(fields: dict[str, JsonObject], *required: str) -> JsonObject:
    """An object that has no other fields."""
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}
