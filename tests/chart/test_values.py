"""The chart's values: every one explained, none unknown to the schema, none that only the schema knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

import interlock
from devtools import chartdocs
from devtools.errors import ToolError

CHART = Path(__file__).parents[2] / "charts" / "interlock"
VALUES = (CHART / "values.yaml").read_text()
SCHEMA: dict[str, Any] = orjson.loads((CHART / "values.schema.json").read_bytes())
HANDED_DOWN = "global"  # by a chart that includes this one

LEAST_SHARE_OF_COMMENTS = 0.6
SIGNS_OF_CHANCE = ("lookup ", "rand", "genCA", "genSelfSigned", "genPrivateKey", "uuidv4", "now ", "htpasswd")


def test_chart_and_package_are_of_one_version() -> None:
    """The image that the chart runs by default is the package of the same checkout."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == interlock.__version__


def test_every_value_is_explained() -> None:
    """Each default stands under a comment of its own, or within the default of a key that has one."""
    found = chartdocs.entries(VALUES)
    explained = {entry.path for entry in found if not chartdocs.is_section(entry, found)}
    unexplained = [path for path in _leaves(yaml.safe_load(VALUES)) if not explained & set(_ancestry(path))]
    assert unexplained == []


def test_values_are_mostly_explanation() -> None:
    """At least three lines in five say why."""
    lines = VALUES.splitlines()
    assert sum(line.lstrip().startswith("#") for line in lines) >= LEAST_SHARE_OF_COMMENTS * len(lines)


def test_every_object_in_the_schema_is_closed() -> None:
    """A key that nobody reads fails the install wherever it stands; maps say what their values are."""
    open_objects = [path for path, node in _objects(SCHEMA) if "additionalProperties" not in node]
    assert open_objects == []


def test_schema_and_values_know_the_same_keys() -> None:
    """What may be set has a default, and what has a default may be set."""
    known = set(_schema_paths(SCHEMA)) - {(HANDED_DOWN,)}
    documented = {entry.path for entry in chartdocs.entries(VALUES)}
    assert known == documented


def test_templates_leave_nothing_to_chance() -> None:
    """Rendering twice gives the same bytes, since no template asks for randomness, the time or the cluster."""
    templates = [*CHART.glob("templates/**/*.yaml"), *CHART.glob("templates/*.tpl"), *CHART.glob("templates/*.txt")]
    actions = [(path.name, action) for path in templates for action in _actions(path.read_text())]
    assert actions
    assert [each for each in actions if any(sign in each[1] for sign in SIGNS_OF_CHANCE)] == []


def test_table_has_defaults_and_escapes_what_would_break_it() -> None:
    """A section is bold and has no default; keys without a comment belong to the default above them."""
    values = """\
# Not above a key.

# A | B.
part:
  # How much.
  size: {cpu: 1}
  # More
  # of it.
  more:
    deep: x
"""
    assert chartdocs.table(values).splitlines()[2:] == [
        r"| **`part`** | | A \| B. |",
        '| `part.size` | `{"cpu": 1}` | How much. |',
        '| `part.more` | `{"deep": "x"}` | More of it. |',
    ]


def test_readme_without_its_marks_is_refused() -> None:
    """The generator never guesses where its part belongs."""
    with pytest.raises(ToolError, match="expected the lines"):
        chartdocs.readme("no marks\n", VALUES)


def _leaves(values: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path


def _ancestry(path: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [path[:length] for length in range(1, len(path) + 1)]


def _objects(node: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of an object, with where it stands."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _objects(each, f"{path}/{index}")
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from _objects(value, f"{path}/{key}")


def _schema_paths(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Keys that the schema knows, down to where a value is one thing to whoever sets it."""
    for key, value in node.get("properties", {}).items():
        here = (*path, key)
        yield here
        resolved = _resolved(value)
        if key != "resources":  # one value: the pod's own field
            yield from _schema_paths(resolved, here)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    name = node.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = SCHEMA["definitions"][name] if name else node
    return found


def _actions(template: str) -> list[str]:
    """What stands between double braces, comments left out."""
    pieces = [piece.partition("}}")[0] for piece in template.split("{{")[1:]]
    return [piece for piece in pieces if not piece.lstrip("- ").startswith("/*")]
