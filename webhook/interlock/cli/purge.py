"""`interlock purge`: what is left of Interlock once it is uninstalled, listed, and with `--yes` removed.

`helm uninstall` leaves policies and their definition, keys and records on purpose: the first are work, the last are
evidence. Where the namespace was deleted instead, the chart's objects without a namespace are left over as well. All of
that goes here, interception first and policies last, so that a removal that is cut short never leaves more guarded than
before. The namespace itself stays: others may use it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from interlock import settings
from interlock.cli.installation import API_SERVICES, CONFIGURATIONS, DEFINITION, KEYS, LEDGER, OF_THE_CHART
from interlock.cli.kubectl import Kubectl
from interlock.cli.options import DEFAULT_NAMESPACE, Context, Kubeconfig, Namespace
from interlock.cli.telling import errors_told
from interlock.core.interception.rules import KUBE_SYSTEM
from interlock.core.text import counted
from interlock.errors import UsageError

MANY = 100  # names of one kind that are handed to one kubectl: far below what a command line holds

LEFTOVERS = (
    CONFIGURATIONS,
    API_SERVICES,
    "validatingadmissionpolicybindings",
    "validatingadmissionpolicies",
    "clusterrolebindings",
    "clusterroles",
)
"""Kinds without a namespace that the chart makes, in the order in which they go."""

STATE = (settings.COUNTS_CONFIG_MAP, settings.LEDGER_CONFIG_MAP, settings.STORE_PROOF_CONFIG_MAP)
"""ConfigMaps that say how the ledger stands."""

EVIDENCE = """\
Records are evidence, and without the keys nothing can be added to them: save what you need before, with
`interlock ledger show --from-cluster --all --output json` and `kubectl get configmaps -o yaml`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Objects of one kind.

    Attributes:
        kind: as kubectl takes it.
        names: at least one.
        namespace: theirs; empty for a kind without.
        what: what they are to Interlock.
    """

    kind: str
    names: tuple[str, ...]
    namespace: str = ""
    what: str = ""

    def __str__(self) -> str:
        shown = ", ".join(self.names) if len(self.names) < MANY else f"{self.names[0]} and {len(self.names) - 1} others"
        what = f" ({self.what})" if self.what else ""
        return f"{self.kind}{f' in {self.namespace}' if self.namespace else ''}: {shown}{what}"


def purge(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; for ever.")] = False,
    namespace: Namespace = DEFAULT_NAMESPACE,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """List what `helm uninstall` leaves: policies, keys, records; remove it with --yes."""
    with errors_told():
        kubectl = Kubectl(kubeconfig=kubeconfig, context=context)
        _refuse_while_installed(kubectl, namespace)
        left = list(_remains(kubectl, namespace))
        for remains in left:
            typer.echo(remains)
        if not left:
            typer.echo("Nothing is left of Interlock.")
        elif yes:
            _remove(kubectl, left)
            typer.echo(f"removed; namespace {namespace} is left to you")
        else:
            typer.echo(f"\n{EVIDENCE}\nNothing was removed; `interlock purge --yes` removes all of the above.")


def _refuse_while_installed(kubectl: Kubectl, namespace: str) -> None:
    """Whatever runs would make its things again.

    Raises:
        UsageError: there are Deployments of the chart.
    """
    found = _names(kubectl, "deployments", "-n", namespace, "-l", OF_THE_CHART)
    if found:
        raise UsageError(
            f"Deployments {', '.join(found)}: got them in {namespace}, expected none: `helm uninstall` first"
        )


def _remains(kubectl: Kubectl, namespace: str) -> Iterator[Remains]:
    """Everything that is left, in the order in which it goes."""
    for kind in LEFTOVERS:
        names = _names(kubectl, kind, "-l", OF_THE_CHART)
        if names:
            yield Remains(kind=kind, names=names, what="of the chart; no `helm uninstall` removed it")
    inside, system = ("-n", namespace), ("-n", KUBE_SYSTEM)
    bindings = _names(kubectl, "rolebindings", "-l", OF_THE_CHART, *system)
    if bindings:
        yield Remains(kind="rolebindings", names=bindings, namespace=KUBE_SYSTEM, what="of the chart, likewise")
    for kind, what, names in (
        ("configmaps", "records", _names(kubectl, "configmaps", "-l", LEDGER, *inside)),
        ("configmaps", "the notary's public key", _those(kubectl, "configmaps", (settings.NOTARY_CONFIG_MAP,), inside)),
        (
            "configmaps",
            "the ledger's state",
            _those(
                kubectl,
                "configmaps",
                (settings.COUNTS_CONFIG_MAP, settings.LEDGER_CONFIG_MAP, settings.STORE_PROOF_CONFIG_MAP),
                inside,
            ),
        ),
        ("secrets", "keys", _those(kubectl, "secrets", KEYS, inside)),
        ("leases", "of controllers", _those(kubectl, "leases", (settings.CONTROLLER_LEASE,), inside)),
    ):
        if names:
            yield Remains(kind=kind, names=names, namespace=namespace, what=what)
    definitions = _those(kubectl, "customresourcedefinitions", (DEFINITION,), ())
    if definitions:
        policies = _names(kubectl, DEFINITION)
        yield Remains(kind="customresourcedefinitions", names=definitions, what=f"with {_policies(policies)}")


def _policies(names: tuple[str, ...]) -> str:
    policies = "1 policy" if len(names) == 1 else f"{len(names)} policies"
    return f"{policies}: {', '.join(names)}" if names else policies


def _names(kubectl: Kubectl, *what: str) -> tuple[str, ...]:
    """Names of the objects that ``kubectl get`` finds."""
    listed = kubectl.run("get", *what, "-o", "name").decode().split()
    return tuple(name.partition("/")[2] for name in listed)


def _those(kubectl: Kubectl, kind: str, names: tuple[str, ...], where: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these objects exist."""
    return _names(kubectl, kind, *names, *where, "--ignore-not-found")


def _remove(kubectl: Kubectl, left: list[Remains]) -> None:
    for remains in left:
        where = ("-n", remains.namespace) if remains.namespace else ()
        for first in range(0, len(remains.names), MANY):
            names = remains.names[first : first + MANY]
            kubectl.run("delete", remains.kind, *names, *where, "--ignore-not-found")
        typer.echo(f"removed {counted(len(remains.names), 'object')} of kind {remains.kind}")
