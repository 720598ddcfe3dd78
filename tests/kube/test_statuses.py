"""A policy's status as a value: what it says in each situation, and that it says nothing new without a reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from interlock.core.types import JsonObject, Mode, WindowState
from interlock.kube.counters import Counts
from interlock.kube.probing import Heard
from interlock.kube.statuses import Publication, status_of
from tests.support.policies import parsed

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = replace(parsed(), generation=3, resource_version="50")
ASKED = Heard(address="10.0.0.1:6443", generation=61, fault="")
DEAD = Heard(address="10.0.0.2:6443", generation=0, fault="no answer in time")
IN_FORCE = Publication(armed=True, generation=50, guards=(50, 61), api_servers=(ASKED, ASKED))


def _status(
    *, policy: object = POLICY, publication: Publication = IN_FORCE, old: JsonObject | None = None, now: datetime = NOW
) -> JsonObject:
    return status_of(policy, window=None, counts=Counts(), publication=publication, old=old or {}, now=now)  # type: ignore[arg-type]


def _condition(status: JsonObject, kind: str) -> tuple[str, str, str]:
    (found,) = [condition for condition in status["conditions"] if condition["type"] == kind]
    return found["status"], found["reason"], found["message"]


def test_whole_status() -> None:
    """A policy in force with windows and counts has this status."""
    window = WindowState(
        open=False,
        active=("freeze",),
        next_transition=NOW + timedelta(hours=1),
        next_open=NOW + timedelta(hours=1),
        time_zone="UTC",
    )
    counts = Counts(matches=5, denials=3, warnings=1, would_have=0, last_match="2026-11-25T11:59:00.000000Z")

    assert status_of(POLICY, window=window, counts=counts, publication=IN_FORCE, old={}, now=NOW) == {
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "InForce",
                "status": "True",
                "reason": "Asked",
                "message": "every API server was heard to ask, and every guard decides, by this version",
                "lastTransitionTime": "2026-11-25T12:00:00Z",
                "observedGeneration": 3,
            },
            {
                "type": "Ready",
                "status": "True",
                "reason": "Compiles",
                "message": "every field is understood",
                "lastTransitionTime": "2026-11-25T12:00:00Z",
                "observedGeneration": 3,
            },
        ],
        "window": {
            "state": "Closed",
            "nextTransition": "2026-11-25T13:00:00Z",
            "nextOpen": "2026-11-25T13:00:00Z",
        },
        "apiServers": "2/2",
        "counters": {
            "matches": 5,
            "denials": 3,
            "warnings": 1,
            "wouldHave": 0,
            "lastMatch": "2026-11-25T11:59:00.000000Z",
        },
    }


def test_doubts_about_windows_are_in_the_message() -> None:
    """A policy whose windows are probably not meant is ready, and says what is doubtful."""
    found = status_of(
        POLICY,
        window=None,
        doubts=("spec.windows.freeze: leaves no opening",),
        counts=Counts(),
        publication=IN_FORCE,
        old={},
        now=NOW,
    )

    assert _condition(found, "Ready") == (
        "True",
        "Compiles",
        "every field is understood\nspec.windows.freeze: leaves no opening",
    )


@pytest.mark.parametrize(
    ("publication", "expected"),
    [
        pytest.param(
            Publication(armed=False, generation=0, guards=(50,), api_servers=(ASKED,)),
            ("False", "Disarmed", "there is no webhook configuration: nothing is intercepted"),
            id="without a webhook configuration nothing is in force",
        ),
        pytest.param(
            Publication(armed=True, generation=49, guards=(50,), api_servers=(ASKED,)),
            ("False", "NotPublished", "API servers do not yet ask by this version"),
            id="before it is published it is not in force",
        ),
        pytest.param(
            Publication(armed=True, generation=50, guards=(), api_servers=(ASKED,)),
            ("False", "NoGuards", "no guard is alive"),
            id="without guards it is not in force",
        ),
        pytest.param(
            Publication(armed=True, generation=50, guards=(49, 50), api_servers=(ASKED,)),
            ("False", "GuardsBehind", "1 of 2 guards decide by this version"),
            id="while a guard is behind it is not in force",
        ),
        pytest.param(
            Publication(armed=True, generation=50, guards=(50,), api_servers=()),
            ("False", "APIServersBehind", "no API server has been asked yet"),
            id="before an API server was heard it is not in force",
        ),
        pytest.param(
            Publication(armed=True, generation=50, guards=(50,), api_servers=(ASKED, replace(ASKED, generation=49))),
            (
                "False",
                "APIServersBehind",
                "1 of 2 API servers ask by this version; 10.0.0.1:6443: asks by policies as of 49",
            ),
            id="while an API server asks by older policies it is not in force",
        ),
        pytest.param(
            Publication(armed=True, generation=50, guards=(50,), api_servers=(DEAD,)),
            ("False", "APIServersBehind", "0 of 1 API servers ask by this version; 10.0.0.2:6443: no answer in time"),
            id="an API server that does not answer keeps it from being in force, and is named",
        ),
        pytest.param(
            Publication(armed=True, generation=99, guards=(50, 99), api_servers=(ASKED,)),
            ("True", "Asked", "every API server was heard to ask, and every guard decides, by this version"),
            id="later changes of other policies do not touch it",
        ),
    ],
)
def test_in_force(publication: Publication, expected: tuple[str, str, str]) -> None:
    """InForce says whether API servers ask and guards decide by this version, and what is missing."""
    assert _condition(_status(publication=publication), "InForce") == expected


def test_disabled_is_never_in_force() -> None:
    """A Disabled policy is not in force, whatever else is true."""
    disabled = replace(POLICY, mode=Mode.DISABLED)

    assert _condition(_status(policy=disabled), "InForce") == ("False", "Disabled", "mode is Disabled")


def test_what_does_not_compile_lists_its_violations() -> None:
    """Ready carries every violation, and the policy, which fails closed, may well be in force."""
    why = "spec.windows.timeZone: got 'Mars', expected an IANA zone"
    broken = replace(POLICY, error=why)
    status = _status(policy=broken)

    assert _condition(status, "Ready") == (
        "False",
        "Invalid",
        "spec.windows.timeZone: got 'Mars', expected an IANA zone",
    )
    assert _condition(status, "InForce")[0] == "True"


def test_time_moves_only_with_the_condition() -> None:
    """A condition keeps its time while its status stays, and a status looked at later is the same status."""
    first = _status()
    later = _status(old=first, now=NOW + timedelta(days=1))
    disarmed = _status(old=first, now=NOW + timedelta(days=1), publication=replace(IN_FORCE, armed=False))

    assert later == first
    assert [condition["lastTransitionTime"] for condition in disarmed["conditions"]] == [
        "2026-11-26T12:00:00Z",
        "2026-11-25T12:00:00Z",
    ]
