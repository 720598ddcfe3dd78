"""How a command that cannot do what was asked ends: one line on standard error, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from interlock.errors import InterlockError


@contextmanager
def errors_told(*, code: int = 1) -> Iterator[None]:
    """End the command with the message of an error of ours.

    Raises:
        Exit: with this code, in the place of an InterlockError.
    """
    try:
        yield
    except InterlockError as error:
        typer.echo(error.diagnostics(), err=True)
        raise typer.Exit(code) from error
