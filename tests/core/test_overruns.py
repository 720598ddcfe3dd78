"""What goes on with an operation that began inside a window: the same policy, user, credential and namespace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from interlock.core import decide, snapshot
from interlock.core.policies.policy import Policy
from interlock.core.review import overruns
from interlock.core.review.overruns import MAX_MARKS, Memory
from interlock.core.types import Decision, JsonObject, Request, User, Verdict
from tests.support.policies import find, parsed, request

OPEN = datetime(2026, 11, 17, 21, 30, tzinfo=UTC)
CLOSED = OPEN + timedelta(minutes=40)
OVER = OPEN + timedelta(minutes=50)
WINDOWS = {
    "timeZone": "UTC",
    "allow": [
        {
            "name": "evening",
            "weekly": {"days": ["Tue"], "start": "21:00", "end": "22:00"},
            "overrun": {"grace": "20m"},
        }
    ],
}
POLICY = replace(
    parsed(
        "evenings",
        verdict=None,
        windows=WINDOWS,
        match={"actions": None, "operations": ["DELETE"], "resources": [{"groups": [""], "resources": ["pods"]}]},
    ),
    uid="p",
)
CREDENTIAL = "authentication.kubernetes.io/credential-id"
ALICE = User(name="alice", uid="a", extra={CREDENTIAL: ("JTI=1",)})
FIRST = request(user=ALICE)


def decided(asked: Request, now: datetime, *stored: Policy) -> Decision:
    """The decision without any memory."""
    return decide.decide(asked, find(asked), snapshot.build(policies=stored or (POLICY,)), now)


def began(now: datetime = OPEN) -> Memory:
    """A memory of the first request, allowed while the window was open."""
    memory = Memory()
    assert memory.note(FIRST, decided(FIRST, now), now)
    return memory


OTHERS = {
    "the same again": (FIRST, True),
    "another object of the namespace": (request(user=ALICE, name="web-1"), True),
    "another namespace": (request(user=ALICE, namespace="bank"), False),
    "another user": (request(user=replace(ALICE, name="eve")), False),
    "another user of the same name": (request(user=replace(ALICE, uid="b")), False),
    "another credential": (request(user=replace(ALICE, extra={CREDENTIAL: ("JTI=2",)})), False),
}


@pytest.mark.parametrize(("asked", "goes_on"), OTHERS.values(), ids=OTHERS.keys())
def test_what_goes_on(asked: Request, *, goes_on: bool) -> None:
    """A request goes on with what began if policy, user, credential and namespace are the same."""
    found = overruns.overrunning(asked, decided(asked, CLOSED), began().marks)

    assert found == (frozenset({"p"}) if goes_on else frozenset())


def test_not_after_the_grace() -> None:
    """When the grace is over nothing goes on."""
    assert overruns.may_go_on(decided(FIRST, CLOSED)) != ()
    assert overruns.may_go_on(decided(FIRST, OVER)) == ()


def test_not_with_what_began_at_another_time() -> None:
    """What was allowed a week before began nothing this week."""
    marks = began(OPEN - timedelta(days=7)).marks

    assert overruns.overrunning(FIRST, decided(FIRST, CLOSED), marks) == frozenset()


def test_not_with_another_policy() -> None:
    """What one policy let begin is nothing to another."""
    other = replace(POLICY, uid="q")

    assert overruns.overrunning(FIRST, decided(FIRST, CLOSED, other), began().marks) == frozenset()


def test_it_yields_what_an_open_window_does() -> None:
    """A request that goes on is judged as if the window were open, and recorded."""
    before = decided(FIRST, CLOSED)
    after = decide.gone_on(FIRST, before, {"p"})

    assert (before.verdict, before.outcomes[0].overrun) == (Verdict.DENY, False)
    assert (after.verdict, after.outcomes[0].overrun, after.recorded) == (Verdict.NOTHING, True, True)


def test_nothing_begins_while_closed_or_in_a_grace() -> None:
    """An operation that goes on begins no other one."""
    memory = Memory()
    gone_on = decide.gone_on(FIRST, decided(FIRST, CLOSED), {"p"})

    assert (memory.note(FIRST, gone_on, CLOSED), memory.marks) == (False, {})


def test_others_hear_of_the_first_request_of_an_opening() -> None:
    """A mark that others may lack is news, once in an opening."""
    memory = began()
    again = OPEN + timedelta(minutes=5)
    next_week = OPEN + timedelta(days=7)

    assert not memory.note(FIRST, decided(FIRST, again), again)
    assert memory.note(FIRST, decided(FIRST, next_week), next_week)
    assert list(memory.marks.values()) == [next_week]


def test_the_latest_are_remembered() -> None:
    """A guard that sees more than it can tell forgets the oldest."""
    memory = began()
    for index in range(MAX_MARKS):
        asked = request(user=ALICE, namespace=f"n{index}")
        memory.note(asked, decided(asked, OPEN), OPEN)

    assert len(memory.marks) == MAX_MARKS
    assert overruns.overrunning(FIRST, decided(FIRST, CLOSED), memory.marks) == frozenset()


def test_marks_survive_being_told() -> None:
    """What is read is what was written, in whole seconds, and names nobody."""
    marks = began().marks
    told = overruns.written(marks)

    assert overruns.read(told) == marks
    assert "alice" not in told


TOLD: dict[str, str] = {"nonsense": "{", "a list": "[1]", "no number": '{"a": {}}', "no time": '{"a": 1e300}'}


@pytest.mark.parametrize("text", [*TOLD.values(), "x" * 1_000_000], ids=[*TOLD.keys(), "far too much"])
def test_what_is_no_telling_tells_nothing(text: str) -> None:
    """Whatever stands in the place of marks is read as none."""
    assert overruns.read(text) == {}


def test_the_latest_of_all_counts() -> None:
    """Several guards know of the same operation; the latest instant is the one."""
    other: JsonObject = {"a": OPEN, "b": CLOSED}

    assert overruns.united([{"a": CLOSED}, other]) == {"a": CLOSED, "b": CLOSED}
