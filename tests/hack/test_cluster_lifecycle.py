"""hack/cluster up, status, down: what they promise, above all that nothing is left however a cluster ends."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.hack.clusters import Home, eventually

pytestmark = pytest.mark.cluster

LEFT_NOTHING: tuple[list[str], list[Path]] = ([], [])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home for clusters; whatever a failed test leaves in it is removed."""
    made = Home(directory=tmp_path)
    yield made
    for each in ("one", "two"):
        made.run("down", "--name", each)


def up(home: Home, name: str) -> subprocess.CompletedProcess[str]:
    """Bring up a bare cluster, made here."""
    done = home.run("up", "--bare", "--provider", "local", "--name", name)
    assert done.returncode == 0, done.stderr
    return done


def test_two_clusters_live_side_by_side_and_go_one_by_one(home: Home) -> None:
    """Each has its own objects and addresses; removing one leaves the other whole, removing both leaves nothing."""
    printed = up(home, "one").stdout.splitlines()
    up(home, "two")
    home.kubectl("one", "create", "namespace", "only-here")
    seen = [home.kubectl(name, "get", "namespace", "only-here").returncode for name in ("one", "two")]
    gone = home.run("down", "--name", "one")
    status = [home.run("status", "--name", name).returncode for name in ("one", "two")]
    home.run("down", "--name", "two")

    state = home.state("one")
    assert printed[-2:] == [f"export KUBECONFIG={state}/kubeconfig", f'export PATH={state}/bin:"$PATH"']
    assert (seen, gone.returncode, status, home.left()) == ([0, 1], 0, [1, 0], LEFT_NOTHING)


def test_up_again_finds_the_cluster_up_and_tells_what_differs(home: Home) -> None:
    """The same command a second time prints the same lines; another wish is refused with the way out."""
    first = up(home, "one")
    second = up(home, "one")
    with_interlock = home.run("up", "--provider", "local", "--name", "one")

    assert first.stdout == second.stdout
    assert with_interlock.returncode == 1
    assert (
        "is there already, local and without Interlock; `hack/cluster down --name one` first" in with_interlock.stderr
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("when", ["processes/supervisor.json", "processes/etcd.json", "processes/kwok.json"])
def test_up_that_is_ended_leaves_nothing(home: Home, how: signal.Signals, when: str) -> None:
    """Interrupted, terminated, hung up on or killed, early or late: no process and no file stays behind."""
    going = home.start("up", "--bare", "--provider", "local", "--name", "one")
    eventually((home.state("one") / when).exists, f"{when} is there")
    going.send_signal(how)
    out, _ = going.communicate()
    eventually(lambda: home.left() == LEFT_NOTHING, "nothing is left")

    assert (going.returncode != 0, out) == (True, "")


def test_killed_supervisor_takes_everything_along_and_down_removes_the_rest(home: Home) -> None:
    """The kernel ends its children, status and up say so, `down` ends what outlived them and removes the files."""
    up(home, "one")
    home.kubectl("one", "run", "box", "--image=busybox")
    command = home.kubectl_command("one", "exec", "box", "--", "sh", "-c", "sleep 600; true")
    with subprocess.Popen(command, env=home.environment) as session:
        eventually(lambda: any("sleep" in each for each in home.left()[0]), "the command of kubectl exec runs")
        supervisor = orjson.loads((home.state("one") / "processes" / "supervisor.json").read_bytes())
        os.kill(supervisor["pid"], signal.SIGKILL)
        session.wait()
    eventually(lambda: not any("etcd" in each for each in home.left()[0]), "etcd has gone with the supervisor")
    status, again = home.run("status", "--name", "one"), home.run("up", "--bare", "--name", "one")
    down = home.run("down", "--name", "one")

    assert (status.returncode, again.returncode, down.returncode) == (1, 1, 0)
    assert "does not run (etcd, kube-apiserver, kube-controller-manager, kwok, supervisor)" in again.stderr
    assert home.left() == LEFT_NOTHING


def test_given_cluster_is_used_as_it_is(home: Home) -> None:
    """INTERLOCK_KUBECONFIG stands for a cluster of the user's: it is named, not touched, and outlives `down`."""
    up(home, "one")
    given = home.state("one") / "kubeconfig"
    environment = {**home.environment, "INTERLOCK_KUBECONFIG": str(given)}
    arguments = [str(Path(__file__).parents[2] / "hack" / "cluster"), "up", "--bare", "--name", "two"]
    made = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    node = home.kubectl("two", "get", "nodes", "-o", "name")
    home.run("down", "--name", "two")

    assert (made.returncode, node.stdout) == (0, "node/node-1\n"), made.stderr
    assert f"Using the cluster of {given} as it is. Left out: " in made.stderr
    assert home.run("status", "--name", "one").returncode == 0


def test_name_that_cannot_be_one_is_refused(home: Home) -> None:
    """A name is a directory and a label; anything else is an error that shows both."""
    refused = home.run("up", "--name", "../one")

    assert refused.returncode == 1
    assert "name: got '../one', expected a DNS label of at most 32 characters such as interlock" in refused.stderr
