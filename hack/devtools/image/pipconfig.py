"""Where packages come from, for RUN steps: the machine's own pip settings, however they were made, as one file.

The Dockerfile knows nothing of it and neither does the image: the file is mounted over /etc/pip.conf while a step runs,
and so is what it refers to.
"""

import ast
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import programs
from devtools.venv import INTERPRETER

CONFIGURATION = Path("/etc/pip.conf")


@contextmanager
def mounts() -> Iterator[dict[Path, Path]]:
    """What to mount, by the place where a step sees it."""
    settings = _settings()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        file.flush()
        referred = {path: path for path in map(Path, settings.values()) if path.is_absolute() and path.exists()}
        yield {CONFIGURATION: Path(file.name), **referred}


def _settings() -> dict[str, str]:
    """Every setting that pip has here, those from the environment included."""
    lines = programs.capture(INTERPRETER, "-m", "pip", "config", "list").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.rpartition(".")[2]: str(ast.literal_eval(value)) for name, _, value in pairs}
