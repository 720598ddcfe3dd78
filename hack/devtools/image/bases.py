"""The two base images, made of Debian's packages: one to build on, and one to run on that holds Python and little else.

The second is *extracted*, not installed: no package manager, no shell, no script of any package ever runs. glibc and
Python need none.
"""

from dataclasses import dataclass
from pathlib import Path

from devtools import console, programs, toolcache
from devtools.image import storage

SUITE = "bookworm"  # Debian 12: glibc 2.36, Python 3.11

RECIPE = 2  # raised when what is made of the rest changes

LEFT_OUT = ("usr/share/doc-base", "usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/info")
"""Nothing that runs reads them; licences, under usr/share/doc, stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One base image.

    Attributes:
        name: of it.
        variant: of mmdebstrap: what is there beside the packages.
        packages: and what they depend on.
        seconds: how long it takes to make.
        hook: a command that changes the root before it is packed, which it sees as `$1`.
        dockerfile: that makes the image of it.
    """

    name: str
    variant: str
    packages: tuple[str, ...]
    seconds: float
    hook: str = ""
    dockerfile: str = "FROM scratch\nADD root.tar /\nENV LANG=C.UTF-8\n"

    @property
    def recipe(self) -> bytes:
        """Everything that decides what is in it, but for Debian's own updates."""
        return repr((self, SUITE, LEFT_OUT, RECIPE)).encode()

    @property
    def tag(self) -> str:
        """Its name in the image store."""
        return f"localhost/{toolcache.place(self.name, self.recipe).name}"

    def ensure(self) -> str:
        """Make it if it is not there; returns its tag.

        Raises:
            programs.FailedError: a package cannot be had.
        """
        if not storage.has(self.tag):
            with (
                console.step(f"base image {self.name} of Debian {SUITE}", self.seconds),
                storage.scratch() as directory,
            ):
                self._make(directory)
        return self.tag

    def _make(self, directory: Path) -> None:
        stage = "extract" if self.variant == "extract" else "customize"  # the last one that such a root goes through
        commands = [*(f'rm -rf "$1"/{path}' for path in LEFT_OUT), *([self.hook] if self.hook else [])]
        hooks = [f"--{stage}-hook={command}" for command in commands]
        options = ["--quiet", f"--variant={self.variant}", f"--include={','.join(self.packages)}"]
        options += ["--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none", *hooks]
        programs.capture("mmdebstrap", *options, SUITE, directory / "root.tar")
        (directory / "Dockerfile").write_text(self.dockerfile)
        storage.build(directory, tag=self.tag)


RUNS = Base(name="interlock-base", variant="extract", packages=("python3-minimal", "libpython3-stdlib"), seconds=6)
BUILDS = Base(name="interlock-build-base", variant="essential", packages=("python3-venv", "python3-pip"), seconds=25)
WORKS = Base(  # what pods of tests run: it waits, ends when it is told, and has a shell
    name="interlock-workload",
    variant="extract",
    packages=("busybox-static",),
    seconds=3,
    hook='chroot "$1" /bin/busybox --install -s /bin',
    dockerfile="""\
FROM scratch
ADD root.tar /
ENTRYPOINT ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"]
""",
)
