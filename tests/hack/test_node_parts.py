"""The addresses of a real node, and what is put back of a machine that was only just changed."""

from pathlib import Path

import pytest

from devtools.cluster import state
from devtools.cluster.node import machine
from devtools.cluster.node.network import Bridge
from devtools.errors import ToolError


def test_addresses() -> None:
    """Pods and Services have ranges of their own, and the machine is the gateway of the first."""
    bridge = Bridge(index=7)

    assert (bridge.name, bridge.control, bridge.pods) == ("interlock7", "10.244.7.1", "10.244.7.0/24")
    assert (bridge.services, bridge.first_service) == ("10.244.107.0/24", "10.244.107.1")
    assert len(bridge.name) < 16, "the kernel cuts longer names of links"


def test_a_cluster_that_changed_nothing(tmp_path: Path) -> None:
    """Without a journal there is nothing to put back, and nothing is looked for."""
    machine.restore(state.State(directory=tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root a real node is refused before anything is made, and says why."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(ToolError, match=r"a real node.* needs root"):
        machine.check()
