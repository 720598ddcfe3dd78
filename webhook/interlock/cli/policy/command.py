"""The commands of `interlock policy`."""

import typer

from interlock.cli.policy import explaining, linting, testing

app = typer.Typer(help="Test, explain and lint policies.", no_args_is_help=True)

app.command("explain")(explaining.explain_policies)
app.command("lint")(linting.lint_policies)
app.command("test")(testing.try_policies)


@app.callback()
def policy() -> None:
    """Keep `interlock policy COMMAND` the form of every call, however many commands there are."""
