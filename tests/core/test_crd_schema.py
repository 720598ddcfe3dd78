"""The CRD's schema and the reader of policies say the same; for a real API server see tests/kube/test_crd.py."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from interlock.core.policies import policy, scopespec, windowspec
from interlock.core.selectors import Operator
from interlock.core.types import Durability, JsonObject, Mode, Operation, Severity
from tests.support import policies

CRD: JsonObject = yaml.safe_load(policies.CRD.read_text())
(VERSION,) = CRD["spec"]["versions"]
ROOT: JsonObject = VERSION["schema"]["openAPIV3Schema"]
SPEC: JsonObject = ROOT["properties"]["spec"]


def nodes(schema: JsonObject, path: str = "") -> Iterator[tuple[str, JsonObject]]:
    """Every schema below one, with its path; items as ``[]``, values of maps as ``.*``."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if key in schema:
            yield from nodes(schema[key], path + mark)


def at(path: str) -> JsonObject:
    """The schema at a path of spec."""
    return dict(nodes(SPEC))[path]


def used(value: Any, schema: JsonObject, path: str = "") -> Iterator[str]:
    """Paths of the schema that a value uses."""
    yield path
    if isinstance(value, list):
        for item in value:
            yield from used(item, schema["items"], f"{path}[]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name)
            yield from used(inner, known or schema["additionalProperties"], f"{path}.{name}" if known else f"{path}.*")


def bare(schema: Any) -> Any:
    """A schema without its descriptions."""
    if isinstance(schema, list):
        return [bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: bare(value) for key, value in schema.items() if key != "description" or not isinstance(value, str)}


def test_names() -> None:
    """What kubectl calls a policy."""
    assert CRD["spec"]["scope"] == "Cluster"
    assert CRD["spec"]["names"] == {
        "kind": "DangerPolicy",
        "listKind": "DangerPolicyList",
        "plural": "dangerpolicies",
        "singular": "dangerpolicy",
        "shortNames": ["dp"],
        "categories": ["interlock"],
    }
    assert [column["name"] for column in VERSION["additionalPrinterColumns"]] == [
        "Mode",
        "Severity",
        "Verdict",
        "Window",
        "Next",
        "Matches",
        "Denials",
        "InForce",
        "APIServers",
        "Age",
    ]
    assert VERSION["subresources"] == {"status": {}}


def test_every_field_is_described() -> None:
    """`kubectl explain` has a sentence for everything; the API server allows none for metadata."""
    silent = [
        path for path, schema in nodes(ROOT) if path != ".metadata" and not schema.get("description", "").endswith(".")
    ]

    assert silent == []


def test_every_list_map_and_text_is_bounded() -> None:
    """Bounds in spec keep the cost of rules estimable; words, times and patterns of status come from us."""
    bound = {"array": "maxItems", "string": "maxLength", "object": "maxProperties"}
    loose = [
        path
        for path, schema in nodes(SPEC)
        if bound[schema["type"]] not in schema and not {"enum", "properties"} & schema.keys()
    ]

    assert loose == []


def test_nothing_present_may_be_empty() -> None:
    """Lists and maps have at least one member; objects need a field, or one of those that a rule asks for."""
    least = {"array": "minItems", "object": "minProperties"}
    may_be_empty = [
        path
        for path, schema in nodes(SPEC)
        if schema["type"] in least and least[schema["type"]] not in schema and not schema.get("required")
    ]

    assert may_be_empty == [".match"]  # a rule of its own asks for actions or operations


def test_match_and_exclude_have_the_same_fields() -> None:
    """An exclude entry reads what match reads, and systemIdentities."""
    match, exclude = bare(at(".match")["properties"]), bare(at(".exclude[]")["properties"])
    match["actions"].pop("x-kubernetes-validations")  # match alone refuses leave-protection, which exclude may name
    exclude.pop("systemIdentities")

    assert match == exclude
    assert tuple(at(".match")["properties"]) == scopespec.MATCH_FIELDS
    assert tuple(at(".exclude[]")["properties"]) == scopespec.EXCLUDE_FIELDS
    assert tuple(SPEC["properties"]) == policy.SPEC_FIELDS


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (".severity", [severity.title for severity in Severity]),
        (".mode", list(Mode)),
        (".verdict", list(policy.VERDICTS)),
        (".leaveProtection", list(policy.SWITCH)),
        (".audit.durability", list(Durability)),
        (".match.minSeverity", [severity.title for severity in Severity]),
        (".match.operations[]", list(Operation)),
        (".match.objects.selector.matchExpressions[].operator", list(Operator)),
        (".exclude[].systemIdentities", list(scopespec.SystemIdentities)),
        (".windows.outside", list(windowspec.OUTSIDE)),
        (".windows.freeze[].allowOverrun", list(windowspec.SWITCH)),
        (".windows.allow[].weekly.days[]", list(windowspec.DAYS)),
    ],
)
def test_words(path: str, words: list[str]) -> None:
    """The schema offers the words that the reader knows."""
    assert at(path)["enum"] == words


@pytest.mark.parametrize(
    ("path", "bound", "value"),
    [
        (".description", "maxLength", policy.MAX_TEXT_CHARACTERS),
        (".message", "maxLength", policy.MAX_TEXT_CHARACTERS),
        (".match.actions", "maxItems", scopespec.MAX_ACTIONS),
        (".match.operations", "maxItems", len(Operation)),
        (".match.resources", "maxItems", scopespec.MAX_RESOURCE_RULES),
        (".match.resources[].groups", "maxItems", scopespec.MAX_RESOURCES),
        (".match.resources[].resources", "maxItems", scopespec.MAX_RESOURCES),
        (".match.namespaces.names", "maxItems", scopespec.MAX_NAMES),
        (".match.objects.names", "maxItems", scopespec.MAX_NAMES),
        (".match.objects.names[]", "maxLength", scopespec.MAX_NAME_CHARACTERS),
        (".match.objects.selector.matchLabels", "maxProperties", scopespec.MAX_LABELS),
        (".match.objects.selector.matchExpressions", "maxItems", scopespec.MAX_LABELS),
        (".match.objects.selector.matchExpressions[].values", "maxItems", scopespec.MAX_LABEL_VALUES),
        (".match.subjects.users", "maxItems", scopespec.MAX_NAMES),
        (".exclude", "maxItems", scopespec.MAX_EXCLUSIONS),
        (".windows.allow", "maxItems", windowspec.MAX_ENTRIES),
        (".windows.freeze", "maxItems", windowspec.MAX_ENTRIES),
        (".windows.allow[].name", "maxLength", windowspec.MAX_NAME_CHARACTERS),
    ],
)
def test_bounds(path: str, bound: str, value: int) -> None:
    """The schema and the reader stop at the same size."""
    assert at(path)[bound] == value


def test_example_of_all_options_has_every_field() -> None:
    """No field is left out of all-options.yaml, and none of its fields is unknown to the schema."""
    (example,) = [path for path in policies.EXAMPLES if path.stem == "all-options"]
    spec = yaml.safe_load(example.read_text())["spec"]

    assert set(used(spec, SPEC)) == {path for path, _ in nodes(SPEC)}
