"""The `interlock` program: the list of its commands."""

import typer

from interlock.cli import catalogue, controller, guard, ledger, verify, version

app = typer.Typer(
    name="interlock",
    help="Stops dangerous actions in a Kubernetes cluster before they happen and keeps proof of every decision.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("catalogue")(catalogue.catalogue)
app.command("controller")(controller.controller)
app.command("guard")(guard.guard)
app.add_typer(ledger.app, name="ledger")
app.command("verify")(verify.verify)
app.command("version")(version.version)


@app.callback()
def interlock() -> None:
    """Keep `interlock COMMAND` the form of every call, however many commands there are."""
