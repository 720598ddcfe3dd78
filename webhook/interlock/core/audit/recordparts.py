"""The parts of a Decision record: how request and decision are written down, and what of them is not.

Plain values are taken from allow lists (`EXTRA`, `CONNECT_OPTIONS`, `DELETE_OPTIONS`); objects, options and command
lines are only named by their keyed digests.
"""

from collections.abc import Mapping
from enum import StrEnum

import orjson

from interlock.core import jsonbytes, times, unstructured
from interlock.core.audit.capping import Cap, Digest
from interlock.core.policies import loosening
from interlock.core.types import (
    Decision,
    Finding,
    JsonObject,
    Mode,
    Operation,
    PolicyOutcome,
    ReachKind,
    Request,
    User,
    Verdict,
    WindowState,
)

MAX_INTEGER = 1 << 53  # from here on, readers that know only doubles (jq, JavaScript) would read another number

# Of a user's extra, which may hold anything an authenticator puts there, only what names the credential or its bearer.
EXTRA = (
    "authentication.kubernetes.io/credential-id",
    "authentication.kubernetes.io/node-name",
    "authentication.kubernetes.io/node-uid",
    "authentication.kubernetes.io/pod-name",
    "authentication.kubernetes.io/pod-uid",
)

# Options that say how something is done and cannot be secret, with the only type in which each is recorded.
CONNECT_OPTIONS: Mapping[str, type] = {
    "container": str,
    "stdin": bool,
    "stdout": bool,
    "stderr": bool,
    "tty": bool,
    "ports": list,
}
DELETE_OPTIONS: Mapping[str, type] = {"propagationPolicy": str, "gracePeriodSeconds": int, "orphanDependents": bool}


class Reason(StrEnum):
    """Why the verdict is what it is, in one word for programs."""

    POLICY = "Policy"
    POLICY_ERROR = "PolicyError"
    WINDOW_OPEN = "WindowOpen"
    EXCLUDED = "Excluded"
    OBSERVED_ONLY = "ObservedOnly"
    CONTINUATION = "Continuation"
    OVERRUN = "Overrun"


def about_request(request: Request, cap: Cap) -> JsonObject:
    """Write who asked for what."""
    return {
        "requestUID": cap.shorten(request.uid),
        "operation": request.operation.value,
        "target": _target(request, cap),
        "user": _user(request.user, cap),
        "parameters": _parameters(request, cap),
        "digests": _digests(request, cap.digest),
    }


def _target(request: Request, cap: Cap) -> JsonObject:
    fields = {
        "group": request.group,
        "version": request.version,
        "kind": request.kind,
        "resource": request.resource,
        "subresource": request.subresource,
        "namespace": request.namespace,
        "name": request.name,
        "uid": request.target_uid,
    }
    target: JsonObject = {name: cap.shorten(value) for name, value in fields.items()}
    return target | {"inCollection": request.in_collection}


def _user(user: User, cap: Cap) -> JsonObject:
    extra = {key: [cap.shorten(value) for value in user.extra[key][: cap.items]] for key in EXTRA if key in user.extra}
    found: JsonObject = {"name": cap.shorten(user.name), "uid": cap.shorten(user.uid), "extra": extra}
    return found | cap.texts("groups", user.groups)


def _parameters(request: Request, cap: Cap) -> JsonObject:
    if request.operation is Operation.CONNECT:
        options = request.object or {}
        return _allowed(options, CONNECT_OPTIONS, cap) | _command(options.get("command"), cap.digest)
    if request.operation is Operation.DELETE:
        return _allowed(request.options or {}, DELETE_OPTIONS, cap)
    return {}


def _allowed(options: Mapping[str, object], types: Mapping[str, type], cap: Cap) -> JsonObject:
    """The listed options in their own type; anything else under such a name is left to the digest of the whole."""
    found = {name: _parameter(options[name], cap) for name, kind in types.items() if type(options.get(name)) is kind}
    return {name: value for name, value in found.items() if value is not None}


def _parameter(value: object, cap: Cap) -> object:
    match value:
        case str():
            return cap.shorten(value)
        case list():
            return [number for number in value[: cap.items] if type(number) is int and abs(number) < MAX_INTEGER]
        case int():
            return value if abs(value) < MAX_INTEGER else None
        case _:
            return None


def _command(argv: object, digest: Digest) -> JsonObject:
    """A command's arguments are never stored: passwords stand in them."""
    return {"commandDigest": digest(_write_any(argv)), "commandWords": len(argv)} if isinstance(argv, list) else {}


def _digests(request: Request, digest: Digest) -> JsonObject:
    parts = {"object": request.object, "oldObject": request.old_object, "options": request.options}
    return {name: digest(_write_any(value)) for name, value in parts.items() if value is not None}


def _write_any(value: object) -> bytes:
    """Write any JSON value in the one form whose digest is stored: sorted keys, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def about_change(request: Request, cap: Cap) -> JsonObject:
    """Write what a review of a DangerPolicy changes, and whether that may let through what was stopped before."""
    old, new = request.old_object, request.object
    before, after = unstructured.mapping(old, "spec"), unstructured.mapping(new, "spec")
    changes = list(loosening.differences(before, after))
    specs = {"oldDigest": before, "newDigest": after}
    return {
        "loosens": loosening.loosens(old, new),
        **{name: jsonbytes.sha256_hex(jsonbytes.canonical(spec)) for name, spec in specs.items() if spec},
        **cap.listed("changes", changes, lambda change: _change(change, cap)),
    }


def _change(change: tuple[str, str, str], cap: Cap) -> JsonObject:
    path, before, after = map(cap.shorten, change)
    return {"field": path, "before": before, "after": after}


def about_decision(decision: Decision, cap: Cap) -> JsonObject:
    """Write what was decided, and by which policies."""
    return {
        "verdict": decision.stated.title,
        "severity": decision.severity.title,
        "wouldHave": decision.would_have.title,
        "reason": _reason(decision).value,
        "message": cap.shorten(_message(decision)),
        "durability": decision.durability.value,
        **cap.listed("findings", decision.findings, lambda finding: _finding(finding, cap)),
        **cap.listed("policies", decision.outcomes, lambda outcome: _policy(outcome, cap)),
    }


def _reason(decision: Decision) -> Reason:
    counting = [outcome for outcome in decision.outcomes if outcome.counts]
    deciding = [outcome for outcome in counting if outcome.yields == decision.verdict]
    if decision.continuation:
        return Reason.CONTINUATION
    if any(outcome.error for outcome in deciding):
        return Reason.POLICY_ERROR
    if decision.allowed and any(outcome.overrun for outcome in counting):
        return Reason.OVERRUN
    if decision.verdict is Verdict.NOTHING:
        return _reason_to_pass(decision, counting)
    return Reason.POLICY


def _reason_to_pass(decision: Decision, counting: list[PolicyOutcome]) -> Reason:
    if any(outcome.window and outcome.window.open for outcome in counting):
        return Reason.WINDOW_OPEN
    if any(outcome.mode is Mode.ENFORCE and outcome.excluded_by for outcome in decision.outcomes):
        return Reason.EXCLUDED
    return Reason.POLICY if counting else Reason.OBSERVED_ONLY


def _message(decision: Decision) -> str:
    """What was attempted: the evidence of the finding that decided, else of the most severe one."""
    if decision.continuation:
        return decision.continuation
    action = decision.outcomes[0].finding if decision.outcomes else ""
    evidence = [finding.evidence for finding in decision.findings if finding.action == action]
    return (evidence or [finding.evidence for finding in decision.findings] or [""])[0]


def _finding(finding: Finding, cap: Cap) -> JsonObject:
    found: JsonObject = {
        "action": cap.shorten(finding.action),
        "family": cap.shorten(finding.family),
        "severity": finding.severity.title,
        "evidence": cap.shorten(finding.evidence),
        "reach": finding.reach.kind.value,
    }
    if finding.reach.kind is not ReachKind.NAMESPACES:
        return found
    return found | cap.texts("namespaces", sorted(finding.reach.namespaces))


def _policy(outcome: PolicyOutcome, cap: Cap) -> JsonObject:
    found: JsonObject = {
        "name": cap.shorten(outcome.policy),
        "uid": cap.shorten(outcome.uid),
        "generation": outcome.generation,
        "digest": outcome.digest,
        "mode": outcome.mode.value,
        "severity": outcome.severity.title,
        "finding": cap.shorten(outcome.finding),
        "yields": outcome.yields.title,
    }
    optional = {"excludedBy": outcome.excluded_by, "error": outcome.error}
    found |= {name: cap.shorten(text) for name, text in optional.items() if text}
    return found if outcome.window is None else found | {"window": _window(outcome.window, outcome, cap)}


def _window(window: WindowState, outcome: PolicyOutcome, cap: Cap) -> JsonObject:
    instants = {"nextTransition": window.next_transition, "nextOpen": window.next_open}
    found: JsonObject = {"open": window.open, "timeZone": cap.shorten(window.time_zone)}
    found |= {"overrun": True} if outcome.overrun else {}
    found |= {name: times.write(instant) for name, instant in instants.items() if instant is not None}
    return found | cap.texts("active", window.active)
