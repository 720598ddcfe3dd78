"""OpenAPI of AuditRecords, versions 2 and 3: what `kubectl explain` prints and clients generate code from.

The schema is made from the one table that documents records, `core.audit.recordschema`: a field that a record may hold
is a field of the AuditRecord, described by the same sentence.
"""

from collections.abc import Callable, Iterator

from interlock.core.audit import recordschema
from interlock.core.audit.record import Kind
from interlock.core.audit.recordschema import Field
from interlock.core.auditapi.resource import API_VERSION, GROUP, KIND, LIST_KIND, RESOURCE, VERSION
from interlock.core.types import JsonObject

PREFIX = "dev.interlock.audit.v1alpha1"
"""Of the definitions' names, spelled as Kubernetes spells its own."""

META = "io.k8s.apimachinery.pkg.apis.meta.v1"

DESCRIPTION = (
    "AuditRecord is one decision of Interlock, or one change of a DangerPolicy, as the signed ledger holds it: who did "
    "what, with which verdict, by which policy and why. Read-only; older ones than are listed are read with `interlock "
    "ledger show`. An allow is Interlock's verdict; later admission may still have refused the request."
)

_TYPES = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int64"},
}

OWN = (
    Field(path="about", type="string", text="what the record is about: Decision or PolicyChange"),
    Field(path="action", type="string", text="what the deciding policy saw in the request: an id of the catalogue"),
    Field(path="policy", type="string", text="the deciding policy; of a PolicyChange the policy that changed"),
    Field(path="mode", type="string", text="mode of the deciding policy: Enforce, Observe"),
    Field(path="evidence", type="string", text="Withheld, where you may not get auditrecords/evidence", optional=True),
    Field(path="series.count", type="integer", text="how often the denial was repeated, the first included"),
    Field(path="series.exact", type="boolean", text="false while there may have been more"),
    Field(path="ledger.lane", type="string", text="the lane that it stands in"),
    Field(path="ledger.sequence", type="integer", text="its place in the lane"),
    Field(path="ledger.previous", type="string", text="leaf hash of the record before it in the lane"),
    Field(path="ledger.leaf", type="string", text="its RFC 6962 leaf hash, as in the API server's audit log"),
    Field(
        path="ledger.verified", type="boolean", text="whether signature, chain and certificate were checked and hold"
    ),
    Field(path="ledger.why", type="string", text="what keeps it from being verified"),
    Field(path="ledger.checkpoint", type="string", text="epoch and number of the signed checkpoint that covers it"),
    Field(path="ledger.index", type="integer", text="index of its leaf in that epoch's log"),
    Field(path="ledger.shippedTo", type="string", text="object store that holds it"),
    Field(path="ledger.lockedUntil", type="string", text="until when it is locked there"),
)

_MOVED = frozenset(field.path for field in recordschema.EVERY_RECORD) - {"time", "cluster"}


def definitions(*, ref: str) -> JsonObject:
    """The schemas of AuditRecord and its list.

    Args:
        ref: where definitions are referred to: ``#/definitions/`` or ``#/components/schemas/``.
    """
    meta = {
        "apiVersion": {"type": "string", "description": f"{API_VERSION}."},
        "kind": {"type": "string", "description": "Kind of the object."},
    }
    return {
        f"{PREFIX}.{KIND}": {
            "type": "object",
            "description": DESCRIPTION,
            "properties": meta | {"metadata": _reference(ref, f"{META}.ObjectMeta")} | _properties(),
            "x-kubernetes-group-version-kind": [{"group": GROUP, "kind": KIND, "version": VERSION}],
        },
        f"{PREFIX}.{LIST_KIND}": {
            "type": "object",
            "description": f"{LIST_KIND} is a list of AuditRecords.",
            "required": ["items"],
            "properties": meta
            | {
                "metadata": _reference(ref, f"{META}.ListMeta"),
                "items": {"type": "array", "items": {"$ref": f"{ref}{PREFIX}.{KIND}"}},
            },
            "x-kubernetes-group-version-kind": [{"group": GROUP, "kind": LIST_KIND, "version": VERSION}],
        },
        f"{META}.ObjectMeta": {"type": "object", "description": "Standard metadata of an object."},
        f"{META}.ListMeta": {"type": "object", "description": "Standard metadata of a list."},
    }


def v2(version: str) -> JsonObject:
    """The whole document of OpenAPI 2, which the aggregator merges into the API server's."""
    ref = "#/definitions/"
    return {
        "swagger": "2.0",
        "info": _info(version),
        "paths": _paths(lambda name: {"schema": _reference(ref, name)}, lambda name: {"name": name, "type": "string"}),
        "definitions": definitions(ref=ref),
    }


def v3(version: str) -> JsonObject:
    """The document of OpenAPI 3 for our group and version."""
    ref = "#/components/schemas/"
    return {
        "openapi": "3.0.0",
        "info": _info(version),
        "paths": _paths(
            lambda name: {"content": {"application/json": {"schema": _reference(ref, name)}}},
            lambda name: {"name": name, "schema": {"type": "string"}},
        ),
        "components": {"schemas": definitions(ref=ref)},
    }


def _info(version: str) -> JsonObject:
    return {"title": "Interlock audit records", "version": version}


def _reference(ref: str, name: str) -> JsonObject:
    return {"$ref": f"{ref}{name}"}


# ---------------------------------------------------------------------------------------------------------- paths

Spelled = Callable[[str], JsonObject]

_BASE = f"/apis/{GROUP}/{VERSION}"
_NAMESPACED = f"{_BASE}/namespaces/{{namespace}}/{RESOURCE}"


def _paths(answer: Spelled, parameter: Spelled) -> JsonObject:
    def path(operation: str, action: str, kind: str, *names: str) -> JsonObject:
        return {
            "parameters": [parameter(name) | {"in": "path", "required": True} for name in names],
            "get": {
                "operationId": operation,
                "responses": {"200": {"description": "OK"} | answer(f"{PREFIX}.{kind}")},
                "x-kubernetes-action": action,
                "x-kubernetes-group-version-kind": {"group": GROUP, "kind": KIND, "version": VERSION},
            },
        }

    return {
        f"{_BASE}/{RESOURCE}": path("listAuditRecordForAllNamespaces", "list", LIST_KIND),
        _NAMESPACED: path("listNamespacedAuditRecord", "list", LIST_KIND, "namespace"),
        f"{_NAMESPACED}/{{name}}": path("readNamespacedAuditRecord", "get", KIND, "namespace", "name"),
    }


# ----------------------------------------------------------------------------------------------------- properties


def _properties() -> JsonObject:
    """The fields of records, as a tree; `[]` ends a list's name, `KEY` stands for any key."""
    root: JsonObject = {"type": "object"}
    for field in _fields():
        _place(root, field.path.split("."), field)
    found: JsonObject = root["properties"]
    return found


def _fields() -> Iterator[Field]:
    yield from (field for field in recordschema.EVERY_RECORD if field.path not in _MOVED)
    yield from OWN
    yield from recordschema.FIELDS[Kind.DECISION]
    yield from recordschema.FIELDS[Kind.POLICY_CHANGE]


def _place(node: JsonObject, path: list[str], field: Field) -> None:
    """Put a field where its path leads; the first description of a field stays."""
    step, *rest = path
    child = _child(node, step.removesuffix("[]"))
    if step.endswith("[]"):
        child["type"] = "array"
        child = child.setdefault("items", {})
    if rest:
        child.setdefault("type", "object")
        _place(child, rest, field)
    else:
        child.update({**_TYPES[field.type], "description": field.text} | child)


def _child(node: JsonObject, name: str) -> JsonObject:
    children = node if name == "KEY" else node.setdefault("properties", {})
    found: JsonObject = children.setdefault("additionalProperties" if name == "KEY" else name, {})
    return found
