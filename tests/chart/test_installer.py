"""The roles for whoever installs without being a cluster administrator suffice, and name nothing that is not needed."""

import pytest

from tests.support.clusters import own_cluster

pytestmark = pytest.mark.cluster

SYSTEM = "interlock-system"
ROLES = "charts/interlock/installer-role.yaml"
INSTALLER = ("--kube-as-user", "installer", "--kube-as-group", "system:authenticated")


def test_installer() -> None:
    """With just these rights the chart is installed, upgraded and uninstalled."""
    with own_cluster("installer", bare=True) as cluster:
        kubectl = cluster.kubectl
        kubectl.must("create", "namespace", SYSTEM)
        kubectl.must("apply", "-f", ROLES)
        who = ("installer", "--user=installer")
        kubectl.must("create", "clusterrolebinding", *who, "--clusterrole=interlock-installer")
        for namespace in (SYSTEM, "kube-system"):
            kubectl.must("create", "rolebinding", *who, "--role=interlock-installer", "-n", namespace)
        release = ("interlock", "-n", SYSTEM, *INSTALLER)

        outcomes = [
            cluster.run("helm", "install", *release, "charts/interlock"),
            cluster.run("helm", "upgrade", *release, "charts/interlock", "--set", "logLevel=debug"),
            cluster.run("helm", "uninstall", *release),
        ]

        assert [(outcome.ok, outcome.err) for outcome in outcomes] == [(True, "")] * 3
