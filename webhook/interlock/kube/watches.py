"""What kopf watches for a guard, and how kopf is set up: to watch, and to do nothing else.

kopf would write to the objects that it handles: finalizers and annotations for daemons, timers and create, update and
delete handlers. Only index and event handlers are registered here, which never do (1.45.2,
`_core/reactor/processing.py`: patches come from changing and spawning causes only); no object ever carries a mark of
ours, so policies can be deleted with Interlock dead.

Order at the start (1.45.2): `watcher` (`_core/reactor/queueing.py`) makes a toggle per listed object before its worker
starts, `process_resource_event` (`_core/reactor/processing.py`) runs the index handlers, drops the object's toggle, and
then waits for all toggles of all indexed kinds before it runs event handlers. So when any event handler runs for the
first time, the index handlers of every listed object of every kind have run: the view is complete.
"""

from collections.abc import Iterator
from typing import Any

import aiohttp
import kopf

from interlock import settings
from interlock.kube.reading import KINDS, Kind
from interlock.kube.session import ApiTarget, borrowed_session
from interlock.kube.snapshots import SnapshotFeed

PAGE_ITEMS = 500  # of kopf's own lists
RETRY_SECONDS = (1, 1, 2, 3, 5)  # then the last of them for ever

CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")


class PatientBackoffs:
    """Pauses between kopf's attempts at one request, without end.

    kopf ends the whole process when a request has failed for the last time. A guard has better things to do while the
    API server is away: it decides by what it knows, and says how old that is.
    """

    def __iter__(self) -> Iterator[float]:
        """Yield seconds."""
        yield from RETRY_SECONDS
        while True:
            yield RETRY_SECONDS[-1]


def configured(server: Any) -> kopf.OperatorSettings:
    """kopf's settings: no events, no peering, no managed webhooks, our own admission server.

    Args:
        server: called by kopf with its function for reviews; yields how it can be reached.
    """
    configuration = kopf.OperatorSettings()
    configuration.posting.enabled = False
    configuration.peering.standalone = True
    configuration.admission.server = server
    configuration.admission.managed = None
    configuration.networking.error_backoffs = PatientBackoffs()
    configuration.watching.chunk_size = PAGE_ITEMS
    # kopf watches all CRDs to learn of new kinds. One interests us, and some clusters have hundreds of large ones.
    configuration.watching.field_selectors[CRDS] = f"metadata.name={settings.POLICIES}.{settings.GROUP}"
    return configuration


def register_login(registry: kopf.OperatorRegistry, target: ApiTarget, session: aiohttp.ClientSession) -> None:
    """Have kopf use the process's connections."""

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=target.server, aiohttp_session=borrowed_session(target, session))


def register_watches(registry: kopf.OperatorRegistry, feed: SnapshotFeed) -> None:
    """Have kopf feed the snapshots."""
    for kind in KINDS:
        _register(registry, feed, kind)


def _register(registry: kopf.OperatorRegistry, feed: SnapshotFeed, kind: Kind) -> None:
    @kopf.index(kind.group, kind.version, kind.plural, registry=registry, id=f"index-{kind.plural}")
    async def put(body: kopf.Body, **_: Any) -> None:
        feed.put(kind, dict(body))

    @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=f"event-{kind.plural}")
    async def event(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002  kopf passes it by this name
        if type == "DELETED":
            feed.remove(kind, dict(body))
        if type is None:
            feed.listed_anew()
        feed.complete()
