"""A cluster's directory, addresses and place in the queue of the scheduler's stand-in."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from devtools.cluster import network, scheduler, state
from devtools.cluster.network import Network
from devtools.cluster.state import Description, Ports, State
from devtools.errors import ToolError

PORTS = Ports(**{field.name: number for number, field in enumerate(dataclasses.fields(Ports), start=1)})


@pytest.mark.parametrize(
    "description",
    [
        pytest.param(Description(name="one", provider="given", bare=True), id="only begun"),
        pytest.param(
            Description(
                name="one",
                provider="local",
                bare=False,
                ready=True,
                tools={"etcd": "/bin/etcd"},
                network=Network(block=70),
                ports=PORTS,
            ),
            id="complete",
        ),
    ],
)
def test_description_is_read_as_it_was_written(tmp_path: Path, description: Description) -> None:
    """cluster.json keeps everything, whether the cluster is complete or has only begun."""
    place = State(directory=tmp_path / "one")
    place.create()
    place.write(description)

    assert place.read() == description


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"network": null, "ports": null, "colour": "red"}'])
def test_damaged_description_is_an_error_that_names_the_way_out(tmp_path: Path, content: str) -> None:
    """Whatever stands in cluster.json, the user learns how to get rid of it."""
    place = State(directory=tmp_path / "one")
    place.create()
    (place.directory / "cluster.json").write_text(content)

    with pytest.raises(ToolError, match="hack/cluster down --name one"):
        place.read()


def test_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    """There are keys in it."""
    place = State(directory=tmp_path / "one")
    place.create()

    assert place.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "-a", "a-", "a" * 33, "a\n"])
def test_name_that_cannot_be_one_is_refused(name: str) -> None:
    """A cluster's name is a DNS label of at most 32 characters."""
    with pytest.raises(ToolError, match="expected a DNS label"):
        state.of(name)


def test_clusters_have_blocks_of_their_own() -> None:
    """A block that is held is not given again; one that was let go is."""
    first, held = network.claim()
    second, also_held = network.claim()
    held.close()
    third, held_again = network.claim()
    also_held.close()
    held_again.close()

    assert first == third != second


def test_addresses_of_a_block_do_not_meet() -> None:
    """Services, pods, control plane: each in its part; a pod's two addresses translate into each other."""
    net = Network(block=70)

    assert (net.services, net.control, net.pod(3), net.reported(3), net.local(net.reported(3))) == (
        "127.70.0.0/17",
        "127.70.255.1",
        "127.70.200.3",
        "10.70.200.3",
        "127.70.200.3",
    )


@pytest.mark.parametrize(
    ("spec", "metadata", "waits"),
    [
        pytest.param({}, {}, True, id="a new pod is bound"),
        pytest.param({"nodeName": "node-1"}, {}, False, id="a bound one is not bound again"),
        pytest.param({"schedulingGates": [{"name": "x"}]}, {}, False, id="a gate keeps it waiting"),
        pytest.param({"schedulerName": "mine"}, {}, False, id="another scheduler's is not ours"),
        pytest.param({}, {"deletionTimestamp": "now"}, False, id="a deleted one needs no node"),
    ],
)
def test_scheduler_binds_only_what_waits_for_it(spec: dict[str, Any], metadata: dict[str, Any], *, waits: bool) -> None:
    """Gates, other schedulers and deletions are respected."""
    pod = {"metadata": metadata, "spec": {"schedulerName": "default-scheduler", **spec}}

    assert scheduler.waits(pod) is waits
