"""How AuditRecords are written for one client: in which form, and with or without evidence."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from interlock.core.auditapi import resource, table
from interlock.core.auditapi.media import Form
from interlock.core.auditapi.table import Include
from interlock.core.auditapi.trail import Trail
from interlock.core.auditapi.window import Event
from interlock.core.ports import Clock
from interlock.core.types import JsonObject

RECENT = 512
"""Changes that stay written for the next watcher: with fifty of them each is written once and not fifty times."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How one client sees AuditRecords.

    Attributes:
        form: object, table or metadata.
        include: what rows of a table carry.
        evidence: whether the client may see it.
    """

    form: Form
    include: Include
    evidence: bool


class Writer:
    """Writes AuditRecords of a trail."""

    def __init__(self, trail: Trail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock
        self._decoded = Recent[int, JsonObject](RECENT)
        self._written = Recent[tuple[int, View, bool], bytes](RECENT)

    def single(self, made: JsonObject, view: View) -> bytes:
        """One object as the answer to a get; a table has it as its only row."""
        if view.form is Form.TABLE:
            shown = self._shown(made, view)
            metadata = {"resourceVersion": made["metadata"]["resourceVersion"]}
            return orjson.dumps(table.table([shown], metadata=metadata, include=view.include, now=self._clock()))
        return self.item(orjson.dumps(made), view)

    def proof(self, made: JsonObject) -> bytes:
        """The proof of one object."""
        return orjson.dumps(self._trail.proof(made))

    def item(self, raw: bytes, view: View) -> bytes:
        """One object of a list, or one row of a table."""
        return orjson.dumps(self._formed(self._shown(orjson.loads(raw), view), view))

    def frame(self, view: View, metadata: JsonObject) -> tuple[bytes, bytes]:
        """What stands before and after the items of a list."""
        match view.form:
            case Form.TABLE:
                whole, inner = table.table([], metadata=metadata, include=view.include, now=self._clock()), "rows"
            case Form.METADATA_LIST | Form.METADATA:
                whole = {"kind": "PartialObjectMetadataList", "apiVersion": table.API_VERSION, "metadata": metadata}
                inner = "items"
            case _:
                whole = {"kind": resource.LIST_KIND, "apiVersion": resource.API_VERSION, "metadata": metadata}
                inner = "items"
        whole.pop(inner, None)
        return orjson.dumps(whole)[:-1] + f',"{inner}":['.encode(), b"]}"

    def decoded(self, event: Event) -> JsonObject:
        """The object of a change, to be looked at and not changed."""
        return self._decoded.get(event.version, lambda: event.made)

    def change(self, event: Event, view: View, *, headed: bool, kind: str = "") -> bytes:
        """One line of a watch.

        Args:
            event: the change.
            view: how it is seen.
            headed: whether a table says its columns: in the first line of a watch.
            kind: of the line, if not that of the change.
        """

        def write() -> bytes:
            made = self._formed(self._shown(self.decoded(event), view), view)
            if view.form is Form.TABLE:
                made = {
                    **table.table([], metadata={"resourceVersion": str(event.version)}, include=view.include, now=now),
                    "rows": [made],
                }
                if not headed:
                    made["columnDefinitions"] = []
            return orjson.dumps({"type": kind or event.change.value, "object": made}) + b"\n"

        now = self._clock()
        return write() if kind else self._written.get((event.version, view, headed), write)

    def bookmark(self, view: View, version: int, *, initial_end: bool) -> bytes:
        """The line of a watch that says how far it is."""
        metadata: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        match view.form:
            case Form.TABLE:
                made = table.table([], metadata=metadata, include=view.include, now=self._clock())
            case Form.METADATA | Form.METADATA_LIST:
                made = table.metadata_only({"metadata": metadata})
            case _:
                made = {"kind": resource.KIND, "apiVersion": resource.API_VERSION, "metadata": metadata}
        return orjson.dumps({"type": "BOOKMARK", "object": made}) + b"\n"

    def _shown(self, made: JsonObject, view: View) -> JsonObject:
        complete = self._trail.complete(made)
        return complete if view.evidence else resource.without_evidence(complete)

    def _formed(self, made: JsonObject, view: View) -> JsonObject:
        match view.form:
            case Form.TABLE:
                return table.row(made, include=view.include, now=self._clock())
            case Form.METADATA | Form.METADATA_LIST:
                return table.metadata_only(made)
            case _:
                return made


class Recent(Generic[K, V]):
    """Remembers the values that were made last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value for a key, made if it is not there."""
        if key in self._values:
            return self._values[key]
        value = self._values[key] = make()
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value
