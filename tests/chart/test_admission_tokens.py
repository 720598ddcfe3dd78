"""Tokens of Interlock's accounts on a real API server: for its pods, through their node, and for nobody else.

What admission's own NodeRestriction sees to (a node asks for the pods that run on it only) is not repeated here.
"""

from collections.abc import Iterator

import pytest

from tests.chart import manifests
from tests.chart.callers import ADMINISTRATOR, BREAK_GLASS, CONTROLLER, EVERYBODY, GUARD, MANAGER, Caller
from tests.chart.guarded import ACCOUNTS, DRY_RUN, Guarded, refused
from tests.support.kubectl import Outcome, eventually

pytestmark = pytest.mark.cluster

WHY = "given to its pods through their nodes"
POD = "interlock-guard-of-this-test"
FILLED_SECONDS = 30.0  # Kubernetes fills token Secrets within a second


@pytest.fixture(scope="module")
def bound(guarded: Guarded) -> Iterator[tuple[str, ...]]:
    """Options that bind a token to a pod of a guard, which is on the first node."""
    on_node = manifests.pod(POD, "interlock-guard", nodeName=_node(guarded))
    made = guarded.creates(BREAK_GLASS, on_node, "-o", "json").json()
    yield "--bound-object-kind=Pod", f"--bound-object-name={POD}", f"--bound-object-uid={made['metadata']['uid']}"
    guarded.by(BREAK_GLASS, "delete", "pod", POD, "--wait=false")


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("who", sorted(EVERYBODY - {BREAK_GLASS}, key=str), ids=str)
def test_given_to_nobody(who: Caller, account: str, guarded: Guarded) -> None:
    """Neither an administrator nor a controller of Kubernetes nor Interlock itself gets one."""
    assert refused(_token(guarded, who, account), WHY)


def test_given_to_break_glass_groups(guarded: Guarded) -> None:
    """The groups that the values name get one."""
    assert _token(guarded, BREAK_GLASS, "interlock-guard").ok


def test_given_to_the_node_of_its_pod(guarded: Guarded, bound: tuple[str, ...]) -> None:
    """The kubelet gets the token that it mounts into the pod."""
    asked = _token(guarded, _kubelet(guarded), "interlock-guard", *bound)

    assert asked.ok, asked.err


def test_node_gets_none_without_a_pod(guarded: Guarded) -> None:
    """NodeRestriction says so first, and the policy where a cluster runs without it."""
    assert not _token(guarded, _kubelet(guarded), "interlock-guard").ok


@pytest.mark.parametrize("who", [ADMINISTRATOR, GUARD, CONTROLLER, MANAGER], ids=str)
def test_bound_to_a_pod_is_no_way_around(who: Caller, guarded: Guarded, bound: tuple[str, ...]) -> None:
    """It is the node that counts, not the pod alone."""
    assert refused(_token(guarded, who, "interlock-guard", *bound), WHY)


def test_name_of_a_node_alone_is_no_way_around(guarded: Guarded, bound: tuple[str, ...]) -> None:
    """Outside the group of nodes nothing checks which pods are whose."""
    impostor = Caller(name=_kubelet(guarded).name)

    assert refused(_token(guarded, impostor, "interlock-guard", *bound), WHY)


@pytest.mark.parametrize("who", [ADMINISTRATOR, CONTROLLER, MANAGER], ids=str)
def test_secret_that_becomes_one_is_refused(who: Caller, guarded: Guarded) -> None:
    """A token that never ends is no easier to get."""
    attempt = guarded.creates(who, manifests.token_secret("interlock-guard"))

    assert not attempt.ok
    assert WHY in attempt.err or "writes no Secrets but its keys" in attempt.err


def test_secret_of_another_account_cannot_be_turned_into_one(guarded: Guarded) -> None:
    """Changing whose token a Secret holds is like making a new one."""
    assert guarded.creates(ADMINISTRATOR, manifests.token_secret("default")).ok

    turned = guarded.by(
        ADMINISTRATOR, "annotate", "secret/token", "--overwrite", "kubernetes.io/service-account.name=interlock-guard"
    )
    guarded.by(ADMINISTRATOR, "delete", "secret/token")

    assert refused(turned, WHY)


def test_secret_of_a_break_glass_group_is_filled(guarded: Guarded) -> None:
    """What may be made also works: Kubernetes can put the token in."""
    assert guarded.creates(BREAK_GLASS, manifests.token_secret("interlock-guard")).ok

    token = eventually(
        lambda: guarded.by(BREAK_GLASS, "get", "secret/token", "-o", "jsonpath={.data.token}").out,
        seconds=FILLED_SECONDS,
        what="the Secret filled",
    )
    guarded.by(BREAK_GLASS, "delete", "secret/token")

    assert token


def test_other_accounts_are_nobodys_business(guarded: Guarded) -> None:
    """The policy speaks of Interlock's accounts only."""
    assert _token(guarded, ADMINISTRATOR, "default").ok
    assert guarded.creates(ADMINISTRATOR, manifests.token_secret("default"), DRY_RUN).ok


def _token(guarded: Guarded, who: Caller, account: str, *options: str) -> Outcome:
    return guarded.by(who, "create", "token", account, *options)


def _node(guarded: Guarded) -> str:
    return str(guarded.kubectl.get("nodes")["items"][0]["metadata"]["name"])


def _kubelet(guarded: Guarded) -> Caller:
    return Caller(name=f"system:node:{_node(guarded)}", groups=("system:nodes",))
