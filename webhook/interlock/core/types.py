"""The values that cross module boundaries inside the core and between the core and its adapters.

All are immutable. Nothing here computes more than a property of its own fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import Any, Self

JsonObject = dict[str, Any]

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"


class Operation(StrEnum):
    """What admission calls an operation (KEP-1101, admission.k8s.io/v1)."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class Severity(IntEnum):
    """How bad a finding is, or how serious a policy is; ordered."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def title(self) -> str:
        """Spelling in resources and messages, for example ``Critical``."""
        return self.name.capitalize()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the spelling of resources.

        Raises:
            ValueError: not one of Low, Medium, High, Critical.
        """
        for member in cls:
            if member.title == text:
                return member
        raise ValueError(text)


class Verdict(IntEnum):
    """What a policy, or all of them together, yields; the strictest wins."""

    NOTHING = 0
    ALLOW = 1
    WARN = 2
    DENY = 4

    @property
    def title(self) -> str:
        """Spelling in resources and messages, for example ``Deny``."""
        return self.name.capitalize()


class Mode(StrEnum):
    """Whether a policy stops anything."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"
    DISABLED = "Disabled"


class Durability(StrEnum):
    """When an allow may be answered with respect to its record, strictest first."""

    BLOCKING_STRICT = "BlockingStrict"
    BLOCKING = "Blocking"
    BATCH = "Batch"

    @property
    def strictness(self) -> int:
        """Larger is stricter."""
        return {"Batch": 0, "Blocking": 1, "BlockingStrict": 2}[self.value]


class CallerProof(StrEnum):
    """How sure we are that a review came from an API server."""

    CERTIFICATE = "certificate"
    PATH = "path"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks, as the API server authenticated (under impersonation: the impersonated user)."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def credential_id(self) -> str:
        """The very token or certificate, as the API server names it; empty if unknown."""
        values = self.extra.get(CREDENTIAL_ID, ())
        return values[0] if values else ""

    @property
    def service_account(self) -> str:
        """``namespace/name`` of a ServiceAccount, else empty."""
        account = self.name.removeprefix(SERVICE_ACCOUNT_PREFIX)
        return account.replace(":", "/") if account != self.name and account.count(":") == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One AdmissionReview, normalised.

    `name` is the object's name also for members of a deletecollection, where the review leaves it empty;
    `in_collection` keeps that fact. `namespace` of a Namespace object is its own name, as the API server sends it.
    """

    uid: str
    operation: Operation
    group: str
    version: str
    resource: str
    subresource: str
    kind: str
    name: str
    namespace: str
    user: User
    dry_run: bool = False
    in_collection: bool = False
    object: JsonObject | None = None
    old_object: JsonObject | None = None
    options: JsonObject | None = None

    @property
    def resource_path(self) -> str:
        """``resource`` or ``resource/subresource``, as in admission rules and RBAC."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def states(self) -> tuple[JsonObject | None, JsonObject | None]:
        """The object before and after; None where it does not exist."""
        return self.old_object, self.object

    @property
    def is_namespace(self) -> bool:
        """Whether the object is a Namespace."""
        return self.resource == "namespaces" and not self.group

    @property
    def target_uid(self) -> str:
        """uid of the existing object, empty for CREATE and CONNECT."""
        return str(((self.old_object or {}).get("metadata") or {}).get("uid", ""))


class ReachKind(Enum):
    """Shape of a reach."""

    NAMESPACES = "namespaces"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reach:
    """The namespaces that a finding touches: a set, all, or none."""

    kind: ReachKind
    namespaces: frozenset[str] = frozenset()

    @classmethod
    def everywhere(cls) -> Self:
        """All namespaces, existing and future."""
        return cls(ReachKind.ALL)

    @classmethod
    def nowhere(cls) -> Self:
        """No namespace."""
        return cls(ReachKind.NONE)

    @classmethod
    def of(cls, *namespaces: str) -> Self:
        """Just these namespaces; none if none are given."""
        return cls(ReachKind.NAMESPACES, frozenset(namespaces)) if namespaces else cls(ReachKind.NONE)

    def __str__(self) -> str:
        """``all``, ``none`` or the sorted names."""
        return ", ".join(sorted(self.namespaces)) if self.kind is ReachKind.NAMESPACES else self.kind.value


PLAIN_FAMILY = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One dangerous thing that a request does, or the plain finding of its operation.

    Attributes:
        action: catalogue id such as ``delete-namespace``, or create, update, delete, connect for a plain finding.
        family: catalogue family, ``plain`` for a plain finding.
        severity: as graded for this request.
        evidence: one sentence without a final stop that says what was seen, with numbers, never with secret values.
        reach: the namespaces it touches.
    """

    action: str
    family: str
    severity: Severity
    evidence: str
    reach: Reach

    @property
    def named(self) -> bool:
        """Whether the catalogue has a name for it (everything but plain findings)."""
        return self.family != PLAIN_FAMILY


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceView:
    """What decisions read of a Namespace."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    terminating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRule:
    """One PolicyRule of rbac.authorization.k8s.io/v1."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """State of a policy's windows at one instant.

    Attributes:
        open: whether the change window is open.
        active: names of the active entries that decided (freezes if any is active, else allows).
        next_transition: first later instant at which `open` changes, within the look-ahead; None if there is none.
        next_open: first instant from now on at which it is open (now if open), within the look-ahead; None if none.
        time_zone: IANA name, for display.
        overrun_since: start of the opening whose operations may go on at this instant: of the present one, or of the
            one before within its grace; None where no window gives a grace.
    """

    open: bool
    active: tuple[str, ...]
    next_transition: datetime | None
    next_open: datetime | None
    time_zone: str
    overrun_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What one applying (or error-struck, or excluded) policy says about one request.

    Attributes:
        policy: name; `uid`, `generation` and `digest` (SHA-256 hex of the canonical spec) pin which version it was.
        mode: Enforce or Observe.
        severity: the policy's.
        finding: action id of the finding that gave the strictest yield.
        yields: verdict that it yields, NOTHING for an open window without verdict. For Observe: what it would yield.
        window: state of its windows, None without windows.
        while_open: what it yields while they are open.
        overrun: whether it yields that although they are closed, since the request goes on with what began before.
        message: the policy author's text, may be empty.
        durability: what it asks for its record.
        excluded_by: field path of the exclude entry that lifted it, for example ``spec.exclude[0]``; else empty.
        error: why it could not be evaluated; such a policy yields its strictest verdict.
    """

    policy: str
    uid: str
    generation: int
    digest: str
    mode: Mode
    severity: Severity
    finding: str
    yields: Verdict
    window: WindowState | None = None
    while_open: Verdict = Verdict.NOTHING
    overrun: bool = False
    message: str = ""
    durability: Durability = Durability.BLOCKING
    excluded_by: str = ""
    error: str = ""

    @property
    def counts(self) -> bool:
        """Whether the yield takes part in the verdict."""
        return self.mode is Mode.ENFORCE and not self.excluded_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict over all findings and policies.

    Attributes:
        verdict: strictest yield of the outcomes that count; NOTHING if no policy said anything.
        severity: highest severity among the outcomes that gave the verdict, else among all findings.
        findings: everything found, plain finding included, most severe first.
        outcomes: applying policies, strictest first, then by name; then Observe ones; then exclusions that decided.
        recorded: whether a record is due (some policy applies, or an exclusion decided); never for a dry run.
        durability: the strictest asked; BATCH if only exclusions are recorded.
        would_have: strictest yield of Observe policies.
        continuation: why this request only continues an action already decided (empty if it does not).
    """

    verdict: Verdict
    severity: Severity
    findings: tuple[Finding, ...]
    outcomes: tuple[PolicyOutcome, ...]
    recorded: bool
    durability: Durability
    would_have: Verdict = Verdict.NOTHING
    continuation: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the request may pass, as far as policies are concerned."""
        return self.verdict < Verdict.DENY

    @property
    def stated(self) -> Verdict:
        """The verdict as records and answers state it: what no policy stops is allowed."""
        return max(self.verdict, Verdict.ALLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof to the requester that a record is durably stored: where, and the RFC 6962 leaf hash of its envelope."""

    record_id: str
    lane: str
    sequence: int
    leaf: str
