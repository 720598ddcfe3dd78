"""What the controller knows: policies, guards' reports, the webhook configuration, and at which policy generation.

    kopf events ─┐
                 ├─▶ views ─▶ generation ─▶ whoever waits on `moved`
    own lists ───┘

`generation` is the largest resourceVersion at which the set of (policy uid, metadata.generation) changed, as seen here.
Status writes do not change it. It never goes back, not even below what an earlier controller has published.

kopf lists anew after a watch was cut for long, but tells nothing of what was deleted meanwhile; it marks what it lists
by an event without type. Any such event makes `resync` due: a consistent list of our own, merged into the views.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from interlock import settings
from interlock.core import unstructured
from interlock.core.interception import rules
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, HistoryRewound
from interlock.kube import paths, reading
from interlock.kube.client import ApiClient
from interlock.kube.view import View, version_of

LOG = structlog.get_logger(__name__)

RESYNC_SECONDS = 60.0
"""A consistent list at least so often: bounds how long anything lost stays unnoticed."""

RESYNC_RETRY_SECONDS = 1.0

GUARD_SELECTOR = f"{settings.COMPONENT_LABEL}=guard"
CONFIGURATIONS = ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReport:
    """What a guard says in its Lease.

    Attributes:
        name: of its pod; the Lease belongs to the pod and goes with it.
        generation: policy generation that it has reached; 0 before it has seen any policy list, when it is not ready.
        lane: that it writes; empty before it writes one.
        certified: whether its lane has a certificate.
    """

    name: str
    generation: int
    lane: str
    certified: bool


class Inventory:
    """The newest known state, and a wake-up for every change of it."""

    def __init__(self, api: ApiClient, *, namespace: str, configuration: str) -> None:
        self._api = api
        self._namespace = namespace
        self._configuration_name = configuration
        self._policies = View(essence=reading.POLICIES.essence, read=reading.read_policy)
        self._guards = View(essence=_report, read=_report)
        self._renewed_at: dict[str, float] = {}  # guard -> our monotonic clock; clocks of two machines are not compared
        self._statuses = View(essence=version_of, read=lambda obj: unstructured.mapping(obj, "status"))
        self._configurations = View(essence=version_of, read=lambda obj: obj)
        self._policies_listed = False
        self._configuration_listed = False
        self._generation = 0
        self._revision = 0
        self._resync_due = asyncio.Event()
        self._moved = asyncio.Event()

    # ------------------------------------------------------------------------------------------ for who acts on it

    @property
    def complete(self) -> bool:
        """Whether everything was listed at least once; before that nothing may be concluded from an absence."""
        return self._policies_listed and self._configuration_listed

    @property
    def generation(self) -> int:
        """The policy generation."""
        return self._generation

    @property
    def revision(self) -> int:
        """Counts changes of the set of policies; events of two policies may come in the wrong order of generations."""
        return self._revision

    @property
    def policies(self) -> Sequence[Policy]:
        """Every policy, by name."""
        return sorted(self._policies.values().values(), key=lambda policy: policy.name)

    @property
    def configuration(self) -> JsonObject | None:
        """The webhook configuration, or None if there is none: Interlock is disarmed."""
        return self._configurations.values().get(("", self._configuration_name))

    def status_of(self, name: str) -> JsonObject:
        """The stored status of a policy, empty if it has none."""
        return self._statuses.values().get(("", name), {})

    def guards(self) -> Sequence[GuardReport]:
        """Guards that live and are ready, by name."""
        return sorted((report for report in self._alive() if report.generation), key=lambda report: report.name)

    def lanes(self) -> frozenset[str] | None:
        """Lanes that living guards, ready or not, call their own; None while that is not known."""
        return frozenset(report.lane for report in self._alive()) if self.complete else None

    def _alive(self) -> list[GuardReport]:
        oldest = _monotonic() - settings.GUARD_LEASE_FRESH_SECONDS
        reports = self._guards.values().values()
        return [report for report in reports if self._renewed_at.get(report.name, oldest) > oldest]

    @property
    def moved(self) -> asyncio.Event:
        """Set at the next change; take it before looking, so that no change falls between."""
        return self._moved

    def wake(self) -> None:
        """Wake everybody: something that is not kept here has changed."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    # ------------------------------------------------------------------------------------------ for watches

    def policy_event(self, kind: str | None, obj: JsonObject) -> None:
        """Take note of a policy."""
        if self._event(self._policies, kind, obj):
            self._raise_generation(version_of(obj))
        self._event(self._statuses, kind, obj)

    def guard_event(self, kind: str | None, obj: JsonObject) -> None:
        """Take note of a guard's Lease; a mere renewal wakes nobody."""
        self._renewed_at[obj["metadata"]["name"]] = _monotonic()
        self._event(self._guards, kind, obj)

    def configuration_event(self, kind: str | None, obj: JsonObject) -> None:
        """Take note of a webhook configuration; also of the answer to a write of our own."""
        self._event(self._configurations, kind, obj)

    def _event(self, view: View[Any], kind: str | None, obj: JsonObject) -> bool:
        if kind is None:
            self._resync_due.set()
        changed = view.remove(obj) if kind == "DELETED" else view.put(obj)
        if changed:
            self.wake()
        return changed

    def _raise_generation(self, version: int) -> None:
        self._generation = max(self._generation, version)
        self._revision += 1

    # ------------------------------------------------------------------------------------------ the work

    async def run(self) -> None:
        """Take consistent lists for ever: at the start, when kopf has listed anew, and every so often.

        Raises:
            HistoryRewound: nothing known can be trusted.
        """
        while True:
            self._resync_due.clear()
            try:
                await self.resync()
            except HistoryRewound:
                raise
            except ClusterError as error:
                LOG.warning("cannot list what the controller acts on", why=str(error))
                await asyncio.sleep(RESYNC_RETRY_SECONDS)
                continue
            try:
                async with asyncio.timeout(RESYNC_SECONDS):
                    await self._resync_due.wait()
            except TimeoutError:
                pass

    async def resync(self) -> None:
        """Merge consistent lists of everything.

        Raises:
            ClusterError: a list failed; what was merged before it stays.
        """
        items, version = await self._api.list(paths.collection(*CONFIGURATIONS), field_selector=self.field_selector)
        self._configurations.merge(items, int(version))
        self._configuration_listed = True
        self._generation = max(self._generation, self.published_generation)
        await self._resync_policies()
        items, version = await self._api.list(
            paths.collection("coordination.k8s.io", "v1", "leases", namespace=self._namespace),
            label_selector=GUARD_SELECTOR,
        )
        self._guards.merge(items, int(version))
        self._forget_renewals()
        self.wake()

    def _forget_renewals(self) -> None:
        """Keep what is known of Leases that exist; one seen for the first time counts as renewed now."""
        now = _monotonic()
        names = [report.name for report in self._guards.values().values()]
        self._renewed_at = {name: self._renewed_at.get(name, now) for name in names}

    async def _resync_policies(self) -> None:
        items, version = await self._api.list(reading.POLICIES.path)
        self._statuses.merge(items, int(version))
        if not self._policies.merge(items, int(version)):
            self._policies_listed = True
            return
        # At the first list nothing is known to have changed since the newest object; later ones reveal what was missed.
        seen = int(version) if self._policies_listed else max(map(version_of, items), default=0)
        self._policies_listed = True
        self._raise_generation(seen)

    @property
    def field_selector(self) -> str:
        """Selects the one webhook configuration that is ours."""
        return f"metadata.name={self._configuration_name}"

    @property
    def published_generation(self) -> int:
        """The generation in the configuration's paths; 0 if there is none."""
        return rules.generation_of(self.configuration)


def _report(lease: JsonObject) -> GuardReport:
    annotations: Mapping[str, str] = unstructured.mapping(lease, "metadata", "annotations")
    generation = annotations.get(settings.GENERATION_ANNOTATION, "")
    return GuardReport(
        name=lease["metadata"]["name"],
        generation=int(generation) if generation.isdigit() else 0,
        lane=annotations.get(settings.LANE_ANNOTATION, ""),
        certified=annotations.get(settings.CERTIFIED_ANNOTATION) == "true",
    )


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
