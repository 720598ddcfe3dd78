"""Answers: the text that a person reads, the causes that a program reads, and the bounds of both."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.review import response
from interlock.core.types import (
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    PolicyOutcome,
    Reach,
    Receipt,
    Request,
    Severity,
    Verdict,
    WindowState,
)
from interlock.errors import BadReview
from tests.support import reviews
from tests.support.policies import request

NOW = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
ID = "01a21082-7530-7469-b992-0000000abcde"
RECEIPT = Receipt(record_id=ID, lane="a1b2c3d4e5f60718", sequence=42, leaf="f" * 64)
REVIEW = replace(request("DELETE", "namespaces", name="prod-shop", namespace="prod-shop"), uid="u-1")
EVICTION = request("CREATE", "pods/eviction")

FOUND = (
    Finding(
        action="delete-namespace",
        family="destruction",
        severity=Severity.CRITICAL,
        evidence="delete Namespace prod-shop and everything in it",
        reach=Reach.of("prod-shop"),
    ),
    Finding(
        action="delete",
        family="plain",
        severity=Severity.LOW,
        evidence="delete namespaces prod-shop",
        reach=Reach.of("prod-shop"),
    ),
)

CLOSED = WindowState(
    open=False,
    active=("black-friday",),
    next_transition=datetime(2026, 11, 30, 23, 0, tzinfo=UTC),
    next_open=datetime(2026, 11, 30, 23, 0, tzinfo=UTC),
    time_zone="Europe/Berlin",
)
LATER = replace(CLOSED, active=(), next_open=datetime(2026, 12, 1, 1, 0, tzinfo=UTC))
NEVER = replace(CLOSED, active=("forever",), next_open=None, next_transition=None)
OPEN = replace(CLOSED, open=True, active=("weekly",), next_transition=datetime(2026, 11, 28, 22, 15, 1, tzinfo=UTC))


WARNED = "Interlock (High): policy protect: delete Namespace prod-shop and everything in it (delete-namespace)"


def outcome(policy: str = "protect", **change: Any) -> PolicyOutcome:
    """What a policy says; unless told otherwise it enforces a denial."""
    usual = PolicyOutcome(
        policy=policy,
        uid="p-1",
        generation=3,
        digest="d" * 64,
        mode=Mode.ENFORCE,
        severity=Severity.HIGH,
        finding="delete-namespace",
        yields=Verdict.DENY,
    )
    return replace(usual, **change)


def decision(*outcomes: PolicyOutcome, **change: Any) -> Decision:
    """A decision by these outcomes."""
    counting = [each.yields for each in outcomes if each.counts]
    usual = Decision(
        verdict=max(counting, default=Verdict.NOTHING),
        severity=Severity.CRITICAL,
        findings=FOUND,
        outcomes=outcomes,
        recorded=bool(outcomes),
        durability=Durability.BLOCKING,
    )
    return replace(usual, **change)


def answered(
    made: Decision, *, review: Request = REVIEW, receipt: Receipt | None = RECEIPT, record_id: str = ID, fault: str = ""
) -> JsonObject:
    """The response part of the answer."""
    body = response.answer(review, made, receipt=receipt, record_id=record_id, recorded_fault=fault, now=NOW)
    return reviews.response(body)


# ----------------------------------------------------------------------------------------------------- whole answers


def test_a_denial() -> None:
    """A denial tells people in fixed order, programs in causes, and the audit log where the record is."""
    found = answered(
        decision(outcome(window=CLOSED, message="Ask in #prod-change.\nRunbook: https://runbooks.example/ns"))
    )

    message = (
        "Denied (Critical)\n"
        "policy protect\n"
        "attempted: delete Namespace prod-shop and everything in it (delete-namespace)\n"
        "window: closed by black-friday; opens Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z, in 2 d 1 h)\n"
        "next: Ask in #prod-change.\n"
        "Runbook: https://runbooks.example/ns\n"
        f"record {ID}"
    )
    causes = [
        {"reason": "interlock.dev/verdict", "message": "Deny"},
        {"reason": "interlock.dev/policy", "message": "protect"},
        {"reason": "interlock.dev/next-open", "message": "2026-11-30T23:00:00Z"},
        {"reason": "interlock.dev/record", "message": ID},
    ]
    assert found == {
        "uid": "u-1",
        "allowed": False,
        "status": {
            "status": "Failure",
            "message": message,
            "reason": "Forbidden",
            "code": 403,
            "details": {"causes": causes},
        },
        "auditAnnotations": {"rec-0000000abcde": f"Deny a1b2c3d4e5f60718/42 {'f' * 64}"},
    }


def test_an_allow_that_nobody_speaks_of() -> None:
    """What no policy speaks of is allowed without a word."""
    assert answered(decision(), record_id="", receipt=None) == {"uid": "u-1", "allowed": True}


def test_an_allow_that_is_recorded() -> None:
    """A recorded allow says nothing to the user and names its record to the audit log."""
    found = answered(decision(outcome(yields=Verdict.ALLOW)))

    assert found == {
        "uid": "u-1",
        "allowed": True,
        "auditAnnotations": {"rec-0000000abcde": f"Allow a1b2c3d4e5f60718/42 {'f' * 64}"},
    }


def test_a_warning() -> None:
    """A warning is one line that names policy, action, the author's text and the record."""
    found = answered(decision(outcome(yields=Verdict.WARN, message="Think\ntwice.")))

    assert found == {
        "uid": "u-1",
        "allowed": True,
        "warnings": [
            f"{WARNED}: Think twice. [record {ID}]",
        ],
        "auditAnnotations": {"rec-0000000abcde": f"Warn a1b2c3d4e5f60718/42 {'f' * 64}"},
    }


def test_an_allow_that_is_withheld() -> None:
    """BlockingStrict without a stored record is a refusal that says why, and that trying again may help."""
    made = decision(outcome(yields=Verdict.ALLOW), durability=Durability.BLOCKING_STRICT)

    found = answered(made, receipt=None, fault="commit took longer than 2 s")

    assert (found["allowed"], found["status"]["code"], found["status"]["reason"]) == (False, 503, "ServiceUnavailable")
    assert found["status"]["message"].splitlines() == [
        "Refused (Critical): nothing is allowed here unless its record is stored",
        "policy protect",
        "attempted: delete Namespace prod-shop and everything in it (delete-namespace)",
        "next: try again; if that does not help, the operators of Interlock see why in `kubectl get dangerpolicies`",
        f"record {ID} is not known to be stored: commit took longer than 2 s",
    ]
    assert reviews.causes(found) == {"interlock.dev/verdict": "Unrecorded", "interlock.dev/policy": "protect"}
    assert found["auditAnnotations"] == {"rec-0000000abcde": f"Allow {ID} not-known-to-be-stored"}


PERMITS = outcome(yields=Verdict.ALLOW)
WITHHELD: dict[str, tuple[Decision, Receipt | None, bool]] = {
    "strict without a record": (decision(PERMITS, durability=Durability.BLOCKING_STRICT), None, True),
    "strict with its record": (decision(PERMITS, durability=Durability.BLOCKING_STRICT), RECEIPT, False),
    "blocking without a record": (decision(PERMITS, durability=Durability.BLOCKING), None, False),
    "strict, but nothing is recorded, as in a dry run": (
        decision(PERMITS, durability=Durability.BLOCKING_STRICT, recorded=False),
        None,
        False,
    ),
    "a denial is none": (decision(outcome(), durability=Durability.BLOCKING_STRICT), None, False),
}


@pytest.mark.parametrize(("made", "receipt", "withheld"), WITHHELD.values(), ids=WITHHELD.keys())
def test_is_withheld(made: Decision, receipt: Receipt | None, *, withheld: bool) -> None:
    """An allow is withheld only where a record is due, strictly, and not known to be stored."""
    assert response.is_withheld(made, receipt) == withheld


# ------------------------------------------------------------------------------------------------- lines of a denial

ATTEMPT = "attempted: delete Namespace prod-shop and everything in it (delete-namespace)"
ASK = "next: ask those who keep the policy (`kubectl get dangerpolicy protect -o yaml`)"
WAIT = (
    "next: wait until the window opens, or ask those who keep the policy (`kubectl get dangerpolicy protect -o yaml`)"
)
STORED = f"record {ID}"
FIRST_OF_DECEMBER = "Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z, in 2 d 1 h)"

LINES: dict[str, tuple[Decision, JsonObject, list[str]]] = {
    "without window and message": (decision(outcome()), {}, ["policy protect", ATTEMPT, ASK, STORED]),
    "outside every window": (
        decision(outcome(window=LATER)),
        {},
        [
            "policy protect",
            ATTEMPT,
            "window: closed; opens Tue 2026-12-01 02:00 Europe/Berlin (2026-12-01T01:00:00Z, in 2 d 3 h)",
            WAIT,
            STORED,
        ],
    ),
    "a window that never opens": (
        decision(outcome(window=NEVER)),
        {},
        ["policy protect", ATTEMPT, "window: closed by forever; no opening in sight", ASK, STORED],
    ),
    "a denial while the window is open": (
        decision(outcome(window=OPEN)),
        {},
        [
            "policy protect",
            ATTEMPT,
            "window: open by weekly until Sat 2026-11-28 23:15 Europe/Berlin (2026-11-28T22:15:01Z, in 46 min)",
            ASK,
            STORED,
        ],
    ),
    "several policies": (
        decision(outcome("a", window=CLOSED, message="Ask A."), outcome("b", finding="delete", message="Ask B.")),
        {},
        [
            "policies a, b",
            ATTEMPT + "; delete namespaces prod-shop (delete)",
            f"window of a: closed by black-friday; opens {FIRST_OF_DECEMBER}",
            "next: Ask A.",
            "Ask B.",
            STORED,
        ],
    ),
    "many policies are counted": (
        decision(*(outcome(f"p{number}", message="Ask.") for number in range(5))),
        {},
        ["policies p0, p1, p2 and 2 more", ATTEMPT, "next: Ask.", STORED],
    ),
    "only who decided is named": (
        decision(
            outcome(),
            outcome("warns", yields=Verdict.WARN),
            outcome("observes", mode=Mode.OBSERVE),
            outcome("excluded", excluded_by="spec.exclude[0]"),
        ),
        {},
        ["policy protect", ATTEMPT, ASK, STORED],
    ),
    "a policy that cannot be evaluated": (
        decision(outcome(error="spec.windows: no such\nzone")),
        {},
        [
            "policy protect",
            "policy protect cannot be evaluated and counts as its strictest verdict: spec.windows: no such\\nzone",
            ATTEMPT,
            ASK,
            STORED,
        ],
    ),
    "a dry run": (
        decision(outcome(), recorded=False),
        {"review": replace(REVIEW, dry_run=True), "receipt": None, "record_id": ""},
        ["policy protect", ATTEMPT, ASK, "(dry run: nothing was recorded)"],
    ),
    "a record that nobody waits for": (
        decision(outcome(), durability=Durability.BATCH),
        {"receipt": None},
        ["policy protect", ATTEMPT, ASK, f"record {ID} (being stored)"],
    ),
    "a record that is not stored in time": (
        decision(outcome()),
        {"receipt": None, "fault": "no answer"},
        ["policy protect", ATTEMPT, ASK, f"record {ID} is not known to be stored: no answer"],
    ),
    "a record that could not be made": (
        decision(outcome()),
        {"receipt": None, "record_id": "", "fault": "the lane is closed"},
        ["policy protect", ATTEMPT, ASK, "no record could be made: the lane is closed"],
    ),
}


@pytest.mark.parametrize(("made", "more", "lines"), LINES.values(), ids=LINES.keys())
def test_lines_of_a_denial(made: Decision, more: JsonObject, lines: list[str]) -> None:
    """Each line says one thing, and only where there is something to say."""
    found = answered(made, **more)

    assert found["status"]["message"].splitlines() == ["Denied (Critical)", *lines]


OPENINGS: dict[str, tuple[Decision, str | None]] = {
    "the only window": (decision(outcome(window=CLOSED)), "2026-11-30T23:00:00Z"),
    "the later of two windows": (
        decision(outcome("a", window=LATER), outcome("b", window=CLOSED)),
        "2026-12-01T01:00:00Z",
    ),
    "not if another policy denies without a window": (decision(outcome("a", window=CLOSED), outcome("b")), None),
    "not if it denies while open": (decision(outcome("a", window=CLOSED), outcome("b", window=OPEN)), None),
    "not if it never opens": (decision(outcome(window=NEVER)), None),
}


@pytest.mark.parametrize(("made", "opening"), OPENINGS.values(), ids=OPENINGS.keys())
def test_next_open(made: Decision, opening: str | None) -> None:
    """A program is told an instant only if all that stands in the way goes by then."""
    assert reviews.causes(answered(made)).get("interlock.dev/next-open") == opening


CODES = {
    "a denial": (REVIEW, (403, "Forbidden")),
    "a denied eviction": (EVICTION, (429, "TooManyRequests")),
}


@pytest.mark.parametrize(("review", "expected"), CODES.values(), ids=CODES.keys())
def test_code(review: Request, expected: tuple[int, str]) -> None:
    """A drain waits for an eviction that is denied; everything else is forbidden."""
    status = answered(decision(outcome()), review=review)["status"]

    assert (status["code"], status["reason"]) == expected


# ----------------------------------------------------------------------------------------------------------- warnings

OBSERVED = decision(outcome(mode=Mode.OBSERVE))


def test_observing_is_silent() -> None:
    """An observing policy says nothing to who is at work."""
    assert "warnings" not in answered(OBSERVED)


def test_observing_speaks_in_a_dry_run() -> None:
    """Whoever tries out is told what enforcing would do."""
    found = answered(OBSERVED, review=replace(REVIEW, dry_run=True), receipt=None, record_id="")

    assert found["warnings"] == [
        f"{WARNED}: mode Observe, enforced it would be Deny",
    ]


def test_many_warnings_are_few() -> None:
    """However many policies warn, the API server is given no more than it takes."""
    warned = [outcome(f"p{number}", yields=Verdict.WARN) for number in range(30)]

    assert len(answered(decision(*warned))["warnings"]) == response.MAX_WARNINGS


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=500)


@given(TEXT, TEXT)
def test_hostile_texts(name: str, message: str) -> None:
    """Whatever stands in names and messages, warnings fit the API server and no line of a denial can be forged."""
    found = (replace(FOUND[0], evidence=name), *FOUND[1:])
    warns = decision(outcome(name, yields=Verdict.WARN, message=message), findings=found)
    denies = decision(outcome(name, error=name), findings=found)

    [warning] = answered(warns)["warnings"]
    lines = answered(denies, fault=message, receipt=None)["status"]["message"].split("\n")

    assert (len(warning) <= 256, warning.isprintable(), warning.endswith(f"[record {ID}]")) == (True, True, True)
    assert [line.split(" ")[0] for line in lines] == ["Denied", "policy", "policy", "attempted:", "next:", "record"]
    assert all(line.isprintable() for line in lines)


def test_answers_are_small() -> None:
    """However much there is to say, an answer stays small."""
    everything = [
        outcome("p" * 300 + str(number), message="m" * 5000, error="e" * 5000, window=CLOSED) for number in range(50)
    ]
    found = (replace(FOUND[0], evidence="x" * 5000), *FOUND[1:])

    size = len(orjson.dumps(answered(decision(*everything, findings=found), receipt=None, fault="f" * 5000)))

    assert size < 16 * 1024


# ----------------------------------------------------------------------------------------------------------- refusals


def test_refuse() -> None:
    """A review that cannot be judged is refused as a bad request, naming what was wrong, with nothing unprintable."""
    error = BadReview(field="request.name", got="'a\x1bb'", expected="a name", uid="u-1")

    assert reviews.response(response.refuse("u-1", error)) == {
        "uid": "u-1",
        "allowed": False,
        "status": {
            "status": "Failure",
            "message": "Refused: Interlock cannot judge this review\nrequest.name: got 'a\\x1bb', expected a name",
            "reason": "BadRequest",
            "code": 400,
        },
    }


def test_failed() -> None:
    """An error of our own is a refusal that carries its id, and no more."""
    assert reviews.response(response.failed("u-1", "e-7")) == {
        "uid": "u-1",
        "allowed": False,
        "status": {
            "status": "Failure",
            "message": "Refused: Interlock met an error of its own, nothing is decided\n"
            "next: give its operators error id e-7",
            "reason": "InternalError",
            "code": 500,
        },
    }
