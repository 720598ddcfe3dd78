"""What probes look at, and what metrics show of the parts that keep the numbers themselves."""

import asyncio
from datetime import datetime

from interlock.core.audit.storeproof import Proven
from interlock.core.ports import Clock
from interlock.kube.inventory import Inventory
from interlock.kube.leader import Elector
from interlock.kube.ledgerfeed import LedgerFeed
from interlock.kube.probing import Prober
from interlock.kube.snapshots import SnapshotFeed
from interlock.ledger.lane import Lane
from interlock.serve.admission import AdmissionServer
from interlock.serve.auditapi.live import Live
from interlock.serve.health import Check
from interlock.serve.metrics import Reading, Shown, Tally
from interlock.serve.server import HttpServer
from interlock.wiring import timezones
from interlock.wiring.logkeeping import LogKeeping

STALE_SECONDS = 300.0  # ten lists of the policies missed in a row: other guards are likely to know better


def checks(*, feed: SnapshotFeed, lane: Lane, admission: AdmissionServer, stopping: asyncio.Event) -> tuple[Check, ...]:
    """What a ready guard has. Certification of the lane is not among it: a guard decides without a controller."""
    return (
        Check(name="snapshot", fault=lambda: _snapshot_fault(feed)),
        Check(name="certificate", fault=lambda: "" if admission.certified else "no certificate has been read yet"),
        Check(name="listener", fault=lambda: "" if admission.listening else "not listening yet"),
        Check(name="lane", fault=lambda: "" if lane.status.accepting else lane.status.fault or "not open"),
        Check(name="not-stopping", fault=lambda: "stopping" if stopping.is_set() else ""),
    )


def _snapshot_fault(feed: SnapshotFeed) -> str:
    if feed.current() is None:
        return "policies, namespaces and roles have not been read completely yet"
    age = feed.freshness().age_seconds
    return f"last known to be complete {age:.0f} s ago" if age > STALE_SECONDS else ""


def of_guard(*, feed: SnapshotFeed, lane: Lane, http: HttpServer) -> tuple[Shown, ...]:
    """Numbers of a guard."""
    return (*_of_snapshot(feed), *_of_lane(lane), *_of_listener(http), _time_zones())


def of_controller(inventory: Inventory, elector: Elector, prober: Prober) -> tuple[Shown, ...]:
    """Numbers of a controller."""
    return (
        Reading(name="interlock_leading", text="1 on the leader.", read=lambda: elector.leading),
        Reading(
            name="interlock_armed",
            text="1 where the webhook configuration exists.",
            read=lambda: inventory.configuration is not None,
        ),
        Reading(name="interlock_api_servers", text="API servers known.", read=lambda: len(prober.heard)),
        Reading(
            name="interlock_api_servers_asking",
            text="Those heard to ask by the published policies.",
            read=lambda: sum(one.generation >= inventory.published_generation for one in prober.heard),
        ),
        Reading(name="interlock_policies", text="Policies stored.", read=lambda: len(inventory.policies)),
        Reading(name="interlock_guards", text="Guards alive and ready.", read=lambda: len(inventory.guards())),
        Reading(
            name="interlock_policy_generation",
            text="resourceVersion of the newest policy change seen.",
            read=lambda: inventory.generation,
        ),
        Reading(
            name="interlock_published_policy_generation",
            text="The one that API servers send reviews with.",
            read=lambda: inventory.published_generation,
        ),
        _time_zones(),
    )


def of_log(log: LogKeeping, clock: Clock) -> tuple[Shown, ...]:
    """Numbers of the log, on the leader; zero elsewhere."""
    return (
        Reading(
            name="interlock_log_checkpoint",
            text="Number of the newest checkpoint; -1 before the first.",
            read=lambda: log.notary.number,
        ),
        Reading(
            name="interlock_log_checkpoint_age_seconds",
            text="Since the newest checkpoint; a heartbeat is due every 60.",
            read=lambda: _age(log.notary.at, clock),
        ),
        Reading(
            name="interlock_log_records",
            text="Records merged into the log by this process.",
            read=lambda: log.notary.records,
            counter=True,
        ),
        Reading(name="interlock_log_open_lanes", text="Lanes that guards write.", read=lambda: log.notary.open),
        Reading(
            name="interlock_log_broken_lanes",
            text="Lanes found broken by this process: records that do not follow one another.",
            read=lambda: len(log.notary.broken),
        ),
        Reading(
            name="interlock_log_failing",
            text="1 while the log does not grow: the controller's log says why.",
            read=lambda: bool(log.notary.fault),
        ),
        Reading(
            name="interlock_shipped_checkpoint",
            text="Number of the newest checkpoint that is in the store and was read back; -1 without one.",
            read=lambda: log.archive.number,
        ),
        Reading(
            name="interlock_shipping_lag_seconds",
            text="Since the newest checkpoint that is in the store; a minute and a half when all is well.",
            read=lambda: _age(log.archive.at, clock),
        ),
        Reading(
            name="interlock_shipping_waiting",
            text="Checkpoints that are signed and not in the store.",
            read=lambda: log.archive.waiting,
        ),
        Reading(
            name="interlock_shipping_failing",
            text="1 while nothing can be shipped: the controller's log says why.",
            read=lambda: bool(log.archive.fault),
        ),
        Reading(
            name="interlock_store_proven",
            text="1 where the store was lately seen to lock, 0 where it was seen not to, -1 where nobody knows.",
            read=lambda: {Proven.TRUE: 1, Proven.FALSE: 0, Proven.UNKNOWN: -1}[log.proven[0]],
        ),
        Reading(
            name="interlock_records_retired",
            text="Commits and checkpoints that this process has removed from the cluster.",
            read=lambda: log.archive.retired,
            counter=True,
        ),
    )


def of_records(live: Live, feed: LedgerFeed, http: HttpServer) -> tuple[Shown, ...]:
    """Numbers of a process that serves AuditRecords."""
    window = live.trail.window
    return (
        Reading(name="interlock_auditrecords", text="AuditRecords that can be listed.", read=lambda: len(window)),
        Reading(name="interlock_auditrecords_bytes", text="The same as JSON, in bytes.", read=lambda: window.size),
        Reading(
            name="interlock_auditrecords_forgotten",
            text="AuditRecords that went because there was no room, before the cluster retired them.",
            read=lambda: window.forgotten,
            counter=True,
        ),
        Reading(
            name="interlock_auditrecords_unreadable",
            text="Records and checkpoints of the cluster that could not be used: `interlock verify` says why.",
            read=lambda: live.trail.unreadable,
            counter=True,
        ),
        Reading(name="interlock_auditrecords_watches", text="Watches under way.", read=lambda: live.watches),
        Reading(
            name="interlock_ledger_heard_age_seconds",
            text="Since something was last heard of the ledger; a minute and a half when all is well.",
            read=lambda: asyncio.get_running_loop().time() - feed.heard_at if live.loaded else 0.0,
        ),
        *_of_listener(http),
    )


def _age(at: datetime | None, clock: Clock) -> float:
    return (clock() - at).total_seconds() if at else 0.0


def _time_zones() -> Reading:
    return Reading(
        name="interlock_tzdata",
        text="Release of the time zones that windows are read by, as a number: 2026.06 is 2026f.",
        read=timezones.release,
    )


def _of_snapshot(feed: SnapshotFeed) -> tuple[Reading, ...]:
    return (
        Reading(
            name="interlock_snapshot_age_seconds",
            text="Since the snapshot was last known to be complete.",
            read=lambda: feed.freshness().age_seconds,
        ),
        Reading(
            name="interlock_snapshot_generation",
            text="Policy generation that the snapshot contains.",
            read=lambda: feed.freshness().generation,
        ),
        Reading(
            name="interlock_snapshot_policies",
            text="Policies in the snapshot.",
            read=lambda: feed.freshness().policies,
        ),
    )


def _of_lane(lane: Lane) -> tuple[Reading, ...]:
    return (
        Reading(
            name="interlock_records_pending",
            text="Records that have a place and are not known to be stored.",
            read=lambda: lane.status.pending_records,
        ),
        Reading(
            name="interlock_records_pending_bytes",
            text="The same in bytes.",
            read=lambda: lane.status.pending_bytes,
        ),
        Reading(
            name="interlock_records_stored",
            text="Records stored by this process.",
            read=lambda: lane.status.stored_records,
            counter=True,
        ),
        Reading(
            name="interlock_commits",
            text="Commits stored by this process; records over commits is the size of a group.",
            read=lambda: lane.status.commits,
            counter=True,
        ),
        Reading(
            name="interlock_lane_forks",
            text="Lanes given up because somebody else wrote under their next name.",
            read=lambda: lane.status.forks,
            counter=True,
        ),
        Reading(
            name="interlock_lane_certified",
            text="1 if the lane's certificate is in the lane, else 0.",
            read=lambda: int(lane.status.certified),
        ),
    )


def _of_listener(http: HttpServer) -> tuple[Shown, ...]:
    return (
        Tally(
            name="interlock_http_answers",
            text="Requests answered by the TLS listener; 401 are forged ones, 503 are asked again.",
            label="status",
            read=lambda: {str(int(status)): count for status, count in http.answered.items()},
        ),
        Reading(
            name="interlock_http_connections",
            text="Open connections of the TLS listener.",
            read=lambda: http.open_connections,
        ),
        Reading(
            name="interlock_http_held_bytes",
            text="Bytes of bodies received and not yet answered.",
            read=lambda: http.budget.taken,
        ),
        Reading(
            name="interlock_http_turned_away",
            text="Connections refused because there were too many.",
            read=lambda: http.turned_away,
            counter=True,
        ),
    )
