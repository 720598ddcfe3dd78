"""Go tools in pinned versions: Kubernetes binaries, an older kubectl, etcd, kwok, helm, fortio, coredns, S3 servers.

Each module directory under hack/tools/ pins one program by go.mod and go.sum. It is built once into

    <cache>/<module>-<digest of go.mod, go.sum and linker flags>/      (module `toolcache`)

in a scratch directory that is renamed when everything is there, so that a crash leaves nothing half; a lock keeps two
runs from building the same module twice. A binary found in KUBEBUILDER_ASSETS or on PATH is used instead where the
version that it prints is the pinned one.

Standard library only: this runs before any environment exists. Nothing is downloaded but Go modules, checked against
go.sum, and, where the machine has no usable Go, that too (module `golang`).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devtools import console, golang, launch, toolcache
from devtools.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "hack" / "tools"
VERSION_SECONDS = 20  # a binary that has not printed its version by then is not one to rely on

_STRIP = "-s -w"
KUBERNETES = "k8s.io/kubernetes"
_KUBERNETES_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One directory under hack/tools/ and what `go build` makes of it.

    Attributes:
        directory: name under hack/tools/.
        pin: the Go module whose version in go.mod is the version of the program.
        programs: the binaries, each with the arguments that make it print its version; None if it cannot.
        package: what is built; `tool` stands for the go.mod's tool lines.
        seconds: estimate for a cold build on two cores.
    """

    directory: str
    pin: str
    programs: dict[str, tuple[str, ...] | None]
    package: str = "tool"
    seconds: int

    @property
    def path(self) -> Path:
        """The directory that holds go.mod and go.sum."""
        return MODULES / self.directory

    @property
    def version(self) -> str:
        """The pinned version, as in `v1.36.3`.

        Raises:
            ToolError: go.mod does not require the module.
        """
        return pinned((self.path / "go.mod").read_text(), self.pin)

    @property
    def ldflags(self) -> str:
        """Linker flags; kubectl and the API server compare versions, so theirs are stamped."""
        if self.pin != KUBERNETES:
            return _STRIP
        major, minor, _ = self.version.removeprefix("v").split(".")
        stamps = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
        return " ".join([_STRIP, *(f"-X {_KUBERNETES_VERSION}.{key}={value}" for key, value in stamps.items())])

    @property
    def cache(self) -> Path:
        """Where the finished binaries lie, or will."""
        inputs = [(self.path / name).read_bytes() for name in ("go.mod", "go.sum")]
        return toolcache.place(self.directory, *inputs, self.ldflags.encode())


BUILT = (
    Module(
        directory="kubernetes",
        pin=KUBERNETES,
        programs={
            "kube-apiserver": ("--version",),
            "kube-controller-manager": ("--version",),
            "kubectl": ("version", "--client"),
        },
        seconds=240,
    ),
    Module(  # what a real node needs beside; apart, so that nobody else pays for it
        directory="node",
        pin=KUBERNETES,
        programs={"kubelet": ("--version",), "kube-proxy": ("--version",), "kube-scheduler": ("--version",)},
        seconds=560,
    ),
    Module(  # an older client, for tests of what it makes of AuditRecords; built where they run
        directory="kubectl-1.34",
        pin=KUBERNETES,
        programs={"kubectl-1.34": ("version", "--client")},
        package="k8s.io/kubernetes/cmd/kubectl",
        seconds=150,
    ),
    Module(
        directory="coredns",
        pin="github.com/coredns/coredns",
        programs={"coredns": ("-version",)},
        package=".",
        seconds=60,
    ),
    Module(
        directory="etcd",
        pin="go.etcd.io/etcd/server/v3",
        programs={"etcd": ("--version",)},
        package="go.etcd.io/etcd/server/v3",
        seconds=20,
    ),
    Module(directory="kwok", pin="sigs.k8s.io/kwok", programs={"kwok": ("--version",)}, seconds=50),
    Module(directory="helm", pin="helm.sh/helm/v4", programs={"helm": ("version", "--short")}, seconds=85),
    Module(
        directory="helm-unittest",
        pin="github.com/helm-unittest/helm-unittest",
        programs={"helm-unittest": None},
        seconds=20,
    ),
    Module(  # a test server only, never shipped (AGPL)
        directory="minio", pin="github.com/minio/minio", programs={"minio": None}, seconds=480
    ),
    Module(  # another one, for the long suites
        directory="versitygw", pin="github.com/versity/versitygw", programs={"versitygw": None}, seconds=240
    ),
    Module(directory="fortio", pin="fortio.org/fortio", programs={"fortio": ("version",)}, seconds=20),
)


def binaries(names: Iterable[str]) -> dict[str, Path]:
    """Find or build programs in their pinned versions.

    Args:
        names: programs of `BUILT`.

    Returns:
        The path of each.

    Raises:
        ToolError: a name is unknown, there is no usable Go, or a build failed.
    """
    wanted = list(names)
    unknown = set(wanted) - {program for module in BUILT for program in module.programs}
    if unknown:
        raise ToolError(f"no such tool: {', '.join(sorted(unknown))}")
    found = {name: _present(module, name) for module in BUILT for name in module.programs if name in wanted}
    missing = [module for module in BUILT if any(name in found and not found[name] for name in module.programs)]
    _build_all(missing)
    return {name: found[name] or _module_of(name).cache / name for name in wanted}


def version(name: str) -> str:
    """The pinned version of a program.

    Raises:
        ToolError: go.mod does not require the module.
    """
    return _module_of(name).version


def pinned(go_mod: str, module: str) -> str:
    """Read the version that a go.mod requires of a module.

    >>> pinned("require example.org/a/v2 v2.0.1 // indirect", "example.org/a/v2")
    'v2.0.1'

    Raises:
        ToolError: the module is not required there.
    """
    line = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if not line:
        raise ToolError(f"go.mod does not require {module}")
    return line[1]


def prints(output: str, pin: str) -> bool:
    """Whether a program's version output names exactly the pinned version.

    >>> prints("etcd Version: 3.6.8", "v3.6.8"), prints("Kubernetes v1.36.30", "v1.36.3")
    (True, False)
    """
    return re.search(rf"(?<![\w.])v?{re.escape(pin.removeprefix('v'))}(?![\w.+-])", output) is not None


def _module_of(name: str) -> Module:
    return next(module for module in BUILT if name in module.programs)


def _present(module: Module, name: str) -> Path | None:
    """The program if it was built before, or stands ready on this machine in the pinned version."""
    built = module.cache / name
    if built.exists():
        return built
    arguments = module.programs[name]
    places = filter(None, [os.environ.get("KUBEBUILDER_ASSETS"), os.environ.get("PATH")])
    found = shutil.which(name, path=os.pathsep.join(places))
    if arguments and found and prints(_output(found, *arguments), module.version):
        return Path(found)
    return None


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""  # whatever it is, it is not the program that is looked for
    return done.stdout + done.stderr


def _build_all(modules: list[Module]) -> None:
    if not modules:
        return
    total = sum(module.seconds for module in modules)
    console.say(f"Go tools to build, once for this machine: about {-(-total // 60)} min in all on two cores.")
    go = golang.program()
    for module in modules:
        with toolcache.locked(module.directory, module.seconds):
            if not module.cache.exists():
                _build(module, go)


def _build(module: Module, go: Path) -> None:
    """Build into a scratch directory beside the final one, then rename: all of it appears, or nothing."""
    scratch = _scratch(module)
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed; the lock says that none is alive
    (scratch / "tmp").mkdir(parents=True)
    target = "bin/" if module.package == "tool" else f"bin/{next(iter(module.programs))}"
    (scratch / "bin").mkdir()
    command = [
        str(go), "build", "-mod=readonly", "-trimpath", "-ldflags", module.ldflags,
        "-o", f"{scratch}/{target}", module.package,
    ]  # fmt: skip
    title = f"building {', '.join(module.programs)} {module.version}"
    try:
        with console.step(title, module.seconds):
            _run(command, cwd=module.path, temporary=scratch / "tmp")
        (scratch / "bin").rename(module.cache)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _scratch(module: Module) -> Path:
    return module.cache.with_name(f".{module.cache.name}.building")


def _run(command: list[str], *, cwd: Path, temporary: Path) -> None:
    """Run a build that ends with this process, its temporary files in the scratch directory."""
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "GOTMPDIR": str(temporary)}
    code = subprocess.run(launch.command(command), cwd=cwd, env={**os.environ, **settings}, check=False).returncode
    if code:
        raise ToolError(f"exit code {code} from `{' '.join(command)}` in {cwd.relative_to(ROOT)}; its reason is above")
