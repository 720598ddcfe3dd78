"""`interlock version`: which Interlock this is, and by which time zones it tells when windows open."""

import typer

import interlock
from interlock.core.policies import zones


def version() -> None:
    """Print the version of this program, and the release of its time zones."""
    typer.echo(f"interlock {interlock.__version__}")
    typer.echo(f"tzdata {zones.version()}")
