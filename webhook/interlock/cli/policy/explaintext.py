"""An explained decision, for people and for programs."""

from collections.abc import Iterator
from dataclasses import replace

from interlock.cli.painting import Cell, Painter
from interlock.core.explained import Explained, PolicySaid
from interlock.core.gates import Gate, Looked
from interlock.core.policies import zones
from interlock.core.review import explain
from interlock.core.text import listed
from interlock.core.types import JsonObject, Mode, Verdict, WindowState

INDENT = "  "
_STYLES = {Verdict.DENY: "bold red", Verdict.WARN: "yellow", Verdict.ALLOW: "green", Verdict.NOTHING: "dim"}


def text(found: Explained, paint: Painter, *, verbose: bool) -> None:
    """Print everything: who does what, what is in it, every policy, the result."""
    for name, value in _head(found):
        paint.line([Cell(name.ljust(8), "dim"), Cell(value)])
    for missing in found.unknown:
        paint.line([Cell("unknown ", "yellow"), Cell(missing)])
    for said in found.policies:
        paint.line([])
        _policy(found, said, paint, verbose=verbose)
    for outcome in _gone(found):
        paint.line([])
        paint.line([Cell(outcome, "bold"), Cell("decided then, and is not there any more", "yellow")])
    paint.line([])
    decision = found.decision
    paint.line([Cell("result  ", "dim"), Cell(_result(found), _STYLES[decision.stated])])
    for line in _message(found).splitlines():
        paint.line([Cell(line, "dim")], indent=INDENT)


def _head(found: Explained) -> Iterator[tuple[str, str]]:
    request = found.request
    where = f" in {request.namespace}" if request.namespace and not request.is_namespace else ""
    yield "who", f"{request.user.name} ({listed(request.user.groups) or 'no groups'})"
    yield "does", f"{request.operation} {request.resource_path} {request.name}{where}"
    yield "when", explain.instant(found.now)
    for finding in found.decision.findings:
        yield "found", f"{finding.action} ({finding.severity.title}, reaches {finding.reach}): {finding.evidence}"
    if found.decision.continuation:
        yield "so", f"no policy is asked: {found.decision.continuation}"


def _policy(found: Explained, said: PolicySaid, paint: Painter, *, verbose: bool) -> None:
    policy = said.policy
    grade = f"{policy.mode}, {policy.severity.title}"
    style = _STYLES[said.outcome.yields] if said.outcome and not said.outcome.excluded_by else "dim"
    paint.line([Cell(policy.name, "bold"), Cell(grade, "dim"), Cell(_yielded(said), style)])
    if policy.error:
        paint.line([Cell(f"does not compile, and fails closed: {policy.error}", "red")], indent=INDENT)
    width = max((len(each.finding.action) for each in said.looked), default=0)
    for each in said.looked:
        style = "" if each.applies else "dim"
        paint.line([Cell(each.finding.action.ljust(width), style), Cell(_looked(each), style)], indent=INDENT)
        for gate in each.gates if verbose else ():
            paint.line([Cell("ok" if gate.held else "no", "dim"), Cell(_gate(gate), "dim")], indent=INDENT * 3)
    if said.window is not None:
        paint.line([Cell("window"), Cell(window(said.window), "dim")], indent=INDENT)
    for line in _compared(found, said):
        paint.line([Cell("record"), Cell(line, "yellow")], indent=INDENT)


def _yielded(said: PolicySaid) -> str:
    """What came of a policy, in a few words."""
    outcome = said.outcome
    if not said.looked:
        return "not asked"
    if outcome is None:
        return "lifted, nothing to record" if said.selected else "does not apply"
    if outcome.excluded_by:
        return f"lifted by {outcome.excluded_by}, it would yield {outcome.yields.title}"
    would = "would yield" if outcome.mode is Mode.OBSERVE else "yields"
    return f"{would} {outcome.yields.title} for {outcome.finding}"


def _looked(each: Looked) -> str:
    """Whether a finding is selected and applied to, else the first gate that holds it back."""
    refusing = [gate for gate in each.gates if not gate.held]
    if refusing:
        return f"not selected: {_gate(refusing[0])}"
    lifted = f", but lifted by {listed(each.lifted_by)}" if each.lifted_by else ""
    return f"selected by {', '.join(gate.name for gate in each.gates)}{lifted}"


def _gate(gate: Gate) -> str:
    return f"{gate.name}: {gate.said}"


def window(state: WindowState) -> str:
    """How windows stand, with the next transition on their own clock."""
    by = f" by {listed(state.active)}" if state.active else ""
    word = "open" if state.open else "closed"
    change = state.next_transition
    if change is None:
        return f"{word}{by}, and no change in sight"
    local = change.astimezone(zones.zone(state.time_zone))
    then = "closes" if state.open else "opens"
    return f"{word}{by}; {then} {local:%a %Y-%m-%d %H:%M} {state.time_zone} ({explain.instant(change)})"


def _compared(found: Explained, said: PolicySaid) -> Iterator[str]:
    """How a policy of now differs from what a record says of it."""
    if not found.unknown:
        return
    if said.outcome is None:
        if any(each.applies for each in said.looked):
            yield "it had no part in it then; it was another policy, or labels that are not known decided"
    elif said.outcome.digest != said.policy.digest:
        yield f"it has changed since: generation {said.outcome.generation} decided, this is {said.policy.generation}"


def _gone(found: Explained) -> list[str]:
    names = {said.policy.name for said in found.policies}
    return [outcome.policy for outcome in found.decision.outcomes if outcome.policy not in names]


def _result(found: Explained) -> str:
    decision = found.decision
    deciding = [outcome.policy for outcome in explain.deciders(decision)]
    if decision.verdict is Verdict.NOTHING:
        return "Allow: no policy that enforces says anything"
    return f"{decision.verdict.title} by {listed(deciding)}"


def _message(found: Explained) -> str:
    """What the person would be told; of a record nothing, since policies' messages are not in it."""
    if found.unknown:
        return ""
    tried = replace(found.request, dry_run=True)  # no record comes of an explanation
    if not found.decision.allowed:
        return explain.denial(tried, found.decision, receipt=None, record_id="", fault="", now=found.now)
    return "\n".join(explain.warnings(tried, found.decision, record_id=""))


# -------------------------------------------------------------------------------------------------------- for programs


def json(found: Explained) -> JsonObject:
    """Everything as one object."""
    request, decision = found.request, found.decision
    return {
        "user": {"name": request.user.name, "groups": list(request.user.groups)},
        "operation": request.operation.value,
        "resource": request.resource_path,
        "group": request.group,
        "namespace": request.namespace,
        "name": request.name,
        "time": explain.instant(found.now),
        "findings": [
            {
                "action": each.action,
                "severity": each.severity.title,
                "reach": str(each.reach),
                "evidence": each.evidence,
            }
            for each in decision.findings
        ],
        "continuation": decision.continuation,
        "policies": [_policy_json(found, said) for said in found.policies],
        "gone": _gone(found),
        "unknown": list(found.unknown),
        "verdict": decision.stated.title,
        "decidedBy": [outcome.policy for outcome in explain.deciders(decision)] if decision.verdict else [],
        "message": _message(found),
    }


def _policy_json(found: Explained, said: PolicySaid) -> JsonObject:
    outcome = said.outcome
    return {
        "name": said.policy.name,
        "mode": said.policy.mode.value,
        "severity": said.policy.severity.title,
        "error": said.policy.error,
        "findings": [_looked_json(each) for each in said.looked],
        "window": None if said.window is None else _window_json(said.window),
        "yields": None if outcome is None else outcome.yields.title,
        "excludedBy": outcome.excluded_by if outcome else "",
        "record": list(_compared(found, said)),
    }


def _looked_json(each: Looked) -> JsonObject:
    return {
        "action": each.finding.action,
        "selected": each.selected,
        "liftedBy": list(each.lifted_by),
        "gates": [{"name": gate.name, "held": gate.held, "said": gate.said} for gate in each.gates],
    }


def _window_json(state: WindowState) -> JsonObject:
    change = state.next_transition
    return {
        "open": state.open,
        "active": list(state.active),
        "nextTransition": explain.instant(change) if change else None,
        "timeZone": state.time_zone,
    }
