"""AuditRecords, read through the user's own kubectl: listed in pages, then watched."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

import orjson

from interlock.cli.kubectl import Kubectl
from interlock.core import times as instants
from interlock.core.auditapi.resource import API_VERSION, RESOURCE
from interlock.core.auditapi.window import Expired
from interlock.core.types import JsonObject
from interlock.core.unstructured import flag, integer, mapping, text
from interlock.errors import Unavailable

PAGE = 500
"""Records asked for at once, as kubectl does."""

RETRIES = 5
"""Of a watch that breaks off, one after the other: a pod that serves it may be going, another one is there."""

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened at one moment.

    Attributes:
        count: how often, as people read it; `times` at least so often.
        record: the AuditRecord's name.
    """

    time: datetime
    verdict: str
    user: str
    namespace: str
    action: str
    target: str
    policy: str
    count: str
    times: int
    record: str

    @classmethod
    def of(cls, made: JsonObject) -> "Moment":
        """Read an AuditRecord.

        Raises:
            BadInput: it has no time.
        """
        resource = "/".join(
            part for part in (text(made, "target", "resource"), text(made, "target", "subresource")) if part
        )
        count = integer(made, "series", "count") or 1
        exact = "series" not in made or flag(made, "series", "exact")
        return cls(
            time=instants.read(text(made, "time")),
            verdict=text(made, "verdict"),
            user=text(made, "user", "name"),
            namespace=text(made, "metadata", "namespace"),
            action=text(made, "action"),
            target=f"{resource} {text(made, 'target', 'name')}".strip(),
            policy=text(made, "policy"),
            count=f"{count}{'' if exact else '+'}",
            times=count,
            record=text(made, "metadata", "name"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list.

    Attributes:
        version: its resource version, at which a watch goes on.
        warnings: what the server said about it.
    """

    moments: tuple[Moment, ...]
    version: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which AuditRecords, and through which kubectl.

    Attributes:
        namespace: whose; empty for all that may be read.
        labels, fields: selectors.
    """

    kubectl: Kubectl
    namespace: str = ""
    labels: str = ""
    fields: str = ""

    def list(self) -> Listed:
        """Everything that there is.

        Raises:
            ClusterError: it could not be read; the message is kubectl's.
        """
        moments, warnings, token = list[Moment](), dict[str, None](), ""
        while True:
            answer, said = self.kubectl.raw(self._path({"limit": str(PAGE)} | ({"continue": token} if token else {})))
            page: JsonObject = orjson.loads(answer)
            moments += map(Moment.of, page["items"])
            warnings |= dict.fromkeys(said)
            token = text(page, "metadata", "continue")
            if not token:
                version = text(page, "metadata", "resourceVersion")
                return Listed(moments=tuple(moments), version=version, warnings=tuple(warnings))

    def follow(self, version: str) -> Iterator[Moment]:
        """Every change after a version; never ends by itself.

        Raises:
            ClusterError: it could not be read; the message is kubectl's.
            Expired: some changes are forgotten: list again.
        """
        failed = 0
        while True:
            try:
                for event in self._events(version):
                    version, failed = text(event, "metadata", "resourceVersion"), 0
                    if "verdict" in event:  # a bookmark only says how far the watch is
                        yield Moment.of(event)
            except Unavailable:
                failed += 1
                if failed > RETRIES:
                    raise
                time.sleep(RETRY_SECONDS)

    def _events(self, version: str) -> Iterator[JsonObject]:
        """The objects of one watch, bookmarks included, until it ends.

        Raises:
            ClusterError: it failed, in kubectl's words.
            Expired: some changes are forgotten.
        """
        query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
        for line in self.kubectl.lines(self._path(query)):
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                raise Expired(f"the watch broke off: {text(event, 'object', 'message')}; run it again")
            yield mapping(event, "object")

    def _path(self, query: dict[str, str]) -> str:
        selectors = {"labelSelector": self.labels, "fieldSelector": self.fields}
        chosen = query | {name: value for name, value in selectors.items() if value}
        where = f"/namespaces/{quote(self.namespace, safe='')}" if self.namespace else ""
        return f"/apis/{API_VERSION}{where}/{RESOURCE}?{urlencode(chosen)}"
