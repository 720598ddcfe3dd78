"""The entry point of every Interlock process: `interlock …`, `kubectl interlock …` and `python -m interlock …`."""

from interlock.cli.main import app


def main() -> None:
    """Run the command that the process was started with; its exit code is the process's."""
    app()


if __name__ == "__main__":
    main()
