"""`interlock disarm`: the off switch. It needs nothing of Interlock alive, only the right to delete two objects.

The second one is the APIService of AuditRecords: with nobody alive who serves them it stops every namespace deletion.
Where the controllers repair the configuration by themselves, they are scaled away, or it would be back in a second.
"""

import contextlib

import typer

from interlock.cli import installation
from interlock.cli.installation import API_SERVICE, API_SERVICES, CONFIGURATION, CONFIGURATIONS, CONTROLLERS
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Yes
from interlock.cli.telling import errors_told
from interlock.core import unstructured
from interlock.errors import ClusterError, Forbidden

CONTROLLERS_GONE_SECONDS = 60  # their draining and a margin; what is deleted meanwhile is deleted again afterwards

MEANING = f"""\
This deletes ValidatingWebhookConfiguration {CONFIGURATION}, and with it the APIService of AuditRecords. From then on
Interlock stops nothing and records nothing, until it is armed again. Policies, keys and records stay, and `interlock
ledger show` reads them; what guards Interlock's own namespace stays in force."""

REPAIRS = f"""\
selfRepair is on: controllers would make the configuration again. Deployment {CONTROLLERS} is scaled to 0 as well."""

DISARMED = "disarmed; `interlock arm` arms it again"
DISARMED_FOR_GOOD = "disarmed; `helm upgrade` brings the controllers back, and they arm it again"


def disarm(
    *, yes: Yes = False, namespace: Namespace = DEFAULT_NAMESPACE, kubeconfig: Kubeconfig = "", context: Context = ""
) -> None:
    """Switch Interlock off, dead or alive: delete its webhook configuration."""
    with errors_told():
        kubectl = Kubectl(kubeconfig=kubeconfig, context=context)
        repairs = _repairs(kubectl, namespace)
        if not repairs and not _armed(kubectl):
            typer.echo("Interlock is disarmed already")
            return
        typer.echo("\n".join([MEANING, REPAIRS] if repairs else [MEANING]))
        _ = yes or typer.confirm("Disarm?", abort=True)
        _disarm(kubectl, namespace, repairs=repairs)
        typer.echo(DISARMED_FOR_GOOD if repairs else DISARMED)


def _armed(kubectl: Kubectl) -> bool:
    """Whether anything is there that disarming takes away."""
    if kubectl.find(CONFIGURATIONS, CONFIGURATION) is not None:
        return True
    with contextlib.suppress(Forbidden):  # then it is not this user's to delete
        return kubectl.find(API_SERVICES, API_SERVICE) is not None
    return False


def _repairs(kubectl: Kubectl, namespace: str) -> bool:
    """Whether controllers that may run would make the configuration again."""
    try:
        found = kubectl.find("deployment", CONTROLLERS, "-n", namespace)
    except Forbidden as error:  # no reason not to disarm
        typer.echo(f"whether selfRepair is on cannot be seen: {error}", err=True)
        return False
    return bool(unstructured.integer(found, "spec", "replicas")) and any(
        "--self-repair" in unstructured.texts(container, "args")
        for container in unstructured.items(found, "spec", "template", "spec", "containers")
    )


def _disarm(kubectl: Kubectl, namespace: str, *, repairs: bool) -> None:
    """Delete the configuration; at once, and again when nobody is left who could have made it anew."""
    if repairs:
        kubectl.run("scale", f"deployment/{CONTROLLERS}", "--replicas=0", "-n", namespace)
    _delete(kubectl)
    if repairs:
        _wait_for_controllers(kubectl, namespace)
        _delete(kubectl)


def _delete(kubectl: Kubectl) -> None:
    """Delete both; the configuration first, without which controllers do not restore the other one."""
    kubectl.run("delete", CONFIGURATIONS, CONFIGURATION, "--ignore-not-found")
    try:
        kubectl.run("delete", API_SERVICES, API_SERVICE, "--ignore-not-found")
    except ClusterError as error:
        typer.echo(f"the APIService of AuditRecords may still be there: {error}", err=True)


def _wait_for_controllers(kubectl: Kubectl, namespace: str) -> None:
    gone = ("--for=delete", f"--timeout={CONTROLLERS_GONE_SECONDS}s")
    try:
        kubectl.run("wait", "pods", "-l", installation.pods_of("controller"), "-n", namespace, *gone)
    except ClusterError as error:
        typer.echo(f"controllers may still run and arm it again: {error}", err=True)
