"""Who asks, in tests of the ValidatingAdmissionPolicies.

Everybody here is also a member of system:masters: what is refused is refused by the policies alone.
"""

from dataclasses import dataclass

BREAK_GLASS_GROUP = "key-restorers"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Caller:
    """A user as the API server knows one.

    Attributes:
        name: user name; of an account in the guarded namespace, `{namespace}` stands for that.
        groups: beside system:masters.
        pod: the pod that its token is bound to, if any.
    """

    name: str
    groups: tuple[str, ...] = ("others",)
    pod: str = ""

    def flags(self, namespace: str) -> list[str]:
        """What makes kubectl ask under this name."""
        groups = [f"--as-group={group}" for group in ("system:masters", *self.groups)]
        bound = [f"--as-user-extra=authentication.kubernetes.io/pod-name={self.pod}"] if self.pod else []
        return [f"--as={self.name.format(namespace=namespace)}", *groups, *bound]

    def __repr__(self) -> str:
        return self.name.replace(":{namespace}", "")


def account(name: str, *, pod: str = "") -> Caller:
    """An account of the guarded namespace, by a token that is bound to a pod or to none."""
    return Caller(name=f"system:serviceaccount:{{namespace}}:{name}", pod=pod)


def controller_of_kubernetes(name: str) -> Caller:
    """One of Kubernetes' own controllers under its own account."""
    return Caller(name=f"system:serviceaccount:kube-system:{name}")


ADMINISTRATOR = Caller(name="administrator")
BREAK_GLASS = Caller(name="restorer", groups=(BREAK_GLASS_GROUP,))
GUARD, CONTROLLER = account("interlock-guard"), account("interlock-controller")

MANAGER = Caller(name="system:kube-controller-manager")  # all controllers at once, without accounts of their own
NAMESPACES = controller_of_kubernetes("namespace-controller")
GARBAGE = controller_of_kubernetes("generic-garbage-collector")
DEPLOYMENTS = controller_of_kubernetes("deployment-controller")
REPLICASETS = controller_of_kubernetes("replicaset-controller")
JOBS = controller_of_kubernetes("job-controller")

INTERLOCK = frozenset({GUARD, CONTROLLER})
KUBERNETES = frozenset({MANAGER, NAMESPACES, GARBAGE, DEPLOYMENTS, REPLICASETS, JOBS})
EVERYBODY = frozenset({ADMINISTRATOR, BREAK_GLASS}) | INTERLOCK | KUBERNETES
