"""What a case of a policy's tests expects of a decision, and how a decision differs from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from interlock.core.review import explain
from interlock.core.text import printable
from interlock.core.types import Decision, Verdict

SHOWN_CHARACTERS = 500
"""Of a message that is not as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Everything that is not None or empty has to be so.

    Attributes:
        verdict: as answered: what no policy stops is Allow.
        findings: catalogue ids, or plain operations, each of which has to be found.
        policy: with Deny and Warn one that gives the verdict; with Allow one that spoke and let it pass: an open
            window, an exclude entry, mode Observe.
        would_have: the strictest yield of policies in mode Observe.
        message: a part of what the person is told, the denial or the warnings.
    """

    verdict: Verdict
    findings: tuple[str, ...] = ()
    policy: str = ""
    would_have: Verdict | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected."""

    what: str
    got: str
    expected: str

    def __str__(self) -> str:
        return f"{self.what}: got {self.got}, expected {self.expected}"


def differences(expected: Expected, decision: Decision, message: str) -> Iterator[Difference]:
    """Compare.

    Args:
        expected: what the case says.
        decision: what was decided.
        message: what the person is told.
    """
    if decision.stated is not expected.verdict:
        yield Difference("verdict", decision.stated.title, expected.verdict.title)
    found = [finding.action for finding in decision.findings]
    for action in expected.findings:
        if action not in found:
            yield Difference("findings", ", ".join(found), action)
    if expected.policy and expected.policy not in speaking(decision):
        yield Difference("policy", ", ".join(speaking(decision)) or "none", expected.policy)
    if expected.would_have is not None and decision.would_have is not expected.would_have:
        yield Difference("wouldHave", decision.would_have.title, expected.would_have.title)
    if expected.message not in message:
        yield Difference("message", printable(message, SHOWN_CHARACTERS) or "nothing", f"a part {expected.message!r}")


def speaking(decision: Decision) -> tuple[str, ...]:
    """The policies behind a verdict: those that gave it; of one that stops and warns of nothing, all that spoke."""
    loud = decision.verdict > Verdict.ALLOW
    return tuple(outcome.policy for outcome in (explain.deciders(decision) if loud else decision.outcomes))
