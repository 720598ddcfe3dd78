"""buildah with an image store of its own in the user's cache: the machine's other images are not touched."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devtools import programs, toolcache

DRIVER = "overlay"
PACKAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}  # for whoever makes images here


def has(tag: str) -> bool:
    """Whether the store holds an image of that name, whatever its version."""
    return tag in buildah("images", "--format", "{{.Name}}").splitlines()


def build(
    context: Path,
    *,
    tag: str,
    dockerfile: Path | None = None,
    arguments: Mapping[str, str] | None = None,
    mounts: Mapping[Path, Path] | None = None,
) -> None:
    """Build a Dockerfile.

    Args:
        context: directory that the Dockerfile copies from.
        tag: of the result.
        dockerfile: that of the context if none is given.
        arguments: of the build.
        mounts: what RUN steps see where, read-only and not in the result: paths of the machine by paths in the step.

    Raises:
        programs.FailedError: a step failed; the output says which.
    """
    options = ["--isolation=chroot", "--network=host", "--format=docker", "--layers", f"--tag={tag}"]
    options += [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    options += [f"--volume={path}:{seen}:ro" for seen, path in (mounts or {}).items()]
    options += [f"--file={dockerfile}"] if dockerfile else []
    buildah("build", *options, str(context))


def save(tag: str, archive: Path, *, name: str = "") -> None:
    """Write an image as an archive that `ctr images import` and `docker load` read, under its tag or another name."""
    making = archive.with_suffix(".making")
    making.unlink(missing_ok=True)
    buildah("push", "--quiet", tag, f"docker-archive:{making}:{name or tag}")
    making.rename(archive)


@contextmanager
def mounted(tag: str) -> Iterator[Path]:
    """The root of an image, to look at."""
    container = buildah("from", "--quiet", tag).strip()
    try:
        yield Path(buildah("mount", container).strip())
    finally:
        buildah("rm", container)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for large files that goes afterwards."""
    with tempfile.TemporaryDirectory(dir=_home(), prefix="making-") as directory:
        yield Path(directory)


def buildah(command: str, *arguments: str) -> str:
    """Run buildah on the store and return what it printed.

    Raises:
        programs.FailedError: it failed.
    """
    home = _home()
    store = ("--root", home / "images", "--runroot", home / "run", "--storage-driver", DRIVER)
    return programs.capture("buildah", *store, command, *arguments)


def _home() -> Path:
    home = toolcache.place("buildah")
    home.mkdir(parents=True, exist_ok=True)
    return home
