"""The five webhooks of Interlock's ValidatingWebhookConfiguration, made from the policies.

    enforce.interlock.dev   Fail     what Enforce policies that can deny need
    observe.interlock.dev   Ignore   the rest of what policies need
    system.interlock.dev    Ignore   all of it, when a system identity of core.systems asks
    self.interlock.dev      Ignore   Interlock's own kinds, always
    probe.interlock.dev     Ignore   the controller's question by what policies an API server asks, always

Rules kept here:

* A request that some policy could select goes to exactly one of enforce and observe, or to system if a system identity
  asks; their conditions are complements of each other by construction. Interlock's own listed writes go nowhere.
* Fail never covers kube-system or Interlock's own namespace, unless a policy names exactly that namespace, nor
  Interlock's own kinds: whatever a policy says, it can be deleted with Interlock dead.
* Questions to the API server about who somebody is or what he may do (TokenReview and the like) are never sent: they
  are no actions, and a dead guard would take authentication with it. Newer API servers do not send them either.
* No policy, no interception but of Interlock's own kinds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from interlock.core import systems, unstructured
from interlock.core.catalogue import When
from interlock.core.interception import conditions, coverage
from interlock.core.interception.conditions import any_of, one_of, quoted
from interlock.core.interception.coverage import Bound
from interlock.core.interception.targets import Targets, reduced, rules
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, Mode, Operation, Verdict

OWN_GROUP = "interlock.dev"
KUBE_SYSTEM = "kube-system"
QUESTIONS = ("authentication.k8s.io", "authorization.k8s.io")

PROBE_NAME = "interlock-probe"
"""ConfigMap in Interlock's namespace that is asked for, as a dry run, and never exists."""

PROBER = "interlock-controller"

MAX_CONDITION_RUNES = 45_000
"""Of what one of the two scopes needs. The API server reads expressions of 100 000 code points; the second entry's
holds both."""

TIMEOUT_SECONDS = 5
"""Longest wait of the API server for an answer: two for a record, one for reads, the rest for a busy machine."""


_PATH = re.compile(r"/(?:review/[a-z]+|probe)/(?P<generation>[0-9]+)/.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where reviews go.

    Attributes:
        namespace: Interlock's own.
        service: Service of the guards there; `port` is its port.
        ca_bundle: base64 of the PEM authorities that may have signed the guards' certificate.
        generation: policy generation that the rules are made from.
        path_secret: proves that a caller has read the configuration.
    """

    namespace: str
    service: str
    port: int
    ca_bundle: str
    generation: int
    path_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWrite:
    """One write of Interlock itself that is never sent to it.

    Attributes:
        account: ServiceAccount in Interlock's namespace.
        operations: what it does.
        groups, resource: to what, ``resource/subresource``.
        clusterwide: whether the object has no namespace; else it is in Interlock's own.
        name: of the one object; empty for any.
    """

    account: str
    operations: tuple[Operation, ...]
    groups: tuple[str, ...]
    resource: str
    clusterwide: bool = False
    name: str = ""


def _own(account: str, operations: tuple[Operation, ...], resource: str, *groups: str) -> OwnWrite:
    return OwnWrite(account=f"interlock-{account}", operations=operations, groups=groups, resource=resource)


_CREATE = (Operation.CREATE,)
_WRITE = (Operation.CREATE, Operation.UPDATE)

OWN_WRITES = (
    _own("guard", _CREATE, "configmaps", ""),  # records
    _own("guard", _WRITE, "leases", "coordination.k8s.io"),
    _own("controller", _WRITE, "leases", "coordination.k8s.io"),
    _own("controller", _WRITE, "secrets", ""),
    _own("controller", _CREATE, "configmaps", ""),  # the notary's public key
    _own("controller", _CREATE, "events", "", "events.k8s.io"),
    OwnWrite(
        account="interlock-controller",
        operations=(Operation.UPDATE,),
        groups=(OWN_GROUP,),
        resource="dangerpolicies/status",
        clusterwide=True,
    ),
    OwnWrite(  # without it a policy for everything would keep an API that nobody answers, and so every namespace
        account="interlock-controller",
        operations=(Operation.CREATE, Operation.UPDATE, Operation.DELETE),
        groups=("apiregistration.k8s.io",),
        resource="apiservices",
        clusterwide=True,
        name="v1alpha1.audit.interlock.dev",
    ),
)
"""Closed list; what is missing here would wait for a record of itself, what is too much would be a way round."""


def webhooks(policies: Sequence[Policy], delivery: Delivery) -> list[JsonObject]:
    """The `webhooks` of the configuration for these policies, in a stable order."""
    protected = frozenset({KUBE_SYSTEM, delivery.namespace})
    failing = _Scope.of([p for p in policies if denies(p)], protected=protected, apart=OWN_GROUP)
    everything = _Scope.of(policies)
    enforced, needed = failing.condition, everything.condition
    all_targets = reduced(everything.targets | failing.targets)
    entries = [
        _entry("enforce", "Fail", failing.targets, enforced, delivery),
        _entry("observe", "Ignore", all_targets, f"({needed}) && !({enforced})", delivery),
        _entry("system", "Ignore", all_targets, any_of([needed, enforced]), delivery),
    ]
    return [*(entry for entry in entries if entry["rules"]), _own_kinds(delivery), _probe(delivery)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """Reviews that policies need: as admission rules can say it, and as the condition that says it exactly."""

    targets: Targets
    condition: str

    @classmethod
    def of(cls, policies: Sequence[Policy], *, protected: frozenset[str] = frozenset(), apart: str = "") -> Self:
        """What these policies need, told apart as far as it is short enough; arguments as for `conditions.covered`."""
        first, *rest = coverage.BOUNDS
        scope = cls._within(first, policies, protected, apart)
        for bound in rest:
            if len(scope.condition) > MAX_CONDITION_RUNES:
                scope = cls._within(bound, policies, protected, apart)
        return scope

    @classmethod
    def _within(cls, bound: Bound, policies: Sequence[Policy], protected: frozenset[str], apart: str) -> Self:
        needs = {
            conditions.WHEN[when]: coverage.of(policies, when=when, protected=protected, bound=bound) for when in When
        }
        needs[conditions.GIVES_OWNER] = coverage.handed(policies, protected=protected, bound=bound)
        parts = [
            f"{narrowing} && {conditions.covered(groups, protected=protected, apart=apart)}"
            for narrowing, groups in needs.items()
            if groups
        ]
        return cls(
            targets=reduced(target for groups in needs.values() for target in coverage.targets(groups)),
            condition=any_of(part.removeprefix(f"{conditions.EVER} && ") for part in parts),
        )


def generation_of(configuration: JsonObject | None) -> int:
    """The generation that a stored configuration sends reviews with; 0 if it sends none."""
    for webhook in unstructured.items(configuration, "webhooks"):
        found = _PATH.fullmatch(unstructured.text(webhook, "clientConfig", "service", "path"))
        if found:
            return int(found["generation"])
    return 0


def denies(policy: Policy) -> bool:
    """Whether a policy can stop a request, so that its reviews must not be lost."""
    return policy.mode is Mode.ENFORCE and policy.strictest is Verdict.DENY


def _entry(name: str, failure: str, targets: Targets, scope: str, delivery: Delivery) -> JsonObject:
    return {
        **_webhook(name, failure, f"/review/{name}/{delivery.generation}/{delivery.path_secret}", delivery),
        "rules": rules(targets),
        "matchConditions": [
            {"name": "no-question", "expression": f"!({one_of('request.resource.group', QUESTIONS)})"},
            _who(name),
            {"name": "no-write-of-interlock", "expression": f"!({_own_writes(delivery.namespace)})"},
            {"name": "needed-by-a-policy", "expression": scope},
        ],
    }


def _who(name: str) -> JsonObject:
    is_system = conditions.system_identity(systems.IDENTITIES)
    if name == "system":
        return {"name": "system-identity", "expression": is_system}
    return {"name": "no-system-identity", "expression": f"!({is_system})"}


def _own_writes(namespace: str) -> str:
    accounts = sorted({write.account for write in OWN_WRITES})
    return any_of(_own_writes_of(account, namespace) for account in accounts)


def _own_writes_of(account: str, namespace: str) -> str:
    name = quoted(f"system:serviceaccount:{namespace}:{account}")
    writes = any_of(_own_write(write, namespace) for write in OWN_WRITES if write.account == account)
    return f"request.userInfo.username == {name} && ({writes})"


def _own_write(write: OwnWrite, namespace: str) -> str:
    resource, _, subresource = write.resource.partition("/")
    named = [f"has(request.name) && request.name == {quoted(write.name)}"] if write.name else []
    return " && ".join(
        [
            one_of("request.operation", write.operations),
            one_of("request.resource.group", write.groups),
            f"request.resource.resource == {quoted(resource)}",
            f"{conditions.SUBRESOURCE} == {quoted(subresource)}",
            f"{conditions.NAMESPACE} == {quoted('' if write.clusterwide else namespace)}",
            *named,
        ]
    )


def _own_kinds(delivery: Delivery) -> JsonObject:
    return {
        **_webhook("self", "Ignore", f"/self/{delivery.path_secret}", delivery),
        "rules": [
            {
                "operations": ["CREATE", "DELETE", "UPDATE"],
                "apiGroups": [OWN_GROUP],
                "apiVersions": ["*"],
                "resources": ["dangerpolicies"],
                "scope": "*",
            }
        ],
    }


def _probe(delivery: Delivery) -> JsonObject:
    """Sends the one object that only a controller asks to create, and that no guard lets it create."""
    asking = f"request.userInfo.username == {quoted(f'system:serviceaccount:{delivery.namespace}:{PROBER}')}"
    return {
        **_webhook("probe", "Ignore", f"/probe/{delivery.generation}/{delivery.path_secret}", delivery),
        "rules": [
            {
                "operations": ["CREATE"],
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "resources": ["configmaps"],
                "scope": "Namespaced",
            }
        ],
        "matchConditions": [
            {"name": "probe", "expression": f"{asking} && object.metadata.name == {quoted(PROBE_NAME)}"}
        ],
    }


def _webhook(name: str, failure: str, path: str, delivery: Delivery) -> JsonObject:
    service = {"namespace": delivery.namespace, "name": delivery.service, "path": path, "port": delivery.port}
    return {
        "name": f"{name}.{OWN_GROUP}",
        "clientConfig": {"service": service, "caBundle": delivery.ca_bundle},
        "failurePolicy": failure,
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},  # said, so that nobody else's selector stays
        "objectSelector": {},
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "admissionReviewVersions": ["v1"],
    }
