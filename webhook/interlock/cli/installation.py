"""What an installation of Interlock consists of, by the fixed names of its chart, as far as commands need it."""

from interlock import settings

CONFIGURATION = "interlock"
"""The ValidatingWebhookConfiguration: while it exists and is filled, Interlock is armed."""

CONFIGURATIONS = "validatingwebhookconfigurations"
API_SERVICE = "v1alpha1.audit.interlock.dev"
"""The APIService of AuditRecords."""

API_SERVICES = "apiservices.apiregistration.k8s.io"
GUARDS, CONTROLLERS, RECORDS = settings.GUARD_ACCOUNT, settings.CONTROLLER_ACCOUNT, settings.RECORDS_ACCOUNT
DEPLOYMENTS = (GUARDS, CONTROLLERS, RECORDS)
"""The last one only where AuditRecords are served (records.enabled)."""

CHART_ROLE = settings.GUARD_ACCOUNT
"""A ClusterRole that stands and falls with the chart's release, and carries its labels."""

KEYS = (
    settings.CA_SECRET,
    settings.DIGEST_KEY_SECRET,
    settings.GUARD_SECRET,
    settings.NOTARY_SECRET,
    settings.PROVER_SECRET,
    settings.RECORDS_SECRET,
)
LEDGER = "interlock.dev/ledger"
"""Label of the ConfigMaps that hold records."""

FENCED = ("audit-configmaps", "entry", "keys", "leases", "pods", "store-proof", "tokens", "workloads")
FENCES = tuple(f"interlock-{name}" for name in FENCED)
"""ValidatingAdmissionPolicies, each with a binding of its name: in force with Interlock dead."""

COMPONENT = "app.kubernetes.io/component"
OURS = "app.kubernetes.io/name=interlock"
OF_THE_CHART = f"{OURS},app.kubernetes.io/managed-by=Helm"
DEFINITION = f"{settings.POLICIES}.{settings.GROUP}"


def pods_of(component: str) -> str:
    """Label selector of the pods of ``guard`` or ``controller``."""
    return f"{OURS},{COMPONENT}={component}"
