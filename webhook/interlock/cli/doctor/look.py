"""What the checks look at, read through the user's kubectl when the first check asks, and at most once.

The time is the API server's own, so that a clock of the user's machine that is wrong makes nothing look old. The probe
is a question to the guards through the API server: a dry run of a policy that every guard refuses. Nothing is written.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

import orjson

from interlock import settings
from interlock.cli.doctor.grants import Grant, grants
from interlock.cli.installation import CONFIGURATION, CONFIGURATIONS, DEFINITION
from interlock.cli.kubectl import Kubectl
from interlock.cli.stored import CHECKPOINT, LEDGER
from interlock.core import unstructured
from interlock.core.audit import standing
from interlock.core.audit.standing import Condition
from interlock.core.types import JsonObject
from interlock.errors import BadInput, ClusterError

PROBE = {
    "apiVersion": f"{settings.GROUP}/{settings.VERSION}",
    "kind": "DangerPolicy",
    "metadata": {"name": "interlock-doctor-probe"},
    "spec": {"severity": "Low", "mode": "Disabled", "verdict": "Deny", "match": {"actions": ["refuse-me"]}},
}
"""Sound for the schema; only a guard knows that there is no such action."""

REFUSED_BY_A_GUARD = f'admission webhook "self.{settings.GROUP}" denied the request'


class Look:
    """One cluster, as the user may see it. Every property raises ClusterError if it could not be read."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self.namespace = namespace

    @cached_property
    def now(self) -> datetime:
        """The API server's time: when it answered the question who we are."""
        who = orjson.loads(self._kubectl.run("auth", "whoami", "-o", "json"))
        return datetime.fromisoformat(unstructured.text(who, "metadata", "creationTimestamp"))

    @cached_property
    def configuration(self) -> JsonObject | None:
        """The webhook configuration."""
        return self._kubectl.find(CONFIGURATIONS, CONFIGURATION)

    @cached_property
    def policies(self) -> Sequence[JsonObject]:
        """Every DangerPolicy."""
        return self._list(DEFINITION)

    @cached_property
    def deployments(self) -> Sequence[JsonObject]:
        """Deployments of Interlock's namespace."""
        return self._inside("deployments")

    @cached_property
    def pods(self) -> Sequence[JsonObject]:
        """Pods of Interlock's namespace."""
        return self._inside("pods")

    @cached_property
    def leases(self) -> Sequence[JsonObject]:
        """Leases of Interlock's namespace."""
        return self._inside("leases")

    @cached_property
    def checkpoints(self) -> Sequence[JsonObject]:
        """Checkpoints of the ledger that are in the cluster."""
        return self._inside("configmaps", "-l", f"{LEDGER}={CHECKPOINT}")

    @cached_property
    def standing(self) -> Sequence[Condition]:
        """How the ledger stands by the controller's word; nothing where there is none."""
        found = self._kubectl.find("configmap", settings.LEDGER_CONFIG_MAP, "-n", self.namespace)
        try:
            return standing.read(unstructured.text(found, "data", "conditions").encode()) if found else ()
        except BadInput:
            return ()

    @cached_property
    def fences(self) -> Sequence[JsonObject]:
        """Every ValidatingAdmissionPolicy and every binding of one."""
        return self._list("validatingadmissionpolicies,validatingadmissionpolicybindings")

    @cached_property
    def serving_certificate(self) -> str:
        """The guards' certificate, base64 of its PEM; the key beside it is not looked at."""
        found = self._kubectl.find("secret", settings.GUARD_SECRET, "-n", self.namespace)
        return unstructured.text(found, "data", "tls.crt")

    @cached_property
    def grants(self) -> Sequence[Grant]:
        """What RBAC grants anywhere in the cluster or in Interlock's namespace."""
        everywhere = self._list("clusterroles,clusterrolebindings")
        inside = self._inside("roles,rolebindings")
        return grants([*everywhere, *inside])

    @cached_property
    def answered(self) -> bool:
        """Whether a guard has answered the probe."""
        try:
            self._kubectl.run("create", "--dry-run=server", "-f", "-", stdin=orjson.dumps(PROBE))
        except ClusterError as error:
            if REFUSED_BY_A_GUARD in str(error):
                return True
            raise
        return False

    def _inside(self, kinds: str, *which: str) -> Sequence[JsonObject]:
        return self._list(kinds, "-n", self.namespace, *which)

    def _list(self, *what: str) -> Sequence[JsonObject]:
        return unstructured.items(self._kubectl.get(*what), "items")
