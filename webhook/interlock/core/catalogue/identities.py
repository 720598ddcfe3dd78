"""Family `privilege`: new identities and credentials for them: tokens, certificates, accounts, maps of identities."""

from collections.abc import Iterator, Mapping

from interlock.core import rbac, text, unstructured
from interlock.core.access import powers
from interlock.core.access.book import EVERYWHERE, Book, account, members
from interlock.core.catalogue import podspec, target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.guards import did
from interlock.core.catalogue.needs import DELETE, any_write, creates, updates, writes
from interlock.core.catalogue.workload import SYSTEM_NAMESPACES
from interlock.core.rbac import Atom
from interlock.core.systems import IDENTITIES, ordinary_work
from interlock.core.types import JsonObject, Reach, Request, Severity

FAMILY = "privilege"
DAY_SECONDS = 86_400
CLIENTS = "kubernetes.io/kube-apiserver-client"
TOKEN_TYPES = {
    "kubernetes.io/service-account-token": "a token without end of",
    "bootstrap.kubernetes.io/token": "a token by which nodes join, in",
}
IDENTITY_MAPS = frozenset(
    {
        ("kube-system", "aws-auth"),
        ("kube-system", "extension-apiserver-authentication"),
        ("kube-public", "cluster-info"),
    }
)
IDENTITY_MAPS_ANYWHERE = frozenset({"argocd-rbac-cm", "argocd-cm"})
CLOUD_MARKS: Mapping[str, str] = {
    "eks.amazonaws.com/role-arn": "an AWS role",
    "iam.gke.io/gcp-service-account": "a Google service account",
    "azure.workload.identity/client-id": "an Azure identity",
}
_OWNER = "kubernetes.io/service-account.name"
_CONTROLLERS = frozenset(user for identity in IDENTITIES for user in identity.users)
_EVERYTHING = Atom(verb=rbac.ALL, group=rbac.ALL, resource=rbac.ALL)


def _powerful(book: Book, namespace: str, name: str) -> tuple[Severity, str] | None:
    """How powerful a ServiceAccount is, as the end of a sentence; None for an ordinary one."""
    who = account(namespace, name)
    if who.name in _CONTROLLERS:
        return Severity.CRITICAL, "a controller of Kubernetes"
    rules = book.rules_for([who], EVERYWHERE)
    if any(rbac.covers(rule, _EVERYTHING) for rule in rules):
        return Severity.CRITICAL, "cluster-admin in effect"
    held = book.rules_for(members(who), namespace)
    if any(powers.given(power, rules, (), EVERYWHERE) for power in (powers.SECRETS, powers.TOKENS, powers.NODES)):
        return Severity.HIGH, "which holds powers in all namespaces"
    if rbac.comparable(held) and any(atom.escalating for atom in rbac.atoms(held)):
        return Severity.HIGH, "which can become more than it is"
    return None


def _token(request: Request, roles: RoleBook) -> Iterator[Seen]:
    if ordinary_work(request):
        return
    powerful = _powerful(roles.access, request.namespace, request.name)
    seconds = unstructured.integer(request.object, "spec", "expirationSeconds") or 0
    bound = bool(unstructured.mapping(request.object, "spec", "boundObjectRef"))
    terms = ([f"for {seconds // DAY_SECONDS} days"] if seconds > DAY_SECONDS else []) + (
        [] if bound else ["bound to nothing"]
    )
    if powerful and powerful[0] is Severity.CRITICAL:
        terms.append(powerful[1])
    yield Seen(
        f"create a token of ServiceAccount {target.named(request)}{''.join(f', {term}' for term in terms)}",
        target.reach(request),
        powerful[0] if powerful else None,
    )


def _credential(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if what := TOKEN_TYPES.get(unstructured.text(request.object, "type")):
        owner = text.printable(unstructured.text(request.object, "metadata", "annotations", _OWNER))
        whose = f"ServiceAccount {owner}" if owner else target.titled(request)
        yield Seen(f"have {target.titled(request)} filled with {what} {whose}", target.reach(request))


def _request_certificate(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if unstructured.text(request.object, "spec", "signerName") == CLIENTS:
        yield Seen(f"request by {target.titled(request)} a certificate to log in with", Reach.everywhere())


def _certificate(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if ordinary_work(request):
        return
    signer = text.printable(unstructured.text(request.object, "spec", "signerName")) or "an unknown signer"
    before, after = map(_approved, request.states)
    if after and not before:
        yield Seen(f"approve {target.titled(request)} for {signer}", Reach.everywhere())
    issued, known = (
        unstructured.text(state, "status", "certificate") for state in (request.object, request.old_object)
    )
    if issued and issued != known:
        yield Seen(f"issue the certificate of {target.titled(request)} for {signer}", Reach.everywhere())


def _approved(state: JsonObject | None) -> bool:
    return any(
        unstructured.text(each, "type") == "Approved" for each in unstructured.items(state, "status", "conditions")
    )


def _identity_map(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    known = (request.namespace, request.name) in IDENTITY_MAPS or request.name in IDENTITY_MAPS_ANYWHERE
    changed = request.operation is DELETE or _data(request.object) != _data(request.old_object)
    if known and changed and not ordinary_work(request):
        yield Seen(f"{did(request)}, which says who people are and what they may", Reach.everywhere())


def _data(state: JsonObject | None) -> JsonObject:
    return unstructured.mapping(state, "data")


def _system_account(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if request.namespace in SYSTEM_NAMESPACES and not ordinary_work(request):
        yield Seen(f"create {target.titled(request)}, where the cluster itself runs", target.reach(request))


def _borrowed(request: Request, roles: RoleBook) -> Iterator[Seen]:
    before, after = (_account_of(podspec.spec(request, state)) for state in request.states)
    powerful = _powerful(roles.access, request.namespace, after) if after != before else None
    if powerful:
        severity, why = powerful
        yield Seen(
            f"{podspec.written(request)} under ServiceAccount {text.printable(after)}, {why}",
            target.reach(request),
            severity,
        )


def _account_of(pod: JsonObject) -> str:
    """The ServiceAccount that pods of this spec run under; empty for no spec."""
    named = unstructured.text(pod, "serviceAccountName") or unstructured.text(pod, "serviceAccount")
    return (named or "default") if pod else ""


def _cloud(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    known, marks = (unstructured.mapping(state, "metadata", "annotations") for state in request.states)
    for mark, what in CLOUD_MARKS.items():
        if mark in marks and marks[mark] != known.get(mark):
            identity = text.printable(str(marks[mark]))
            yield Seen(f"let {target.titled(request)} act as {what}, {identity}", target.reach(request))


IDENTITY = (
    Entry(
        id="create-token",
        family=FAMILY,
        title="Create a token of a ServiceAccount",
        severity=Severity.HIGH,
        raised="Critical where the account is cluster-admin in effect, or a controller of Kubernetes.",
        rules=(creates("", "serviceaccounts/token"),),
        misses="What it is used for; tokens that kubelets ask for their pods, which are ordinary.",
        example="kubectl create token deployer -n ci --duration=8760h",
        references=("T1528",),
        goes_round=("grant-admin", "grant-tokens"),
        detect=_token,
    ),
    Entry(
        id="create-credential-secret",
        family=FAMILY,
        title="Create a Secret that is filled with a token: of a ServiceAccount, or for nodes to join",
        severity=Severity.CRITICAL,
        rules=(creates("", "secrets"),),
        misses="Who reads it afterwards: reads never reach admission.",
        example="kubectl apply -f token-secret.yaml",
        references=("T1528", "T1098"),
        goes_round=("grant-admin", "create-token"),
        detect=_credential,
    ),
    Entry(
        id="request-certificate",
        family=FAMILY,
        title="Request a certificate to log in to the API server with",
        severity=Severity.HIGH,
        rules=(creates("certificates.k8s.io", "certificatesigningrequests"),),
        misses="Whom it is for, which stands encoded in it; requests for other signers.",
        example="kubectl apply -f csr.yaml",
        references=("T1649",),
        detect=_request_certificate,
    ),
    Entry(
        id="approve-certificate",
        family=FAMILY,
        title="Approve or issue a certificate",
        severity=Severity.CRITICAL,
        rules=(
            updates("certificates.k8s.io", "certificatesigningrequests/approval", "certificatesigningrequests/status"),
        ),
        misses="What it is used for: certificates cannot be taken back.",
        example="kubectl certificate approve eve",
        references=("T1649",),
        goes_round=("grant-admin",),
        detect=_certificate,
    ),
    Entry(
        id="change-identity-map",
        family=FAMILY,
        title="Change a ConfigMap that says who people are: aws-auth, those of Argo CD, cluster-info",
        severity=Severity.CRITICAL,
        rules=(any_write("", "configmaps"),),
        misses="Access entries in the cloud, which the cloud's own audit log shows.",
        example="kubectl edit configmap aws-auth -n kube-system",
        references=("T1098", "T1078.004"),
        goes_round=("grant-admin",),
        detect=_identity_map,
    ),
    Entry(
        id="create-system-account",
        family=FAMILY,
        title="Create a ServiceAccount in kube-system, kube-public or kube-node-lease",
        severity=Severity.MEDIUM,
        rules=(creates("", "serviceaccounts"),),
        misses="What it is bound to afterwards (the grant rows find that).",
        example="kubectl create serviceaccount helper -n kube-system",
        references=("T1136",),
        detect=_system_account,
    ),
    Entry(
        id="borrow-account",
        family=FAMILY,
        title="Run something under a powerful ServiceAccount",
        severity=Severity.HIGH,
        raised="Critical where the account is cluster-admin in effect, or a controller of Kubernetes.",
        rules=podspec.WRITES[:-1],
        misses="Pods that already run under it.",
        example='kubectl run job --image=busybox --overrides=\'{"spec":{"serviceAccountName":"installer"}}\'',
        references=("T1078", "T1610"),
        goes_round=("grant-admin", "create-token"),
        detect=_borrowed,
    ),
    Entry(
        id="bind-cloud-identity",
        family=FAMILY,
        title="Let a ServiceAccount act as an identity of the cloud",
        severity=Severity.HIGH,
        rules=(writes("", "serviceaccounts"),),
        misses="What that identity may do in the cloud.",
        example="kubectl annotate serviceaccount web eks.amazonaws.com/role-arn=arn:aws:iam::1:role/admin -n prod-shop",
        references=("T1078.004",),
        detect=_cloud,
    ),
)
