"""hack/bench: the reviews and policies are what they say, nothing unaccounted passes, and the figures are right."""

from datetime import UTC, datetime

import orjson
import pytest

from devtools.bench import load, policies, report
from devtools.bench.admission import NOOP, Result
from devtools.bench.reviews import FRESH, SCENARIOS, Scenario
from devtools.errors import ToolError
from interlock.core import catalogue, snapshot
from interlock.core.decide import decide
from interlock.core.policies.policy import parse
from interlock.core.review import request as requests
from interlock.core.types import Durability, Request

CROWD = 9  # policies of each kind; more show nothing new

each_scenario = pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS])


def read(scenario: Scenario) -> Request:
    """One review as the guard reads it."""
    return requests.parse(scenario.body.replace(FRESH.encode(), b"8f8a3a52"))


def crowd(name: str) -> snapshot.Snapshot:
    """The deciding policies with a crowd around them."""
    around = [policies.CROWDS[name](number) for number in range(CROWD)]
    return snapshot.build(policies=map(parse, [*policies.deciding(), *around]))


@each_scenario
@pytest.mark.parametrize("around", policies.CROWDS)
def test_every_review_meets_its_verdict_and_is_recorded(scenario: Scenario, around: str) -> None:
    """Whatever stands around, one policy decides, as the scenario says, and demands a stored record."""
    review, seen = read(scenario), crowd(around)

    decision = decide(review, catalogue.find(review, seen), seen, datetime.now(UTC))  # noqa: TID251  windows are open now

    outcomes = [outcome.policy.startswith(policies.DECIDING) for outcome in decision.outcomes]
    shown = (decision.verdict.title, review.operation.value, decision.recorded, decision.durability, outcomes)
    assert shown == (scenario.verdict, scenario.operation, True, Durability.BLOCKING_STRICT, [True])


@each_scenario
@pytest.mark.parametrize(("around", "met"), [("cannot match", 0), ("evaluated", CROWD)])
def test_crowds_are_what_they_are_called(scenario: Scenario, around: str, met: int) -> None:
    """The index leads to none of the policies that cannot match, and to all that must be evaluated."""
    review, seen = read(scenario), crowd(around)

    candidates = seen.policies.candidates(review, catalogue.find(review, seen))

    assert sum(not policy.name.startswith(policies.DECIDING) for policy in candidates) == met


@each_scenario
def test_no_two_requests_are_alike(scenario: Scenario) -> None:
    """uid, user and object name differ in every request."""
    request = orjson.loads(scenario.body)["request"]

    assert all(FRESH in text for text in (request["uid"], request["name"], request["userInfo"]["username"]))


def fortio(*, codes: dict[str, int], sockets: int) -> dict[str, object]:
    """What fortio reports, as far as it is read."""
    percentiles = [{"Percentile": 50, "Value": 0.001}, {"Percentile": 99, "Value": 0.002}]
    histogram = {"Count": 100, "Percentiles": percentiles}
    return {"DurationHistogram": histogram, "RetCodes": codes, "SocketCount": sockets, "ActualQPS": 50.0}


def test_requests_that_warm_connections_up_are_counted() -> None:
    """Each connection sends one more than the histogram holds."""
    seen = load.read(fortio(codes={"200": 100}, sockets=4), 4)

    assert seen == load.Load(sent=104, per_second=50.0, p50=0.001, p99=0.002)


@pytest.mark.parametrize(
    ("codes", "sockets"),
    [
        pytest.param({"200": 99, "503": 1}, 4, id="an answer that is no review"),
        pytest.param({"200": 100}, 5, id="a connection that was lost and made again"),
    ],
)
def test_a_disturbed_run_gives_no_figures(codes: dict[str, int], sockets: int) -> None:
    """A run in which something went wrong is an error, not a result."""
    with pytest.raises(ToolError, match="expected 200 on 4"):
        load.read(fortio(codes=codes, sockets=sockets), 4)


def result(crowd_: str, size: int, cpu: float) -> Result:
    """A result of which only the CPU matters."""
    return Result(
        scenario="DELETE denied",
        crowd=crowd_,
        policies=size,
        connections=16,
        requests=1000,
        p50_micros=1234.5,
        p99_micros=2000.0,
        per_second=500.0,
        cpu_micros=cpu,
        records_per_commit=0.0 if crowd_ == NOOP else 8.0,
        resident_mib=80.0,
    )


RESULTS = [
    result(NOOP, 0, 20.0),
    result("evaluated", 1, 400.0),
    result("evaluated", 1000, 1500.0),
    result("cannot match", 1, 400.0),
    result("cannot match", 10_000, 440.0),
]


def test_the_table_ends_with_what_is_wanted() -> None:
    """Growth and the cost of evaluation stand at the end, next to what is wanted of them."""
    lines = report.table(RESULTS).splitlines()

    assert (lines[-2:], lines[5].split()) == (
        [
            "  1 to 10,000 policies that cannot match: grows 1.10 and 1.10 times, wanted at most 1.2",
            "  1,000 policies evaluated: 1,500 and 1,500 µs, wanted under 2,000",
        ],
        ["DELETE", "denied", "1,000", "evaluated", "16", "1,234", "2,000", "500", "1,500", "75.0", "8.0", "80"],
    )


def test_json_says_the_same_with_units() -> None:
    """Programs get every result, with its ratio to the no-op server."""
    found = orjson.loads(report.as_json(RESULTS))["results"]

    assert [(row["crowd"], row["cpu_micros"], row["cpu_times_noop"]) for row in found] == [
        (NOOP, 20.0, 1.0),
        ("evaluated", 400.0, 20.0),
        ("evaluated", 1500.0, 75.0),
        ("cannot match", 400.0, 20.0),
        ("cannot match", 440.0, 22.0),
    ]
