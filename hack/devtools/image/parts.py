"""What an image consists of, in bytes, for whoever asks why it is not smaller."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHOWN = 12
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the image and its size, files counted once."""

    name: str
    size: int

    def __str__(self) -> str:
        return f"  {self.size / MEGABYTE:7.1f} MB  {self.name}"


def of(root: Path) -> list[Part]:
    """The largest parts, largest first, the rest as one."""
    packages = next((root / "opt/interlock/lib").glob("python3*/site-packages"))
    found = [Part(name=f"package {path.name}", size=_size(path)) for path in packages.iterdir() if path.is_dir()]
    found += [Part(name="Python's library", size=sum(map(_size, (root / "usr/lib").glob("python3*"))))]
    found += [Part(name="Python itself", size=sum(map(_size, _files((root / "usr/bin").glob("python3*")))))]
    found.sort(key=lambda part: part.size, reverse=True)
    shown, total = found[:SHOWN], _size(root)
    rest = Part(name="glibc and other libraries, and the rest", size=total - sum(part.size for part in shown))
    return [*shown, rest, Part(name="altogether", size=total)]


def _size(path: Path) -> int:
    files = _files(path.rglob("*") if path.is_dir() else [path])
    return sum(file.stat().st_size for file in files)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if path.is_file() and not path.is_symlink())
