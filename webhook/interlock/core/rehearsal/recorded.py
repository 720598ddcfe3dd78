"""An action that a record tells of, as far as it does: a request without objects, what was found, what was decided.

A record holds no object, no label, no role and no command (`core.audit.record`), so that what a selector on labels
would say is not known from it. `missing` names everything that is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from interlock.core import times, unstructured
from interlock.core.audit.record import Kind
from interlock.core.audit.recordparts import Reason
from interlock.core.policies.scopespec import LEAVE_PROTECTION
from interlock.core.types import (
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    Operation,
    PolicyOutcome,
    Reach,
    ReachKind,
    Request,
    Severity,
    User,
    Verdict,
    WindowState,
)
from interlock.errors import BadInput

_VERDICTS = {verdict.title: verdict for verdict in Verdict}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a record tells.

    Attributes:
        request: without objects and options.
        missing: what it does not tell, each in one sentence.
    """

    request: Request
    decision: Decision
    time: datetime
    missing: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What every policy was asked about.

        Not what would have been left, of which each policy judges its own, nor the plain finding of a deletion that an
        UPDATE hands to the garbage collector.
        """
        plain = self.request.operation.lower()
        return tuple(
            each
            for each in self.decision.findings
            if each.action != LEAVE_PROTECTION and (each.named or each.action == plain)
        )

    @property
    def left(self) -> Mapping[str, Finding]:
        """By name of the policies that judged it, what would have been left."""
        found = {each.action: each for each in self.decision.findings}
        judging = [outcome.policy for outcome in self.decision.outcomes if outcome.finding == LEAVE_PROTECTION]
        return {policy: found[LEAVE_PROTECTION] for policy in judging if LEAVE_PROTECTION in found}


def read(record: JsonObject) -> Recorded:
    """Read a record of a decision, one that has the types of its schema.

    Raises:
        BadInput: it is about something else, or has a word in it that this version does not know.
    """
    kind = unstructured.text(record, "kind")
    if kind != Kind.DECISION:
        raise BadInput(field="kind", got=kind or "nothing", expected=Kind.DECISION.value)
    try:
        return Recorded(
            request=_request(record),
            decision=_decision(record),
            time=times.read(record["time"]),
            missing=tuple(_missing(record)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(field="record", got=f"{error}", expected="words that this version knows") from error


def _request(record: JsonObject) -> Request:
    target, user = record["target"], record["user"]
    return Request(
        uid=record["requestUID"],
        operation=Operation(record["operation"]),
        group=target["group"],
        version=target["version"],
        resource=target["resource"],
        subresource=target["subresource"],
        kind=target["kind"],
        name=target["name"],
        namespace=target["namespace"],
        user=User(name=user["name"], uid=user["uid"], groups=unstructured.texts(user, "groups")),
        in_collection=target["inCollection"],
    )


def _decision(record: JsonObject) -> Decision:
    continued = record["reason"] == Reason.CONTINUATION
    return Decision(
        verdict=_VERDICTS[record["verdict"]],
        severity=Severity.parse(record["severity"]),
        findings=tuple(map(_finding, record["findings"])),
        outcomes=tuple(map(_outcome, record["policies"])),
        recorded=True,
        durability=Durability(record["durability"]),
        would_have=_VERDICTS[record["wouldHave"]],
        continuation=record["message"] if continued else "",
    )


def _finding(found: JsonObject) -> Finding:
    kind = ReachKind(found["reach"])
    return Finding(
        action=found["action"],
        family=found["family"],
        severity=Severity.parse(found["severity"]),
        evidence=found["evidence"],
        reach=Reach(kind, frozenset(unstructured.texts(found, "namespaces"))),
    )


def _outcome(found: JsonObject) -> PolicyOutcome:
    return PolicyOutcome(
        policy=found["name"],
        uid=found["uid"],
        generation=found["generation"],
        digest=found["digest"],
        mode=Mode(found["mode"]),
        severity=Severity.parse(found["severity"]),
        finding=found["finding"],
        yields=_VERDICTS[found["yields"]],
        window=_window(found["window"]) if "window" in found else None,
        excluded_by=unstructured.text(found, "excludedBy"),
        error=unstructured.text(found, "error"),
    )


def _window(found: JsonObject) -> WindowState:
    return WindowState(
        open=found["open"],
        active=unstructured.texts(found, "active"),
        next_transition=times.read(found["nextTransition"]) if "nextTransition" in found else None,
        next_open=times.read(found["nextOpen"]) if "nextOpen" in found else None,
        time_zone=found["timeZone"],
    )


def _missing(record: JsonObject) -> Iterator[str]:
    yield "the object and its labels: a selector on them is taken to hold in match, and not to hold in exclude"
    yield "labels of namespaces as they were then: those of now are looked at, where there are any"
    yield "policies that did not apply: those of now are asked, and each is compared with the record by its digest"
    lists = {"findings": record, "policies": record, "groups": record["user"]}
    for name, place in lists.items():
        if omitted := place.get(f"{name}Omitted"):
            yield f"{omitted} more {name}, which were left out of the record"
