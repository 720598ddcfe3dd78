"""The table that kubectl prints: rows of cells with their columns (meta/v1 Table, KEP 0009).

The server chooses the columns; kubectl adds NAMESPACE itself for `-A`, and shows those of a priority above 0 with
`-o wide` only. Each row carries the object, or what of it the client asked for by `includeObject`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from interlock.core import times
from interlock.core.auditapi.ages import human
from interlock.core.text import printable
from interlock.core.types import JsonObject
from interlock.core.unstructured import text

API_VERSION, KIND = "meta.k8s.io/v1", "Table"

WIDE = 1
"""Priority of a column that only `-o wide` shows."""


class Include(StrEnum):
    """What of the object a row carries."""

    NONE = "None"
    METADATA = "Metadata"
    OBJECT = "Object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the table."""

    name: str
    description: str
    type: str = "string"
    format: str = ""
    priority: int = 0

    def to_json(self) -> JsonObject:
        """As meta/v1 TableColumnDefinition."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


COLUMNS = (
    Column(name="Name", format="name", description="The record's id, by the time of the decision."),
    Column(name="Age", description="Time since the decision."),
    Column(name="Verdict", description="What was decided; later admission may still have refused what was allowed."),
    Column(name="Severity", description="Of what gave the verdict."),
    Column(name="User", description="User as authenticated; under impersonation the impersonated one."),
    Column(name="Action", description="What the deciding policy saw in the request."),
    Column(name="Target", description="What the request was about."),
    Column(name="Policy", description="The deciding policy."),
    Column(name="Count", description="How often it was repeated, the first included; + if there may be more."),
    Column(name="Mode", description="Mode of the deciding policy.", priority=WIDE),
    Column(name="Reason", description="Why the verdict is what it is.", priority=WIDE),
    Column(name="Verified", description="Whether signature and chain were checked and hold.", priority=WIDE),
    Column(name="Checkpoint", description="The signed checkpoint that covers it.", priority=WIDE),
    Column(name="Time", format="date-time", description="When it was decided.", priority=WIDE),
)


def table(made: Iterable[JsonObject], *, metadata: JsonObject, include: Include, now: datetime) -> JsonObject:
    """Make the table of these AuditRecords.

    Args:
        made: the objects, as `resource.build` made them.
        metadata: of the list: resourceVersion, continue, remainingItemCount.
        include: what each row carries of its object.
        now: to tell ages by.
    """
    return {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": metadata,
        "columnDefinitions": [column.to_json() for column in COLUMNS],
        "rows": [row(each, include=include, now=now) for each in made],
    }


def metadata_only(made: JsonObject) -> JsonObject:
    """Of an AuditRecord the metadata, as an object of its own."""
    return {"kind": "PartialObjectMetadata", "apiVersion": API_VERSION, "metadata": made["metadata"]}


def row(made: JsonObject, *, include: Include, now: datetime) -> JsonObject:
    """Make the row of one AuditRecord."""
    found: JsonObject = {"cells": _cells(made, now)}
    if include is Include.OBJECT:
        found["object"] = made
    elif include is Include.METADATA:
        found["object"] = metadata_only(made)
    return found


def _cells(made: JsonObject, now: datetime) -> list[str]:
    """One line, with nothing in it that could move a cursor."""
    age = now - times.read(made["time"])
    ledger = made["ledger"]
    cells = (
        made["metadata"]["name"],
        human(age),
        made["verdict"],
        made["severity"],
        text(made, "user", "name"),
        made["action"],
        _target(made["target"]),
        made["policy"],
        _count(made),
        made.get("mode", ""),
        made.get("reason", ""),
        str(ledger["verified"]).lower(),
        ledger.get("checkpoint", ""),
        made["time"],
    )
    return [printable(cell) for cell in cells]


def _target(target: JsonObject) -> str:
    resource = "/".join(part for part in (target["resource"], target["subresource"]) if part)
    return f"{resource} {target['name']}".strip()


def _count(made: JsonObject) -> str:
    series = made.get("series")
    if series is None:
        return "1"
    return f"{series['count']}{'' if series['exact'] else '+'}"
