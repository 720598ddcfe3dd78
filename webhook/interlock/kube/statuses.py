"""A policy's status as a value: conditions, window, counters.

    Ready     the policy compiles; the message lists every violation otherwise, and what its windows hardly mean
    InForce   every API server was heard to ask, and every living guard decides, by this version of the policy

Nothing here reads a clock or talks to anybody, and nothing that changes by itself is in it: a status differs only when
something happened to its policy, so that it is written only then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from interlock.core import unstructured
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, Mode, WindowState
from interlock.kube.counters import Counts
from interlock.kube.probing import Heard

MESSAGE_RUNES = 8192
"""Of a condition's message; the schema allows four times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is known of how far policies have come.

    Attributes:
        armed: whether there is a webhook configuration.
        generation: the policy generation that it sends reviews with.
        guards: the generation that each living guard has reached.
        api_servers: what each API server was heard to ask by.
    """

    armed: bool
    generation: int
    guards: tuple[int, ...]
    api_servers: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    type: str
    holds: bool
    reason: str
    message: str


def status_of(
    policy: Policy,
    *,
    window: WindowState | None,
    doubts: Sequence[str] = (),
    counts: Counts,
    publication: Publication,
    old: JsonObject,
    now: datetime,
) -> JsonObject:
    """The status that a policy should have.

    Args:
        policy: as stored.
        window: the state of its windows, None without any.
        doubts: what of its windows is probably not meant, as sentences.
        counts: from the ledger.
        publication: how far policies have come.
        old: the stored status, from which a condition that has not changed keeps its time.
        now: the time of what has.
    """
    status: JsonObject = {
        "observedGeneration": policy.generation,
        "conditions": [
            _written(condition, policy, old, now)
            for condition in (_in_force(policy, publication), _ready(policy, doubts))
        ],
        "apiServers": _asking(policy, publication),
        "counters": _counters(counts),
    }
    return status if window is None else status | {"window": _window(window)}


def _ready(policy: Policy, doubts: Sequence[str]) -> _Condition:
    if policy.error:
        return _Condition("Ready", holds=False, reason="Invalid", message=policy.error)
    message = "\n".join(("every field is understood", *doubts))
    return _Condition("Ready", holds=True, reason="Compiles", message=message)


def _in_force(policy: Policy, publication: Publication) -> _Condition:
    lack = next(_lacks(policy, publication), None)
    if lack is not None:
        reason, message = lack
        return _Condition("InForce", holds=False, reason=reason, message=message)
    message = "every API server was heard to ask, and every guard decides, by this version"
    return _Condition("InForce", holds=True, reason="Asked", message=message)


def _lacks(policy: Policy, publication: Publication) -> Iterator[tuple[str, str]]:
    """What keeps a policy from being in force, as reason and message, what comes first on its way first."""
    version, guards = int(policy.resource_version), publication.guards
    knowing = sum(generation >= version for generation in guards)
    if policy.mode is Mode.DISABLED:
        yield "Disabled", "mode is Disabled"
    if not publication.armed:
        yield "Disarmed", "there is no webhook configuration: nothing is intercepted"
    if publication.generation < version:
        yield "NotPublished", "API servers do not yet ask by this version"
    if not guards:
        yield "NoGuards", "no guard is alive"
    if knowing < len(guards):
        yield "GuardsBehind", f"{knowing} of {len(guards)} guards decide by this version"
    if behind := _api_servers_behind(version, publication.api_servers):
        yield "APIServersBehind", behind


def _api_servers_behind(version: int, servers: Sequence[Heard]) -> str:
    """Which API server does not yet ask by this version, and why; empty if all do."""
    behind = [server for server in servers if server.generation < version]
    if behind:
        why = behind[0].fault or f"asks by policies as of {behind[0].generation}"
        asking = f"{len(servers) - len(behind)} of {len(servers)} API servers ask by this version"
        return f"{asking}; {behind[0].address}: {why}"
    return "" if servers else "no API server has been asked yet"


def _asking(policy: Policy, publication: Publication) -> str:
    """How many of all API servers ask by this version."""
    version = int(policy.resource_version)
    asking = sum(server.generation >= version for server in publication.api_servers)
    return f"{asking}/{len(publication.api_servers)}"


def _written(condition: _Condition, policy: Policy, old: JsonObject, now: datetime) -> JsonObject:
    status = "True" if condition.holds else "False"
    before: JsonObject = next((c for c in unstructured.items(old, "conditions") if c.get("type") == condition.type), {})
    same = before.get("status") == status
    return {
        "type": condition.type,
        "status": status,
        "reason": condition.reason,
        "message": condition.message[:MESSAGE_RUNES],
        "lastTransitionTime": before["lastTransitionTime"] if same else _time(now),
        "observedGeneration": policy.generation,
    }


def _counters(counts: Counts) -> JsonObject:
    found: JsonObject = {
        "matches": counts.matches,
        "denials": counts.denials,
        "warnings": counts.warnings,
        "wouldHave": counts.would_have,
    }
    return found | ({"lastMatch": counts.last_match} if counts.last_match else {})


def _window(window: WindowState) -> JsonObject:
    instants = {"nextTransition": window.next_transition, "nextOpen": None if window.open else window.next_open}
    shown = {name: _time(instant) for name, instant in instants.items() if instant is not None}
    return {"state": "Open" if window.open else "Closed", **shown}


def _time(instant: datetime) -> str:
    """RFC 3339 in whole seconds, as meta/v1 Time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
