"""Builds webhook/Dockerfile, and says what is in the result."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import interlock
from devtools import console, packages, toolcache
from devtools.image import bases, pipconfig, storage
from devtools.venv import ROOT

DOCKERFILE = ROOT / "webhook" / "Dockerfile"
SOURCES = (DOCKERFILE, ROOT / ".dockerignore", ROOT / "LICENSE", ROOT / "requirements" / "runtime.txt")
PACKAGE = ROOT / "webhook" / "interlock"
NAME = "localhost/interlock"
BUILD_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The image of the checkout as it is.

    Attributes:
        tag: by which it is known.
        archive: where it lies.
    """

    tag: str
    archive: Path


def image() -> Image:
    """What the checkout's image would be called, built or not."""
    digest = _digest()
    return Image(tag=f"{NAME}:{digest}", archive=toolcache.place(f"image-{digest}").with_suffix(".tar"))


def ensure() -> Image:
    """Build it if it is not there.

    Raises:
        ToolError: the machine lacks something that building needs, or a step failed.
    """
    found = image()
    if found.archive.exists():
        return found
    packages.ensure(storage.PACKAGES, purpose="building an image")
    with toolcache.locked("image", BUILD_SECONDS):
        if not found.archive.exists():
            _build(found)
    return found


def _build(wanted: Image) -> None:
    arguments = {
        "BASE": bases.RUNS.ensure(),
        "BUILD_BASE": bases.BUILDS.ensure(),
        "VERSION": interlock.__version__,
        "REVISION": wanted.tag.rpartition(":")[2],
    }
    with console.step("image of Interlock", BUILD_SECONDS), pipconfig.mounts() as mounts:
        storage.build(ROOT, tag=wanted.tag, dockerfile=DOCKERFILE, arguments=arguments, mounts=mounts)
        storage.save(wanted.tag, wanted.archive)


def _digest() -> str:
    """Of everything that the image is made from."""
    hashed = hashlib.sha256(bases.RUNS.recipe + bases.BUILDS.recipe)
    for path in (*SOURCES, *_package()):
        hashed.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return hashed.hexdigest()[: toolcache.DIGEST_DIGITS]


def _package() -> Iterator[Path]:
    yield from sorted(path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
