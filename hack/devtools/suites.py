"""The test suites: what each needs, how it gets it, how it gives it back.

A suite lets its tests print to the terminal and raises ToolError when one of them fails.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools import cluster, programs, s3programs, toolchain, verify
from devtools.cluster.install import CHART, NAMESPACE, RELEASE
from devtools.errors import ToolError
from devtools.s3programs import Program
from devtools.venv import INTERPRETER, ROOT, VENV

EDGES = "tests/edges"
BY_ITSELF = "not cluster and not object_store and not real_node"  # needs nothing beside it
OBJECT = "\nkind: "  # begins one rendered object


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Tests that need the same surroundings.

    Attributes:
        name: as on the command line.
        run: runs it, with further arguments for pytest.
        own_cluster: it brings up a cluster of its own, whatever cluster the user has given.
        long: it takes long, and runs only when it is named.
    """

    name: str
    run: Callable[[Sequence[str]], None]
    own_cluster: bool = False
    long: bool = False


def _verify(_: Sequence[str]) -> None:
    if verify.main():
        raise ToolError("what each check found stands above")


def _side_by_side() -> tuple[str, ...]:
    """Two processes for each core, since many tests wait for time to pass; whoever is done takes from the others."""
    return ("-n", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal")


def _unit(arguments: Sequence[str]) -> None:
    programs.run(INTERPRETER, "-m", "pytest", "-q", *_side_by_side(), "-m", BY_ITSELF, *arguments)


def _chart(_: Sequence[str]) -> None:
    tools = toolchain.binaries(["helm", "helm-unittest"])
    scenarios = [CHART / "values.yaml", *sorted(CHART.glob("ci/*-values.yaml"))]
    with _helm_home() as environment:
        for values in scenarios:
            scenario: list[str | Path] = [CHART, "--values", values, "--namespace", NAMESPACE]
            programs.run(tools["helm"], "lint", "--strict", "--quiet", *scenario, environment=environment)
            rendered = programs.capture(tools["helm"], "template", RELEASE, *scenario, environment=environment)
            print(f"{values.relative_to(ROOT)}: {rendered.count(OBJECT)} objects rendered", flush=True)
        programs.run(tools["helm-unittest"], "--strict", CHART, environment=environment)


@contextmanager
def _helm_home() -> Iterator[dict[str, str]]:
    """An environment in which helm finds no configuration of the user's and leaves nothing in it."""
    with tempfile.TemporaryDirectory(prefix="interlock-helm-") as home:
        places = {f"HELM_{kind}_HOME": str(Path(home) / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        yield os.environ | places


def _cluster(arguments: Sequence[str]) -> None:
    _on_a_cluster("-m", "cluster", f"--ignore={EDGES}", *arguments)


def _e2e(arguments: Sequence[str]) -> None:
    if os.environ.get(cluster.NODE) == "1":  # first that it leaves the machine as it was: there can be one at a time
        programs.run(INTERPRETER, "-m", "pytest", "tests/hack/test_node.py")
    _on_a_cluster("tests/e2e", *arguments)


def _stores(arguments: Sequence[str]) -> None:
    _on_a_store(s3programs.MINIO, *arguments)


def _on_a_store(program: Program, *arguments: str) -> None:
    program.built()
    print(f"on {program.name} {toolchain.version(program.tool)}", flush=True)
    command: list[str | Path] = [INTERPRETER, "-m", "pytest", "-m", "object_store", "tests/ledger", *arguments]
    settings = {"INTERLOCK_TEST_STORES": program.tool, "PATH": f"{VENV}/bin:{os.environ['PATH']}"}
    programs.run(*command, environment=os.environ | settings)


def _edges(arguments: Sequence[str]) -> None:
    _on_a_cluster(EDGES, *arguments)


def _soak(arguments: Sequence[str]) -> None:
    every_property: list[str | Path] = [INTERPRETER, "-m", "pytest", "-q", *_side_by_side(), "-m", BY_ITSELF, "tests"]
    programs.run(*every_property, environment=os.environ | {"INTERLOCK_TEST_EXAMPLES": "thorough"})
    _on_a_store(s3programs.VERSITYGW, *arguments)
    for long in (f"{EDGES}/test_http_load.py", "tests/e2e/test_shipping.py"):
        _on_a_cluster(long, *arguments, INTERLOCK_TEST_SOAK="1")


def _on_a_cluster(*arguments: str, **settings: str) -> None:
    name = f"test-{os.getpid()}"
    try:
        up = cluster.up(name, cluster.for_programs())
        print(f"on a cluster of provider {up.provider}", flush=True)
        programs.run(INTERPRETER, "-m", "pytest", *arguments, environment=_surroundings(up) | settings)
    finally:
        cluster.down(name)


def _surroundings(up: cluster.Cluster) -> dict[str, str]:
    """The environment of cluster tests; its KUBECONFIG keeps every test away from the user's own cluster."""
    places = {
        "INTERLOCK_TEST_KUBECONFIG": up.kubeconfig,
        "INTERLOCK_TEST_AUDIT_LOG": up.audit_log,
        "INTERLOCK_TEST_ETCD": up.etcd,
        "INTERLOCK_TEST_STATE": up.state,
        "INTERLOCK_TEST_PROVIDER": up.provider,
    }
    return up.environment | {name: str(place) for name, place in places.items() if place}


def _demo(_: Sequence[str]) -> None:
    for which in ("main", "backdoors", "rbac"):
        programs.run(ROOT / "hack" / "demo", which)


SUITES = (
    Suite(name="verify", run=_verify),
    Suite(name="unit", run=_unit),
    Suite(name="chart", run=_chart),
    Suite(name="cluster", run=_cluster),
    Suite(name="e2e", run=_e2e, long=True),  # part of `cluster`; by name on a real node
    Suite(name="stores", run=_stores),
    Suite(name="edges", run=_edges, long=True),
    Suite(name="demo", run=_demo, own_cluster=True),
    Suite(name="soak", run=_soak, long=True),
)
