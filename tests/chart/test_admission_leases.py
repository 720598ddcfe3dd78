"""Leases on a real API server: each is written by whom it speaks of, and taken away with its pod."""

import pytest

from tests.chart import manifests
from tests.chart.callers import (
    ADMINISTRATOR,
    BREAK_GLASS,
    CONTROLLER,
    EVERYBODY,
    GARBAGE,
    GUARD,
    MANAGER,
    NAMESPACES,
    Caller,
    account,
)
from tests.chart.guarded import DRY_RUN, Guarded, refused

pytestmark = pytest.mark.cluster

OWN, FOREIGN = "interlock-guard-a", "interlock-guard-b"
LEADER = "interlock-controller"
THIS_GUARD = account("interlock-guard", pod=OWN)
POD_OF_NO_GUARD = account("default", pod=OWN)

OF_A_GUARD = "written by the guards only"
NOT_ITS_OWN = "no Lease but the one named after its pod"
OF_THE_LEADER = "written by its controllers only"


@pytest.fixture(scope="module", autouse=True)
def _leases(guarded: Guarded) -> None:
    """Both guards and the leader have written theirs."""
    for who, name in ((THIS_GUARD, OWN), (account("interlock-guard", pod=FOREIGN), FOREIGN), (CONTROLLER, LEADER)):
        assert guarded.creates(who, manifests.lease(name)).ok


@pytest.mark.parametrize("name", [FOREIGN, LEADER, "interlock-guard-new", "interlock-guard", "other"])
def test_guard_writes_no_other(name: str, guarded: Guarded) -> None:
    """A guard in wrong hands can speak for no other guard, and not delay the election of a leader."""
    assert refused(guarded.creates(THIS_GUARD, manifests.lease(name), DRY_RUN), NOT_ITS_OWN)


@pytest.mark.parametrize("name", [FOREIGN, LEADER])
@pytest.mark.parametrize("verb", [("annotate", "a=b"), ("delete",)], ids=lambda verb: verb[0])
def test_guard_changes_no_other(verb: tuple[str, ...], name: str, guarded: Guarded) -> None:
    """What exists is as protected as what does not."""
    assert refused(guarded.by(THIS_GUARD, verb[0], "lease", name, *verb[1:], DRY_RUN), NOT_ITS_OWN)


def test_guard_writes_its_own(guarded: Guarded) -> None:
    """A guard keeps the Lease that is named after its pod."""
    assert guarded.by(THIS_GUARD, "annotate", "lease", OWN, "a=b", DRY_RUN).ok


def test_token_without_a_pod_writes_none(guarded: Guarded) -> None:
    """A guard's token that is bound to no pod says nothing about which guard it is."""
    assert refused(guarded.by(GUARD, "annotate", "lease", OWN, "a=b"), NOT_ITS_OWN)


@pytest.mark.parametrize("who", [ADMINISTRATOR, CONTROLLER, POD_OF_NO_GUARD, NAMESPACES], ids=str)
def test_of_a_guard_is_written_by_nobody_else(who: Caller, guarded: Guarded) -> None:
    """Nobody can say in a guard's name which policies it has seen."""
    assert refused(guarded.by(who, "annotate", "lease", OWN, "a=b"), OF_A_GUARD)
    assert refused(guarded.by(who, "delete", "lease", OWN), OF_A_GUARD)


@pytest.mark.parametrize("who", [GARBAGE, MANAGER, BREAK_GLASS], ids=str)
def test_of_a_guard_goes_with_its_pod(who: Caller, guarded: Guarded) -> None:
    """The garbage collector can remove it, or part it from a pod whose dependents are to stay."""
    assert guarded.by(who, "delete", "lease", OWN, DRY_RUN).ok
    assert guarded.by(who, "annotate", "lease", OWN, "a=b", DRY_RUN).ok


@pytest.mark.parametrize(
    "who", sorted(EVERYBODY - {CONTROLLER, BREAK_GLASS, GUARD}, key=str), ids=str
)  # a guard is told why by another rule
def test_of_the_leader_is_written_by_nobody_else(who: Caller, guarded: Guarded) -> None:
    """Who leads is settled among controllers."""
    assert refused(guarded.by(who, "annotate", "lease", LEADER, "a=b"), OF_THE_LEADER)
    assert refused(guarded.by(who, "delete", "lease", LEADER), OF_THE_LEADER)


@pytest.mark.parametrize("who", [CONTROLLER, BREAK_GLASS], ids=str)
def test_of_the_leader_is_written_by_controllers(who: Caller, guarded: Guarded) -> None:
    """A controller can take it, and the groups that the values name can free it."""
    assert guarded.by(who, "annotate", "lease", LEADER, "a=b", DRY_RUN).ok
    assert guarded.by(who, "delete", "lease", LEADER, DRY_RUN).ok


def test_other_leases_are_nobodys_business(guarded: Guarded) -> None:
    """The policy speaks of Interlock's own names only."""
    assert guarded.creates(ADMINISTRATOR, manifests.lease("other"), DRY_RUN).ok
