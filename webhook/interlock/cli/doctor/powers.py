"""What RBAC must give to nobody but those who are known: powers over Interlock itself, and who holds each.

Known are administrators (people with cluster-admin in the whole cluster; they are named all the same), the parts of
Kubernetes, Interlock's own accounts by the chart's bindings, and whoever the user expects. Everybody else is excess.
Reads never reach admission, nor do changes of webhook configurations and admission policies: here RBAC decides alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from interlock import settings
from interlock.cli.doctor.finding import Finding, bad, good
from interlock.cli.doctor.grants import Grant
from interlock.cli.installation import CONFIGURATION, CONFIGURATIONS, DEPLOYMENTS, FENCES, KEYS
from interlock.core import rbac
from interlock.core.bindings import SERVICE_ACCOUNT, Subject
from interlock.core.rbac import Atom
from interlock.core.types import RoleRule

CHANGES = ("update", "patch", "delete")
READS = ("get", "list", "watch")
ADMISSION = "admissionregistration.k8s.io"
TOO_MANY = "more rules than can be looked at"

REMEDY = "take it away, or say that it is meant to be: --expect {subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Something that a subject may be able to do.

    Attributes:
        title: completes the sentence "… may".
        atoms: any of them is enough.
        becoming: whether every way to become somebody else counts as well.
    """

    title: str
    atoms: tuple[Atom, ...] = ()
    becoming: bool = False

    def given_by(self, rules: Sequence[RoleRule]) -> str:
        """What of it these rules give; empty if nothing."""
        atom = next((each for each in self.atoms if any(rbac.covers(rule, each) for rule in rules)), None)
        if atom is not None:
            return str(atom)
        return _becoming(rules) if self.becoming else ""


def _atoms(
    verbs: Iterable[str], group: str, resources: Iterable[str], names: Iterable[str | None] = (None,)
) -> tuple[Atom, ...]:
    return tuple(
        Atom(verb=verb, group=group, resource=resource, name=name)
        for verb, resource, name in product(verbs, tuple(resources), tuple(names))
    )


def _becoming(rules: Sequence[RoleRule]) -> str:
    if not rbac.comparable(rules):
        return TOO_MANY
    return next((str(atom) for atom in rbac.atoms(rules) if atom.escalating), "")


DISARM = Power(
    title="delete or change the webhook configuration or the admission policies around Interlock",
    atoms=(
        *_atoms(CHANGES, ADMISSION, [CONFIGURATIONS], [CONFIGURATION]),
        *_atoms(CHANGES, ADMISSION, ["validatingadmissionpolicies", "validatingadmissionpolicybindings"], FENCES),
        *_atoms(["deletecollection"], ADMISSION, [CONFIGURATIONS, "validatingadmissionpolicies"]),
    ),
)
CHANGE_POLICIES = Power(
    title="change or delete policies",
    atoms=_atoms((*CHANGES, "deletecollection"), settings.GROUP, [settings.POLICIES]),
)
READ_KEYS = Power(title="read Interlock's keys", atoms=_atoms(READS, "", ["secrets"], KEYS))
READ_PATH = Power(
    title="read the webhook's path, and so pass for an API server",
    atoms=_atoms(READS, ADMISSION, [CONFIGURATIONS], [CONFIGURATION]),
)
BECOME_OTHERS = Power(title="act as others, or give themselves more than they have", becoming=True)
WRITE_RECORDS = Power(
    title="write ConfigMaps where records are",
    atoms=_atoms(("create", *CHANGES, "deletecollection"), "", ["configmaps"]),
)
CHANGE_GUARDS = Power(
    title="change what runs as Interlock",
    atoms=_atoms(CHANGES, "apps", ["deployments", "deployments/scale"], DEPLOYMENTS),
)
ENTER_NODES = Power(
    title="reach into pods through their nodes, past admission of pods",
    atoms=_atoms(("get", "create"), "", ["nodes/proxy"]),
)


def held(power: Power, grants: Sequence[Grant], *, namespace: str, expected: frozenset[str]) -> Finding:
    """Nobody but those who are known holds a power.

    Args:
        power: the power.
        grants: what RBAC gives to whom.
        namespace: Interlock's.
        expected: subjects that the user knows of, as `name_of` spells them.
    """
    holders = [(grant, what) for grant in grants if not _own(grant, namespace) if (what := power.given_by(grant.rules))]
    excess = [(grant, what) for grant, what in holders if not _known(grant, expected)]
    if excess:
        return bad(
            f"others than administrators may {power.title}",
            details=[f"{name_of(grant.subject)}, through {grant.binding}: {what}" for grant, what in excess],
            remedy=REMEDY.format(subject=name_of(excess[0][0].subject)),
        )
    names = dict.fromkeys(name_of(grant.subject) for grant, _ in holders)
    return good(f"may {power.title}: {', '.join(names) or 'nobody'}")


def name_of(subject: Subject) -> str:
    """A subject as `--expect` takes it: User/jane, Group/sre, ServiceAccount/argocd/controller."""
    return str(subject).replace(" ", "/", 1)


def _known(grant: Grant, expected: frozenset[str]) -> bool:
    return grant.administrator or name_of(grant.subject) in expected


def _own(grant: Grant, namespace: str) -> bool:
    """Whether it is Kubernetes' own, or what the chart gives to one of Interlock's accounts."""
    subject = grant.subject
    account = subject.kind == SERVICE_ACCOUNT and subject.namespace == namespace and subject.name in DEPLOYMENTS
    return grant.kubernetes or (account and grant.binding.partition(" ")[2].startswith("interlock-"))
