"""AuditRecords with kubectl v1.34: what the suite shows with the pinned one holds with an older one, too."""

import os
from collections.abc import Callable

import pytest

from devtools import toolchain
from tests.e2e.test_auditrecords import (
    bind,
    deny,
    test_discovery,
    test_get,
    test_nothing_is_written,
    test_selectors,
    test_watch,
    test_who_sees_what,
)
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

__all__ = [
    "bind",
    "deny",
    "test_discovery",
    "test_get",
    "test_nothing_is_written",
    "test_selectors",
    "test_watch",
    "test_who_sees_what",
]

OLDER = "kubectl-1.34"


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Cluster-admin's older kubectl."""
    program = toolchain.binaries([OLDER])[OLDER]
    return Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"], program=str(program))


def test_version(kubectl: Kubectl, edge: Callable[..., None]) -> None:
    """It is the version that it is said to be."""
    version = toolchain.version(OLDER)

    assert kubectl.must("version", "--client", "-o", "json").json()["clientVersion"]["gitVersion"] == version
    edge(scenario="older kubectl", load=version, outcome="reads, selects and watches AuditRecords like the pinned one")
