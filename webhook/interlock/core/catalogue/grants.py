"""Family `privilege`: dangerous rights, topic by topic, wherever a write newly gives them.

A right is given by a binding to a role that has it, by a rule that a bound role gets, and by a label by which a bound
role collects another. All three are found here, with whom they give it to and what is left of it after what these had
before (`interlock.core.access.granting`). A role that nobody is bound to is found as well: a binding may follow that
gives it under the name of somebody who cannot write roles.
"""

from collections.abc import Iterator

from interlock.core.access import granting, powers
from interlock.core.access.powers import Power
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Detector, Entry, RoleBook, Seen
from interlock.core.catalogue.needs import writes
from interlock.core.rbac import GROUP
from interlock.core.types import Reach, Request, Severity

FAMILY = "privilege"
RULES = (writes(GROUP, "clusterroles", "roles", "clusterrolebindings", "rolebindings"),)
MISSES = "Who is in a group; what other authorizers give; roles that do not exist yet when they are bound."


def _gives(power: Power) -> Detector:
    """Find what of this power a write newly gives."""

    def detect(request: Request, roles: RoleBook) -> Iterator[Seen]:
        for gift in granting.gifts(granting.grants(request, roles.access), power):
            reach = Reach.of(gift.place) if gift.place else target.reach(request)
            yield Seen(str(gift), reach, power.severity(gift.given, gift.place))

    return detect


def _entry(action: str, title: str, power: Power, example: str, *techniques: str, misses: str = MISSES) -> Entry:
    raised = {
        (True, True): "High in a namespace that is not kube-system, or for some named objects.",
        (False, True): "Medium in a namespace that is not kube-system, or for some named objects.",
        (True, False): "High for some named objects.",
        (False, False): "Medium for some named objects.",
    }
    critical = power.everywhere > power.somewhere > Severity.MEDIUM
    scoped = any(not right.cluster for right in power.rights)
    return Entry(
        id=action,
        family=FAMILY,
        title=title,
        severity=power.everywhere,
        raised=raised[critical, scoped],
        rules=RULES,
        misses=misses,
        example=example,
        references=("T1098.006", *techniques),
        detect=_gives(power),
    )


GRANTS = (
    _entry(
        "grant-secrets",
        "Give somebody the right to read Secrets",
        powers.SECRETS,
        "kubectl create role reader --verb=get --resource=secrets -n prod-shop",
        "T1552.007",
    ),
    _entry(
        "grant-sessions",
        "Give somebody the right to enter pods: exec, attach, port-forward, ephemeral containers, proxies",
        powers.SESSIONS,
        "kubectl create clusterrole shell --verb=create --resource=pods/exec",
        "T1609",
    ),
    _entry(
        "grant-node-access",
        "Give somebody the right to speak to kubelets: nodes/proxy, also to read only",
        powers.NODES,
        "kubectl create clusterrole nodes --verb=get --resource=nodes/proxy",
        "T1609",
    ),
    _entry(
        "grant-tokens",
        "Give somebody the right to make tokens: serviceaccounts/token, or Secrets to be filled with one",
        powers.TOKENS,
        "kubectl create clusterrole minter --verb=create --resource=serviceaccounts/token",
        "T1528",
    ),
    _entry(
        "grant-workloads",
        "Give somebody the right to run pods, under any ServiceAccount of the namespace",
        powers.PODS,
        "kubectl create role deployer --verb=create --resource=deployments.apps -n prod-shop",
        "T1610",
    ),
    _entry(
        "grant-certificates",
        "Give somebody the right to approve or sign certificates",
        powers.CERTIFICATE,
        "kubectl create clusterrole approver --verb=update --resource=certificatesigningrequests/approval",
        "T1649",
    ),
    _entry(
        "grant-control",
        "Give somebody the right to change how the cluster works: webhooks and admission policies, CRDs, APIServices, "
        "volumes, nodes, labels of namespaces, endpoints, unsafe deletion",
        powers.CONTROL,
        "kubectl create clusterrole hooks --verb=update --resource=mutatingwebhookconfigurations",
        "T1562.001",
    ),
    _entry(
        "grant-deletion",
        "Give somebody the right to delete anything",
        powers.DELETION,
        "kubectl create clusterrole cleaner --verb=delete --resource='*'",
        "T1485",
    ),
)
