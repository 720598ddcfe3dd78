"""One fuzzing run in a process of its own: `python -m devtools.fuzz.run TARGET LIBFUZZER-ARGUMENT...`."""

import sys

import atheris  # type: ignore[import-untyped]  # installed apart, see command.py

with atheris.instrument_imports(include=["interlock"]):
    from devtools.fuzz import targets


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, *arguments = sys.argv[1:]
    target = targets.TARGETS[name]
    atheris.Setup([sys.argv[0], *arguments], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
