"""A policy's status as a value: conditions, window, counters.

    Ready     the policy compiles; the message lists every violation otherwise
    InForce   every API server asks, and every living guard decides by, this version of the policy

Nothing here reads a clock or talks to anybody, and nothing that changes by itself is in it: a status differs only when
something happened to its policy, so that it is written only then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from interlock.core import unstructured
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, Mode, WindowState
from interlock.kube.counters import Counts

MESSAGE_RUNES = 8192
"""Of a condition's message; the schema allows four times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is known of how far policies have come.

    Attributes:
        armed: whether there is a webhook configuration.
        generation: the policy generation that it sends reviews with.
        guards: the generation that each living guard has reached.
    """

    armed: bool
    generation: int
    guards: tuple[int, ...]


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
    counts: Counts,
    publication: Publication,
    old: JsonObject,
    now: datetime,
) -> JsonObject:
    """The status that a policy should have.

    Args:
        policy: as stored.
        window: the state of its windows, None without any.
        counts: from the ledger.
        publication: how far policies have come.
        old: the stored status, from which a condition that has not changed keeps its time.
        now: the time of what has.
    """
    status: JsonObject = {
        "observedGeneration": policy.generation,
        "conditions": [
            _written(condition, policy, old, now) for condition in (_in_force(policy, publication), _ready(policy))
        ],
        "counters": _counters(counts),
    }
    return status if window is None else status | {"window": _window(window)}


def _ready(policy: Policy) -> _Condition:
    if policy.error:
        return _Condition("Ready", holds=False, reason="Invalid", message=policy.error)
    return _Condition("Ready", holds=True, reason="Compiles", message="every field is understood")


def _in_force(policy: Policy, publication: Publication) -> _Condition:
    holds, reason, message = _force(policy, publication)
    return _Condition("InForce", holds=holds, reason=reason, message=message)


def _force(policy: Policy, publication: Publication) -> tuple[bool, str, str]:
    version, guards = int(policy.resource_version), publication.guards
    knowing = sum(generation >= version for generation in guards)
    if policy.mode is Mode.DISABLED:
        return False, "Disabled", "mode is Disabled"
    if not publication.armed:
        return False, "Disarmed", "there is no webhook configuration: nothing is intercepted"
    if publication.generation < version:
        return False, "NotPublished", "API servers do not yet ask by this version"
    if not guards:
        return False, "NoGuards", "no guard is alive"
    if knowing < len(guards):
        return False, "GuardsBehind", f"{knowing} of {len(guards)} guards decide by this version"
    return True, "Published", "API servers ask and every guard decides by this version"


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
