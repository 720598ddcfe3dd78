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


def test_group_of_version_1(tmp_path: Path) -> None:
    """A new cgroup may use the processors and the memory that the one above it may."""
    group = tmp_path / "ours"
    group.mkdir()
    for name, above in (("cpuset.cpus", "0-1"), ("cpuset.mems", "0")):
        (tmp_path / name).write_text(above)
        (group / name).write_text("")

    machine.make_group(group)

    assert {path.name: path.read_text() for path in group.iterdir()} == {"cpuset.cpus": "0-1", "cpuset.mems": "0"}


def test_group_of_version_2(tmp_path: Path) -> None:
    """Where the root has no such setting, a new cgroup takes everything by itself and is left alone."""
    group = tmp_path / "ours"
    group.mkdir()
    (group / "cpuset.cpus").write_text("")

    machine.make_group(group)

    assert (group / "cpuset.cpus").read_text() == ""


def test_what_cannot_be_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be put back is named with its value, and keeps no other from being put back."""
    monkeypatch.setattr(machine, "PROC", tmp_path)
    (tmp_path / "second").write_text("changed")

    with pytest.raises(ToolError, match=r"no/such, which was '1'"):
        machine.put_back({"no/such": "1", "second": "before"})

    assert (tmp_path / "second").read_text() == "before"
