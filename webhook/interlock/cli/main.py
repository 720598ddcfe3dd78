"""The `interlock` program: the list of its commands."""

import typer

from interlock.cli import (
    arm,
    catalogue,
    controller,
    disarm,
    guard,
    ledger,
    paths,
    provestore,
    purge,
    records,
    timeline,
    verify,
    version,
    window,
    witness,
)
from interlock.cli.doctor import command as doctor
from interlock.cli.policy import command as policy

app = typer.Typer(
    name="interlock",
    help="Stops dangerous actions in a Kubernetes cluster before they happen and keeps proof of every decision.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("arm")(arm.arm)
app.command("catalogue")(catalogue.catalogue)
app.command("controller")(controller.controller)
app.command("disarm")(disarm.disarm)
app.command("doctor")(doctor.doctor)
app.command("guard")(guard.guard)
app.add_typer(ledger.app, name="ledger")
app.command("paths")(paths.paths_command)
app.add_typer(policy.app, name="policy")
app.command("prove-store")(provestore.prove_store)
app.command("purge")(purge.purge)
app.command("records")(records.records)
app.command("timeline")(timeline.timeline)
app.command("verify")(verify.verify)
app.command("version")(version.version)
app.command("window")(window.window)
app.add_typer(witness.app, name="witness")


@app.callback()
def interlock() -> None:
    """Keep `interlock COMMAND` the form of every call, however many commands there are."""
