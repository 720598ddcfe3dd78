"""What an Interlock process is told when it starts, and the names and times that guard and controller must agree on.

Rules kept here:

* Every value has its unit in its name or in the comment beside it, and its reason.
* A settings object is complete and valid once it exists; nothing is read from the environment later.
* A path is always an argument: no file name of ours is written into the program.

Limits that only one module knows (header sizes, batch sizes) stay in that module. Nothing here does I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from interlock.errors import UsageError

# ------------------------------------------------------------------------------------------------ times, in seconds

COMMIT_DEADLINE_SECONDS = 2.0  # a review waits this long for its record; well inside the webhook's timeoutSeconds of 5
GENERATION_WAIT_SECONDS = 1.0  # a guard behind the path's policy generation waits this long, then answers 503
SIZING_DEADLINE_SECONDS = 1.0  # reads that one decision needs, all together; leaves the commit its two seconds
GUARD_LEASE_RENEW_SECONDS = 5.0  # how often a guard says that it lives and what it has seen; at once on a change
GUARD_LEASE_FRESH_SECONDS = 15.0  # three missed renewals: the guard no longer holds up the publication of a generation
PUBLISH_AT_MOST_SECONDS = 1.5  # a generation is published after this even if a guard has not reported: in force < 2 s
LOST_LEASE_SECONDS = 15.0  # leaseDurationSeconds of the controller's leader Lease
DRAIN_SECONDS = 5.0  # after SIGTERM a guard goes on serving while endpoints leave every kube-proxy and API server

LARGEST_PORT = 0xFFFF  # of TCP

# ------------------------------------------------------------------------------------------------ names in the cluster

PRODUCT = "interlock"
GROUP = "interlock.dev"
VERSION = "v1alpha1"
POLICIES = "dangerpolicies"
FIELD_MANAGER = "interlock-controller"

CA_SECRET = "interlock-ca"  # noqa: S105  a name, not a secret
GUARD_SECRET = "interlock-guard"  # noqa: S105  tls.crt, tls.key, ca.crt, path-secrets
DIGEST_KEY_SECRET = "interlock-digest-key"  # noqa: S105  key: 32 bytes
NOTARY_SECRET = "interlock-notary"  # noqa: S105  key: PKCS8 PEM, Ed25519; rotations: JSON list of notes
PROVER_SECRET = "interlock-prover"  # noqa: S105  key: PKCS8 PEM, Ed25519, which signs what was found about the store
RECORDS_SECRET = "interlock-records"  # noqa: S105  tls.crt, tls.key
NOTARY_CONFIG_MAP = "interlock-notary"  # notary.pub: the verifier key
COUNTS_CONFIG_MAP = "interlock-counts"  # counts: what policies did by records that the cluster has forgotten
LEDGER_CONFIG_MAP = "interlock-ledger"  # refuse: why guards are to take no more records; conditions: how it stands
STORE_PROOF_CONFIG_MAP = "interlock-store-proof"  # proof: whether the object store locks what it holds
NOTARY_AUDIENCE = "interlock-notary"  # of the token with which a guard asks for a lane certificate
CONTROLLER_LEASE = "interlock-controller"

COMPONENT_LABEL = "interlock.dev/component"
GENERATION_ANNOTATION = "interlock.dev/generation"
LANE_ANNOTATION = "interlock.dev/lane"
CERTIFIED_ANNOTATION = "interlock.dev/certified"
OVERRUNS_ANNOTATION = "interlock.dev/overruns"

GUARD_ACCOUNT = "interlock-guard"
CONTROLLER_ACCOUNT = "interlock-controller"
RECORDS_ACCOUNT = "interlock-records"  # also of its Service, Deployment and ClusterRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """An address to listen on; port 0 lets the system choose, which tests use."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``host:port`` or ``[v6]:port``.

        Raises:
            UsageError: no host, or no port between 0 and 65535.
        """
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > LARGEST_PORT:
            raise UsageError(f"listen address: got {text!r}, expected host:port, for example 10.0.0.7:9443")
        return cls(host=host, port=int(port))

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """Who this process is in the cluster; names its Lease and its lane certificate."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """How the Kubernetes API is reached with the pod's own account.

    Attributes:
        server: base URL, for example ``https://10.96.0.1:443``.
        ca_file: PEM that signed the API server's certificate; the kubelet may renew it while we run.
        token_file: bearer token, replaced by the kubelet about every 48 minutes: read again for new requests.
    """

    server: str
    ca_file: Path
    token_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """One guard process.

    Attributes:
        pod: this pod.
        api: the Kubernetes API.
        listen: where reviews arrive, TLS.
        health_listen: where probes and metrics are served, plain HTTP.
        notary_token_file: token of audience `NOTARY_AUDIENCE`, sent to the controller only.
        notary_service: Service of the controller, in the pod's namespace.
        caller_ca_file: PEM of the CA that signs the API servers' admission client certificates; None if they have none.
        accept_unproven_callers: answer callers that prove nothing; their reviews are judged and recorded as unproven.
        drain_seconds: how long to go on serving after SIGTERM.
        log_level: debug, info, warning or error.
    """

    pod: Pod
    api: ApiAccess
    listen: Listen
    health_listen: Listen
    notary_token_file: Path
    notary_service: str
    caller_ca_file: Path | None = None
    accept_unproven_callers: bool = False
    drain_seconds: float = DRAIN_SECONDS
    log_level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where the log goes, and how much of it stays.

    Attributes:
        keys: how many keys the notary has to have had: one more rotates its key.
        store: address of the object store, as `ledger.stores.opening` reads it; empty for none.
        retention_days: how long each object is locked there.
        unlocked: go on although the store locks nothing.
        keep_minutes: how long records stay in the cluster after they were shipped.
        keep_megabytes: how much stays there at most, compressed; without a store the oldest go beyond it.
        pending_megabytes: how much may wait to be shipped; beyond it guards take no more.
    """

    keys: int = 1
    store: str = ""
    retention_days: int = 90
    unlocked: bool = False
    keep_minutes: int = 60
    keep_megabytes: int = 16
    pending_megabytes: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSettings:
    """One process that serves AuditRecords.

    Attributes:
        pod: this pod.
        api: the Kubernetes API.
        listen: where the API server's aggregator calls, TLS.
        health_listen: where probes and metrics are served, plain HTTP.
        window_megabytes: of AuditRecords as JSON that can be listed.
        drain_seconds: how long to go on serving after SIGTERM.
        log_level: debug, info, warning or error.
    """

    pod: Pod
    api: ApiAccess
    listen: Listen
    health_listen: Listen
    window_megabytes: int = 48
    drain_seconds: float = DRAIN_SECONDS
    log_level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """One controller process.

    Attributes:
        pod: this pod.
        api: the Kubernetes API.
        listen: where guards ask for lane certificates, TLS.
        health_listen: where probes and metrics are served, plain HTTP.
        guard_service: Service of the guards, in the pod's namespace; the webhook configuration names it.
        guard_service_port: its port.
        webhook_configuration: the ValidatingWebhookConfiguration that the chart made and that this process fills.
        self_repair: make the webhook configuration again when somebody deletes it.
        records_service: Service of those who serve AuditRecords, in the pod's namespace; empty where nobody does.
        records_service_port: its port.
        log: where the log goes.
        drain_seconds: how long to go on serving after SIGTERM.
        log_level: debug, info, warning or error.
    """

    pod: Pod
    api: ApiAccess
    listen: Listen
    health_listen: Listen
    guard_service: str
    guard_service_port: int
    webhook_configuration: str
    self_repair: bool = False
    records_service: str = ""
    records_service_port: int = 443
    log: LogSettings = LogSettings()
    drain_seconds: float = DRAIN_SECONDS
    log_level: str = "info"


def api_server(environ: Mapping[str, str]) -> str:
    """The API server's URL from the variables that every pod has.

    Raises:
        UsageError: this process does not run in a pod.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise UsageError("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: not set, expected as in every pod")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
