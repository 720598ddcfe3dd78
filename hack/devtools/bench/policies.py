"""The policies that the reviews meet: those that decide, and crowds of others around them.

A crowd of policies that *cannot match* speaks of other actions, of other kinds, or literally of other namespaces: the
index must keep every one of them away from the decision. A crowd that *must be evaluated* speaks of the reviews' own
actions and users everywhere, and only the very last thing that is looked at, the object's name, is another one.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Policy = dict[str, Any]

DECIDING = "bench-decides"


def deciding() -> Iterator[Policy]:
    """Those that deny, and one that allows what happens in its window; all want a stored record before the answer."""
    yield _policy(
        f"{DECIDING}-deny",
        verdict="Deny",
        match={"actions": ["delete-namespace", "exec"], "namespaces": {"names": ["denied-*"]}},
    )
    yield _policy(f"{DECIDING}-grant", verdict="Deny", match={"actions": ["grant-admin"]})
    yield _policy(
        f"{DECIDING}-allow",
        verdict="Allow",
        match={"actions": ["delete-namespace"], "namespaces": {"names": ["allowed-*"]}},
        windows={"timeZone": "Europe/Berlin", "allow": [_change_night(), _today()], "outside": "Deny"},
    )


def _change_night() -> dict[str, Any]:
    return {"name": "change-night", "weekly": {"days": ["Tue", "Thu"], "start": "22:00", "end": "02:00"}}


def _today() -> dict[str, Any]:
    """An exception that is open for as long as a benchmark can last."""
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now - timedelta(hours=1), now + timedelta(days=1)
    return {"name": "migration", "once": {"start": start.isoformat(), "end": end.isoformat()}}


def unmatchable(number: int) -> Policy:
    """One that cannot match, in three kinds by turns."""
    matches = (
        {"actions": ["delete-namespace", "exec"], "namespaces": {"names": [f"other-{number}"]}},
        {"actions": ["delete-volume"], "namespaces": {"names": ["denied-*", "allowed-*"]}},
        {"operations": ["DELETE"], "resources": [{"groups": ["apps"], "resources": ["deployments"]}]},
    )
    return _policy(f"bench-unmatchable-{number}", verdict="Deny", match=matches[number % len(matches)])


def evaluated(number: int) -> Policy:
    """One that must be evaluated to its end, and then does not match."""
    match = {
        "actions": ["delete-namespace", "exec", "grant-admin"],
        "subjects": {"users": ["bench-*"]},
        "objects": {"names": [f"other-{number}-*"]},
    }
    return _policy(f"bench-evaluated-{number}", verdict="Deny", match=match)


CROWDS: dict[str, Callable[[int], Policy]] = {"cannot match": unmatchable, "evaluated": evaluated}


def _policy(name: str, *, verdict: str, match: dict[str, Any], **more: object) -> Policy:
    spec = {
        "severity": "High",
        "mode": "Enforce",
        "match": match,
        "verdict": verdict,
        "audit": {"durability": "BlockingStrict"},
        "message": "Ask in #platform.",
        **more,
    }
    return {
        "apiVersion": "interlock.dev/v1alpha1",
        "kind": "DangerPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
