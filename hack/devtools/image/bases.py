"""The two base images, made of Debian's packages: one to build on, and one to run on that holds Python and little else.

The second is *extracted*, not installed: no package manager, no shell, no script of any package ever runs. glibc and
Python need none.
"""

from dataclasses import dataclass
from pathlib import Path

from devtools import console, programs, toolcache
from devtools.image import storage

SUITE = "bookworm"  # Debian 12: glibc 2.36, Python 3.11

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
    """

    name: str
    variant: str
    packages: tuple[str, ...]
    seconds: float

    @property
    def recipe(self) -> bytes:
        """Everything that decides what is in it, but for Debian's own updates."""
        return repr((self, SUITE, LEFT_OUT)).encode()

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
        hooks = [f'--customize-hook=rm -rf "$1"/{path}' for path in LEFT_OUT]
        options = ["--quiet", f"--variant={self.variant}", f"--include={','.join(self.packages)}"]
        options += ["--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none", *hooks]
        programs.capture("mmdebstrap", *options, SUITE, directory / "root.tar")
        (directory / "Dockerfile").write_text("FROM scratch\nADD root.tar /\nENV LANG=C.UTF-8\n")
        storage.build(directory, tag=self.tag)


RUNS = Base(name="interlock-base", variant="extract", packages=("python3-minimal", "libpython3-stdlib"), seconds=6)
BUILDS = Base(name="interlock-build-base", variant="essential", packages=("python3-venv", "python3-pip"), seconds=25)
