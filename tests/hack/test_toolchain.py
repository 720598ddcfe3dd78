"""Pinned tools: reading pins, recognising versions, deciding what is built."""

import pytest

from devtools import toolchain
from devtools.errors import ToolError

GO_MOD = """\
module interlock.dev/hack/tools/x

tool example.org/a/cmd/a

require example.org/single v1.0.0

require (
	example.org/a v1.36.3 // indirect
	example.org/a/v2 v2.0.1 // indirect
)

replace example.org/a/sub => example.org/a/sub v0.36.3
"""


@pytest.mark.parametrize(
    ("module", "version"),
    [
        pytest.param("example.org/a", "v1.36.3", id="in a block"),
        pytest.param("example.org/a/v2", "v2.0.1", id="not mistaken for its prefix"),
        pytest.param("example.org/single", "v1.0.0", id="on a line of its own"),
    ],
)
def test_pin_is_what_go_mod_requires(module: str, version: str) -> None:
    """The version of a tool stands in one place, go.mod."""
    assert toolchain.pinned(GO_MOD, module) == version


@pytest.mark.parametrize("module", ["example.org/b", "example.org/a/sub"])
def test_missing_pin_is_an_error_that_names_the_module(module: str) -> None:
    """A go.mod that does not require the module, if only by replacing it, pins nothing."""
    with pytest.raises(ToolError, match=f"go.mod does not require {module}"):
        toolchain.pinned(GO_MOD, module)


@pytest.mark.parametrize(
    ("output", "same"),
    [
        pytest.param("Kubernetes v1.36.3", True, id="kube-apiserver"),
        pytest.param("etcd Version: 1.36.3\nGit SHA: x", True, id="etcd, without the v"),
        pytest.param("kwok version v1.36.3 go1.26.8 (linux/amd64)", True, id="kwok"),
        pytest.param("v1.36.3+g1234", False, id="a build of something else"),
        pytest.param("Kubernetes v1.36.30", False, id="a longer patch number"),
        pytest.param("Kubernetes v11.36.3", False, id="a longer major number"),
        pytest.param("", False, id="nothing at all"),
    ],
)
def test_program_counts_only_in_exactly_the_pinned_version(output: str, same: bool) -> None:  # noqa: FBT001 - a table
    """A binary on PATH is used only if what it prints names the pin, whole."""
    assert toolchain.prints(output, "v1.36.3") is same


def test_every_module_is_pinned_and_stamped() -> None:
    """All go.mod files can be read, and the Kubernetes binaries carry their version."""
    flags = {module.directory: module.ldflags for module in toolchain.BUILT}
    version = toolchain.version("kubectl")
    major, minor, _ = version.removeprefix("v").split(".")
    package = "k8s.io/component-base/version"

    assert flags == {
        "kubernetes": f"-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major}"
        f" -X {package}.gitMinor={minor} -X {package}.gitTreeState=clean",
        "node": flags["kubernetes"],
        "kubectl-1.34": flags["kubernetes"].replace(version, "v1.34.4").replace("gitMinor=36", "gitMinor=34"),
        "coredns": "-s -w",
        "etcd": "-s -w",
        "kwok": "-s -w",
        "helm": "-s -w",
        "helm-unittest": "-s -w",
        "minio": "-s -w",
        "fortio": "-s -w",
    }


def test_unknown_tool_is_refused_by_name() -> None:
    """A misspelt tool is an error before anything is built."""
    with pytest.raises(ToolError, match="no such tool: kubctl"):
        toolchain.binaries(["kubctl"])
