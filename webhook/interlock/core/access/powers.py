"""Powers: what of RBAC makes its holder dangerous, topic by topic, and how much of a topic some rules give.

A power lists the atoms that matter; rules are asked whether they cover them, wildcards and `*/sub` included, so the
cost does not grow with how much a role enumerates. A rule that is narrowed by resourceNames gives the power over these
names. Resources without a namespace are given by ClusterRoleBindings only: a RoleBinding to the same role gives none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import NamedTuple

from interlock.core import rbac, text
from interlock.core.access.book import EVERYWHERE
from interlock.core.rbac import ALL, Atom
from interlock.core.types import RoleRule, Severity

ADMISSION = "admissionregistration.k8s.io"
CERTIFICATES = "certificates.k8s.io"
KUBE_SYSTEM = "kube-system"

EVERY_RESOURCE = "resources"
MAX_NAMED_WITH = 64
"""Resources that a verb by itself is looked for on; a rule with more of them says enough."""

READ = ("get", "list", "watch")
CHANGE = ("update", "patch")
WRITE = ("create", *CHANGE)
REMOVE = ("delete", "deletecollection")


@dataclass(frozen=True, kw_only=True)
class Right:
    """Verbs on resources of one API group; `cluster` where they have no namespace.

    Without resources it is the verb on whatever a rule names it with.
    """

    verbs: tuple[str, ...]
    group: str
    resources: tuple[str, ...]
    cluster: bool = False

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """One for each verb and resource."""
        pairs = product(self.verbs, self.resources)
        return tuple(Atom(verb=verb, group=self.group, resource=resource) for verb, resource in pairs)

    def among(self, rules: Sequence[RoleRule]) -> list[RoleRule]:
        """Rules that may speak of it; most of a large role do not."""
        if self.resources:
            return [rule for rule in rules if self.group in rule.groups or ALL in rule.groups]
        return [rule for rule in rules if ALL in rule.verbs or any(verb in rule.verbs for verb in self.verbs)]

    def asked(self, rules: Sequence[RoleRule]) -> Iterable[Atom]:
        """What rules are asked for: its atoms, or what they name its verbs with."""
        if self.resources:
            return self.atoms if rules else ()
        named = (
            Atom(verb=verb, group=group, resource=resource)
            for rule in rules
            for verb, group, resource in product(self.verbs, rule.groups, rule.resources)
            if verb in rule.verbs
        )
        return islice(named, MAX_NAMED_WITH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """One topic.

    Attributes:
        rights: any of them is dangerous.
        everywhere: how bad it is in all namespaces or in kube-system.
        somewhere: in another namespace, or over some named objects only.
    """

    rights: tuple[Right, ...]
    everywhere: Severity
    somewhere: Severity = Severity.HIGH

    def severity(self, given: Sequence["Given"], place: str) -> Severity:
        """How bad it is to be given this."""
        whole = any(each.names is None for each in given)
        return self.everywhere if whole and place in {EVERYWHERE, KUBE_SYSTEM} else self.somewhere


class Given(NamedTuple):
    """Verbs on one resource, over these names, or over all of them."""

    verbs: tuple[str, ...]
    resource: str
    group: str
    names: tuple[str, ...] | None

    @property
    def what(self) -> str:
        """The resource for a sentence."""
        if self.resource != ALL:
            return text.printable(self.resource)
        return EVERY_RESOURCE if self.group == ALL else f"{self.group or 'core'} {EVERY_RESOURCE}"

    def __str__(self) -> str:
        """``get, list on all secrets``, ``get on secrets db, tls``."""
        over = f"all {self.what}" if self.names is None else f"{self.what} {text.listed(self.names)}"
        return f"{', '.join(self.verbs)} on {over}"


def given(power: Power, rules: Sequence[RoleRule], held: Sequence[RoleRule], place: str) -> tuple[Given, ...]:
    """What of a power these rules give in a place, beyond what was held there."""
    found: dict[tuple[str, str, tuple[str, ...] | None], list[str]] = {}
    for right in power.rights:
        if right.cluster and place != EVERYWHERE:
            continue
        near, known = right.among(rules), right.among(held)
        if not known and any(map(_boundless, near)):  # what a loop over atoms would find, for who becomes administrator
            found |= {(resource, right.group, None): [*right.verbs] for resource in right.resources}
            continue
        for atom in right.asked(near):
            for names in _newly(atom, near, known):
                found.setdefault((atom.resource, atom.group, names), []).append(atom.verb)
    return tuple(
        Given(tuple(dict.fromkeys(verbs)), resource, group, names) for (resource, group, names), verbs in found.items()
    )


def _boundless(rule: RoleRule) -> bool:
    return ALL in rule.verbs and ALL in rule.groups and ALL in rule.resources and not rule.resource_names


def _newly(atom: Atom, rules: Sequence[RoleRule], held: Sequence[RoleRule]) -> Iterator[tuple[str, ...] | None]:
    """Names over which the atom is newly given; None stands for all."""
    if any(rbac.covers(rule, atom) for rule in held):
        return
    wide = [rule for rule in rules if rbac.covers_apart_from_names(rule, atom)]
    if any(not rule.resource_names for rule in wide):
        yield None
        return
    named = dict.fromkeys(name for rule in wide for name in rule.resource_names if _has_a_name(atom))
    if new := tuple(name for name in named if not any(rbac.covers(rule, atom.of(name)) for rule in held)):
        yield new


def _has_a_name(atom: Atom) -> bool:
    """Whether a request for it has a name that resourceNames can be compared with; creations of objects have none."""
    return atom.verb not in {"create", "deletecollection"} or "/" in atom.resource


WORKLOADS = ("deployments", "statefulsets", "daemonsets", "replicasets")

SECRETS = Power(rights=(Right(verbs=READ, group="", resources=("secrets",)),), everywhere=Severity.CRITICAL)
SESSIONS = Power(
    rights=(
        Right(verbs=("create", "get"), group="", resources=("pods/exec", "pods/attach", "pods/portforward")),
        Right(verbs=CHANGE, group="", resources=("pods/ephemeralcontainers",)),
        Right(verbs=("create", "get"), group="", resources=("pods/proxy", "services/proxy")),
    ),
    everywhere=Severity.HIGH,
    somewhere=Severity.MEDIUM,
)
NODES = Power(
    rights=(
        Right(verbs=("get", "create"), group="", resources=("nodes/proxy",), cluster=True),
        Right(verbs=("get",), group="", resources=("nodes/log", "nodes/pods", "nodes/configz"), cluster=True),
        Right(verbs=("create",), group="", resources=("nodes/checkpoint",), cluster=True),
    ),
    everywhere=Severity.CRITICAL,
)
TOKENS = Power(
    rights=(
        Right(verbs=("create",), group="", resources=("serviceaccounts/token",)),
        Right(verbs=WRITE, group="", resources=("secrets",)),
    ),
    everywhere=Severity.CRITICAL,
)
PODS = Power(
    rights=(
        Right(verbs=WRITE, group="", resources=("pods", "replicationcontrollers")),
        Right(verbs=WRITE, group="apps", resources=WORKLOADS),
        Right(verbs=WRITE, group="batch", resources=("jobs", "cronjobs")),
    ),
    everywhere=Severity.HIGH,
    somewhere=Severity.MEDIUM,
)
CERTIFICATE = Power(
    rights=(
        Right(verbs=CHANGE, group=CERTIFICATES, resources=("certificatesigningrequests/approval",), cluster=True),
        Right(verbs=("approve", "sign", "attest"), group=CERTIFICATES, resources=("signers",), cluster=True),
    ),
    everywhere=Severity.CRITICAL,
)
CONTROL = Power(
    rights=(
        Right(
            verbs=(*WRITE, *REMOVE),
            group=ADMISSION,
            resources=(
                "validatingwebhookconfigurations",
                "mutatingwebhookconfigurations",
                "validatingadmissionpolicies",
                "validatingadmissionpolicybindings",
                "mutatingadmissionpolicies",
                "mutatingadmissionpolicybindings",
            ),
            cluster=True,
        ),
        Right(verbs=WRITE, group="apiextensions.k8s.io", resources=("customresourcedefinitions",), cluster=True),
        Right(verbs=WRITE, group="apiregistration.k8s.io", resources=("apiservices",), cluster=True),
        Right(verbs=WRITE, group="", resources=("persistentvolumes",), cluster=True),
        Right(verbs=CHANGE, group="", resources=("nodes", "nodes/status"), cluster=True),
        Right(verbs=CHANGE, group="", resources=("namespaces", "pods/status", "services/status")),
        Right(verbs=WRITE, group="", resources=("endpoints",)),
        Right(verbs=WRITE, group="discovery.k8s.io", resources=("endpointslices",)),
        Right(verbs=("unsafe-delete-ignore-read-errors",), group="", resources=()),
    ),
    everywhere=Severity.HIGH,
    somewhere=Severity.MEDIUM,
)
DELETION = Power(
    rights=tuple(Right(verbs=REMOVE, group=group, resources=(ALL,)) for group in ("", "apps", ALL)),
    everywhere=Severity.CRITICAL,
)
