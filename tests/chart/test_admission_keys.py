"""Keys on a real API server: written by the controller, and by the groups that the values name, whatever RBAC says."""

import os
from collections.abc import Iterator

import pytest

from tests.chart.callers import ADMINISTRATOR, BREAK_GLASS, CONTROLLER, GUARD, NAMESPACES, Caller
from tests.chart.guarded import DRY_RUN, KEYS, Guarded, refused, unfurnished
from tests.chart.helm import Helm
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

WHY = "its word to guards about the ledger, are written by its controller"


@pytest.fixture(scope="module")
def unkeyed(kubectl: Kubectl, helm: Helm) -> Iterator[Guarded]:
    """A guarded namespace before the controller has made its keys."""
    with unfurnished(kubectl, helm, f"chart-test-planting-{os.getpid()}") as namespace:
        yield namespace


@pytest.mark.parametrize("who", [CONTROLLER, BREAK_GLASS], ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_written_by_the_controller_and_break_glass_groups(key: str, who: Caller, guarded: Guarded) -> None:
    """The controller makes and rotates keys; the groups that the values name can restore one."""
    assert guarded.by(who, "annotate", key, "a=b", DRY_RUN).ok
    assert guarded.by(who, "delete", key, DRY_RUN).ok


@pytest.mark.parametrize("who", [GUARD, ADMINISTRATOR, NAMESPACES], ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_written_by_nobody_else(key: str, who: Caller, guarded: Guarded) -> None:
    """Whoever could write a key could sign records, or pose as a guard."""
    assert refused(guarded.by(who, "annotate", key, "a=b"), WHY)
    assert refused(guarded.by(who, "delete", key), WHY)


@pytest.mark.parametrize("key", KEYS)
def test_missing_key_is_planted_by_nobody(key: str, unkeyed: Guarded) -> None:
    """Before the controller has made its keys, nobody else can make them in its place."""
    assert refused(unkeyed.makes(ADMINISTRATOR, key), WHY)


def test_controller_creates_no_other_secret(guarded: Guarded) -> None:
    """RBAC cannot name what is created; a Secret of the right type would be anybody's token."""
    assert refused(guarded.makes(CONTROLLER, "secret/token"), "writes no Secrets but its keys")
