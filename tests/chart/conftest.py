"""Fixtures of the chart's tests on a real API server: kubectl and helm, as a cluster administrator runs them."""

import os
from collections.abc import Iterator

import pytest

from tests.chart.guarded import Guarded, furnished
from tests.chart.helm import Helm
from tests.support.kubectl import Kubectl


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Cluster-admin's kubectl."""
    return Kubectl(kubeconfig=os.environ["INTERLOCK_TEST_KUBECONFIG"])


@pytest.fixture(scope="session")
def helm(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Cluster-admin's helm."""
    home = tmp_path_factory.mktemp("helm")
    places = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return Helm(environment=os.environ | places | {"KUBECONFIG": kubectl.kubeconfig})


@pytest.fixture(scope="session")
def guarded(kubectl: Kubectl, helm: Helm) -> Iterator[Guarded]:
    """A namespace with records and keys, around which the chart's admission policies are in force."""
    with furnished(kubectl, helm, f"chart-test-guarded-{os.getpid()}") as namespace:
        yield namespace
