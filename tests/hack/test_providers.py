"""Which cluster `auto` means, and what a cluster of kind is made by.

kind needs Docker and a registry, so there are stand-ins for its programs here, which only note how they were called.
"""

import stat
from pathlib import Path

import pytest
import yaml

from devtools.cluster import kind, providers
from devtools.cluster.state import State
from devtools.errors import ToolError


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, and no wish in the environment."""
    directory = tmp_path / "path"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    for name in (providers.GIVEN, providers.NODE):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def calls(path: Path, tmp_path: Path) -> Path:
    """Stand-ins for kind and docker; the file that says how they were called."""
    noted = tmp_path / "calls"
    noted.touch()
    for program in ("kind", "docker"):
        _stand_in(path / program, f'echo "{program} $*" >> {noted}')
    return noted


@pytest.fixture
def state(tmp_path: Path) -> State:
    """The directory of cluster one."""
    made = State(directory=tmp_path / "clusters" / "one")
    made.create()
    return made


def _stand_in(program: Path, does: str) -> None:
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.usefixtures("calls")
def test_auto_is_what_was_given_then_a_real_node_then_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wish of the environment comes before what the machine has."""
    found = [providers.choose("auto").provider]
    monkeypatch.setenv(providers.NODE, "1")
    found.append(providers.choose("auto").provider)
    monkeypatch.setenv(providers.GIVEN, "kubeconfig")
    found.append(providers.choose("auto").provider)

    assert found == ["kind", "node", "given"]


@pytest.mark.usefixtures("path")
def test_auto_is_local_where_there_is_nothing_else() -> None:
    """It says of everything else why not."""
    assert providers.choose("auto") == providers.Choice(
        provider="local",
        why="INTERLOCK_KUBECONFIG names no cluster, INTERLOCK_NODE is not 1, which would make a real node of this "
        "machine, and kind cannot be had: no kind and no docker on PATH",
    )


@pytest.mark.usefixtures("calls")
def test_docker_that_does_not_answer_is_no_docker(path: Path) -> None:
    """A program without its daemon makes no cluster, and the refusal says so."""
    _stand_in(path / "docker", "exit 1")

    with pytest.raises(ToolError, match="no cluster of kind on this machine: Docker does not answer"):
        kind.check()


def test_kind_is_created_with_the_admission_certificate_and_deleted(calls: Path, state: State) -> None:
    """kind is told our configuration, the image is built and loaded, and `down` deletes the cluster."""
    kind.make(state, bare=False)
    kind.remove(state)

    configuration = state.config / "kind.yaml"
    [mount] = yaml.safe_load(configuration.read_text())["nodes"][0]["extraMounts"]
    mounted = Path(mount["hostPath"])
    assert sorted(each.name for each in mounted.iterdir()) == ["admission.kubeconfig", "admission.yaml"]
    assert (state.pki / "admission-ca.crt").exists()
    assert calls.read_text().splitlines() == [
        "kind get clusters",
        f"kind create cluster --name interlock-one --config {configuration} --kubeconfig {state.kubeconfig} --wait 2m",
        "docker build --file webhook/Dockerfile --tag localhost/interlock:0.1.0 .",
        "kind load docker-image localhost/interlock:0.1.0 --name interlock-one",
        "kind delete cluster --name interlock-one",
    ]


@pytest.mark.usefixtures("calls")
def test_cluster_that_kind_has_already_is_left_alone(path: Path, tmp_path: Path, state: State) -> None:
    """Somebody else's cluster of the same name is neither used nor deleted."""
    noted = tmp_path / "calls"
    _stand_in(path / "kind", f'echo "kind $*" >> {noted}; echo interlock-one')

    with pytest.raises(ToolError, match="kind has a cluster interlock-one already"):
        kind.make(state, bare=False)
    kind.remove(state)

    assert noted.read_text().splitlines() == ["kind get clusters"]
