"""One fuzzing run in a process of its own: `python -m devtools.fuzz.run TARGET LIBFUZZER-ARGUMENT...`."""

import sys


def main() -> None:
    """Fuzz until libFuzzer ends the process; atheris, installed apart, has to see our modules being imported."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415

    with atheris.instrument_imports(include=["interlock"]):
        from devtools.fuzz import targets  # noqa: PLC0415

    name, *arguments = sys.argv[1:]
    atheris.Setup([sys.argv[0], *arguments], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
