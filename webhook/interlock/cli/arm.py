"""`interlock arm`: after disarming, makes the webhook configuration again, empty, for the controllers to fill.

`helm upgrade` does the same, and is the way that leaves nothing to remember; this one needs no chart and no values. The
object gets the labels and annotations of its release, taken from a ClusterRole of the chart, so that Helm goes on
owning it: `helm uninstall` takes it away. Without that ClusterRole nothing is made: there is no release to arm.

The APIService of AuditRecords comes back by itself: the controllers restore it while Interlock is armed.
"""

import time

import orjson
import typer

from interlock.cli.installation import CHART_ROLE, COMPONENT, CONFIGURATION, CONFIGURATIONS, CONTROLLERS, GUARDS
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace, Yes
from interlock.cli.telling import errors_told
from interlock.core import unstructured
from interlock.core.text import counted
from interlock.core.types import JsonObject
from interlock.errors import Unavailable, UsageError

FILLED_SECONDS = 60.0  # a controller fills the configuration within a second; a new leader needs 15 more
LOOK_SECONDS = 0.5

HELM = "meta.helm.sh/"

NO_GUARDS = f"""\
No pod of Deployment {GUARDS} is ready: while armed, what enforcing policies cover is refused until one is."""


def arm(
    *, yes: Yes = False, namespace: Namespace = DEFAULT_NAMESPACE, kubeconfig: Kubeconfig = "", context: Context = ""
) -> None:
    """Switch Interlock on again after it was disarmed, and wait until reviews are asked for."""
    with errors_told():
        kubectl = Kubectl(kubeconfig=kubeconfig, context=context)
        entries = _entries(kubectl)
        alone = not _ready(kubectl, GUARDS, namespace)
        if alone:
            typer.echo(NO_GUARDS)
        if entries:
            typer.echo(f"Interlock is armed already, by {counted(entries, 'webhook')}")
            return
        release = _release(kubectl)
        _ = not alone or yes or typer.confirm("Arm all the same?", abort=True)
        if kubectl.find(CONFIGURATIONS, CONFIGURATION) is None:
            kubectl.run("create", "-f", "-", stdin=orjson.dumps(empty(release)))
        typer.echo(f"armed, by {counted(_filled(kubectl, namespace), 'webhook')}")


def empty(release: JsonObject) -> JsonObject:
    """The configuration as the chart makes it.

    Args:
        release: metadata of an object of the same release.
    """
    labels = unstructured.mapping(release, "labels")
    annotations = unstructured.mapping(release, "annotations")
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {
            "name": CONFIGURATION,
            "labels": {key: value for key, value in labels.items() if key != COMPONENT},
            "annotations": {key: value for key, value in annotations.items() if key.startswith(HELM)},
        },
        "webhooks": [],
    }


def _entries(kubectl: Kubectl) -> int:
    return len(unstructured.items(kubectl.find(CONFIGURATIONS, CONFIGURATION), "webhooks"))


def _release(kubectl: Kubectl) -> JsonObject:
    """Metadata of an object that the chart has made.

    Raises:
        UsageError: there is none.
    """
    role = kubectl.find("clusterrole", CHART_ROLE)
    if role is None:
        raise UsageError(
            f"ClusterRole {CHART_ROLE}: not found, expected where Interlock is installed: `helm install` it"
        )
    return unstructured.mapping(role, "metadata")


def _ready(kubectl: Kubectl, deployment: str, namespace: str) -> int:
    """How many pods of a Deployment are ready."""
    return unstructured.integer(kubectl.find("deployment", deployment, "-n", namespace), "status", "readyReplicas") or 0


def _filled(kubectl: Kubectl, namespace: str) -> int:
    """Wait until a controller has filled the configuration; how many webhooks there are then.

    Raises:
        Unavailable: none did.
    """
    deadline = time.monotonic() + FILLED_SECONDS
    while not (entries := _entries(kubectl)):
        if time.monotonic() > deadline:
            ready = _ready(kubectl, CONTROLLERS, namespace)
            raise Unavailable(
                f"the configuration stands, but no controller has filled it within {FILLED_SECONDS:.0f} s "
                f"({counted(ready, 'pod')} of Deployment {CONTROLLERS} ready): nothing is intercepted yet"
            )
        time.sleep(LOOK_SECONDS)
    return entries
