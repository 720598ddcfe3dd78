"""`interlock version`: which Interlock this is."""

import typer

import interlock


def version() -> None:
    """Print the version of this program."""
    typer.echo(f"interlock {interlock.__version__}")
