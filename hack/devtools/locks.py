"""The locked requirements: requirements/*.txt, every package pinned and hashed, made by uv.

Sources are pyproject.toml (what Interlock needs) and requirements/*.in (what its development needs). Each lock names
the digest of its sources in its first line, so that `hack/verify` sees without a network that one was forgotten. No
lock names an index, a host or a URL: where packages come from is the machine's configuration, what they are is fixed by
their hashes.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from devtools import programs
from devtools.venv import OLDEST_PYTHON, PYPROJECT, ROOT, VENV

REQUIREMENTS = ROOT / "requirements"

# A release younger than this is not chosen: most hijacked packages are found and withdrawn within days.
COOLDOWN = "7 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock file and what it is made from.

    Attributes:
        path: the lock.
        sources: pyproject.toml or files of requirements, all resolved together.
        constraint: another lock whose pins hold here too.
    """

    path: Path
    sources: tuple[Path, ...]
    constraint: Path | None = None

    def header(self) -> str:
        """The lock's first line while it belongs to its sources."""
        digest = hashlib.sha256(b"\0".join(_requirements(source) for source in self.sources)).hexdigest()
        names = " and ".join(str(source.relative_to(ROOT)) for source in self.sources)
        return f"# Made from {names} (sha256 {digest[:16]}) by `hack/update requirements`; do not edit.\n"

    def current(self) -> bool:
        """Tell whether the lock was made from the sources as they are now."""
        return self.path.exists() and self.path.read_text().startswith(self.header())

    def resolve(self, *, upgrade: bool) -> None:
        """Make the lock again; pins that still fit stay, unless `upgrade`.

        Raises:
            programs.FailedError: uv found no solution, or reached no index.
        """
        command: list[str | Path] = [VENV / "bin" / "uv", "pip", "compile", *self.sources]
        command += ["--universal", "--generate-hashes", "--quiet", "--no-header", "--no-emit-index-url"]
        command += ["--python-version", ".".join(map(str, OLDEST_PYTHON)), "--exclude-newer", COOLDOWN]
        command += ["--all-extras"] if PYPROJECT in self.sources else []  # there is one image, with everything in it
        command += ["--constraints", self.constraint] if self.constraint else []
        command += ["--upgrade"] if upgrade else []
        programs.run(*command, "--output-file", self.path.relative_to(ROOT))
        self.path.write_text(self.header() + self.path.read_text())


RUNTIME = Lock(path=REQUIREMENTS / "runtime.txt", sources=(PYPROJECT,))
DEV = Lock(path=REQUIREMENTS / "dev.txt", sources=(PYPROJECT, REQUIREMENTS / "dev.in"), constraint=RUNTIME.path)
GO = Lock(path=REQUIREMENTS / "go.txt", sources=(REQUIREMENTS / "go.in",))

FUZZ = Lock(path=REQUIREMENTS / "fuzz.txt", sources=(REQUIREMENTS / "fuzz.in",))

LOCKS = (RUNTIME, DEV, GO, FUZZ)  # a constraint comes before the lock that it constrains


def _requirements(source: Path) -> bytes:
    """The part of a source that a lock depends on; the rest of pyproject.toml may change freely."""
    if source != PYPROJECT:
        return source.read_bytes()
    project = tomllib.loads(source.read_text())["project"]
    wanted = [project["requires-python"], project["dependencies"], project["optional-dependencies"]]
    return json.dumps(wanted).encode()
