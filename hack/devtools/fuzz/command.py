"""The command: installs atheris apart from the checkout's environment, runs each target for a while, keeps its finds.

    hack/fuzz                         a minute for each target
    hack/fuzz review --seconds 3600   an hour for one

New inputs that reach new code go to the user's cache, where the next run begins with them. An input that upsets a
target is put into the checkout's corpus, so that the unit tests fail until it no longer does.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from devtools import console, programs, toolcache
from devtools.errors import ToolError
from devtools.fuzz.targets import CORPORA, TARGETS
from devtools.locks import FUZZ
from devtools.venv import INTERPRETER, ROOT

SECONDS = 60
MAX_INPUT_BYTES = 16 * 1024  # larger inputs find little more and are tried far less often
INPUT_SECONDS = 5  # one input that takes longer is a find


def main(arguments: Sequence[str]) -> int:
    """Fuzz what the arguments name, or everything; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="hack/fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"any of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each; default {SECONDS}")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.target) - set(TARGETS)):
        parser.error(f"got {', '.join(unknown)}, expected any of {', '.join(TARGETS)}")
    try:
        environment = _environment()
    except ToolError as failed:
        console.say(f"{failed}\natheris could not be installed: it has packages for Linux on x86-64 only")
        return 1
    return max(_fuzz(name, chosen.seconds, environment) for name in chosen.target or TARGETS)


def _environment() -> Mapping[str, str]:
    """That in which atheris can be imported; installs it on first use.

    Raises:
        ToolError: it cannot be installed here.
    """
    place = toolcache.place("atheris", FUZZ.path.read_bytes(), sys.version.encode())
    with toolcache.locked("atheris", seconds=20):
        if not place.exists():
            making = place.with_suffix(".making")
            with console.step("installing atheris", 10):
                options = ("--quiet", "--no-input", "--require-hashes", "--upgrade", "--target", making)
                programs.run(INTERPRETER, "-m", "pip", "install", *options, "-r", FUZZ.path)
            making.rename(place)
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (place, ROOT / "hack")))}


def _fuzz(name: str, seconds: int, environment: Mapping[str, str]) -> int:
    kept, found = CORPORA / name, toolcache.place(f"corpus-{name}")
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={INPUT_SECONDS}",
        f"-artifact_prefix={kept}{os.sep}",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    with console.step(f"fuzzing {name}", seconds):
        try:
            programs.run(INTERPRETER, "-m", "devtools.fuzz.run", name, *options, found, kept, environment=environment)
        except programs.FailedError:
            place = kept.relative_to(ROOT)
            console.say(f"an input that upsets {name} is in {place}: the unit tests fail until it is repaired")
            return 1
    return 0
