"""hack/cluster restart: a power cut, and everything that was stored is there again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hack.clusters import Home, eventually

pytestmark = pytest.mark.cluster


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home with a bare cluster in it; nothing of it is left."""
    made = Home(directory=tmp_path)
    assert made.run("up", "--bare", "--provider", "local", "--name", "one").returncode == 0
    yield made
    made.run("down", "--name", "one")


def test_restarted_cluster_has_what_was_stored_and_other_processes(home: Home) -> None:
    """Objects, addresses and kubeconfig stay; no process outlives the cut; work that was under way goes on."""
    home.kubectl("one", "create", "deployment", "web", "--image=simulated:1")
    kubeconfig = (home.state("one") / "kubeconfig").read_bytes()
    before = set(home.processes())

    restarted = home.run("restart", "--name", "one")

    assert restarted.returncode == 0, restarted.stderr
    assert before.isdisjoint(home.processes())
    assert (home.state("one") / "kubeconfig").read_bytes() == kubeconfig
    assert home.run("status", "--name", "one").returncode == 0
    ready = ("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}")
    eventually(lambda: home.kubectl("one", *ready).stdout == "1", "the Deployment's pod is ready")


def test_there_is_nothing_to_restart(home: Home) -> None:
    """A name that means no cluster is an error, and makes none."""
    refused = home.run("restart", "--name", "two")

    assert (refused.returncode, "there is no cluster two" in refused.stderr) == (1, True)
    assert not home.state("two").exists()
