"""AdmissionReviews as a real API server sent them, byte for byte: one file for each shape that a decision has to know.

`hack/update vectors` records them again (`tests.vectors.record`, from the list in `tests.vectors.scenarios`). Unit
tests, tests of the HTTP edge and end-to-end tests all read the same files.
"""

from pathlib import Path

DIRECTORY = Path(__file__).parent


def names() -> list[str]:
    """Every vector's name."""
    return sorted(path.stem for path in DIRECTORY.glob("*.json"))


def read(name: str) -> bytes:
    """The bytes of one review."""
    return (DIRECTORY / f"{name}.json").read_bytes()
