"""The schema of records, field by field: what stands in webhook/docs/record.md and what the tests hold records against.

Version 1 may gain fields and kinds; a reader leaves alone what it does not know. A field never changes type or meaning,
and a required one never goes: that would be version 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.core.audit.record import Kind

SHA256 = "SHA-256, 64 hex digits"
SEVERITY = "Low, Medium, High, Critical"
VERDICT = "Nothing, Allow, Warn, Deny"
INSTANT = "RFC 3339, UTC, microseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record.

    Attributes:
        path: where it stands; `[]` is any entry of a list, `KEY` any key of a map.
        type: string, boolean or integer.
        text: what it says.
        optional: whether a record may be without it; entries of lists and maps always may.
    """

    path: str
    type: str
    text: str
    optional: bool = False


def _string(path: str, text: str) -> Field:
    return Field(path=path, type="string", text=text)


def _boolean(path: str, text: str) -> Field:
    return Field(path=path, type="boolean", text=text)


def _integer(path: str, text: str) -> Field:
    return Field(path=path, type="integer", text=text)


def _may(field: Field) -> Field:
    return Field(path=field.path, type=field.type, text=field.text, optional=True)


def _omitted(path: str) -> Field:
    return _may(_integer(f"{path}Omitted", "entries left out of the list before it"))


EVERY_RECORD = (
    _string("schema", "`audit.interlock.dev/record/v1`"),
    _string(
        "kind",
        "what the record is about: Decision, PolicyChange, SeriesCount, BatchOpen, BatchClose, "
        "LaneOpen, LaneCertified, LaneClose, LaneAbandoned",
    ),
    _string("id", "UUIDv7; the record's name"),
    _string("lane", "the lane that it stands in: first 16 hex digits of the SHA-256 of the lane's public key"),
    _integer("sequence", "its place in the lane, from 0 without a gap"),
    _string("previous", f"RFC 6962 leaf hash of the envelope before it ({SHA256}); empty for sequence 0"),
    _string("time", f"when it was decided, by the guard's clock ({INSTANT})"),
    _string("cluster", "uid of namespace kube-system"),
)

REQUEST = (
    _string(
        "requestUID",
        "uid of the AdmissionReview's request; an API server that tries a write again, since the object was changed"
        " meanwhile, has it reviewed again under another uid, and that is another record",
    ),
    _string("operation", "CREATE, UPDATE, DELETE, CONNECT"),
    _string("callerProof", "how sure it is that an API server asked: certificate, path, none"),
    _string("target.group", "API group; empty for the core group"),
    _string("target.version", "API version"),
    _string("target.kind", "kind"),
    _string("target.resource", "resource, plural"),
    _string("target.subresource", "subresource, for example exec; else empty"),
    _string("target.namespace", "namespace; of a Namespace its own name; else empty"),
    _string("target.name", "name; empty if it is generated later"),
    _string("target.uid", "uid of the existing object; empty for CREATE and CONNECT"),
    _boolean("target.inCollection", "whether it is a member of a deletecollection"),
    _string("user.name", "user as authenticated; under impersonation the impersonated one"),
    _string("user.uid", "uid, if the authenticator gives one"),
    _string("user.groups[]", "groups"),
    _omitted("user.groups"),
    _string(
        "user.extra.KEY[]", "which credential it was, and which node or pod bore it; nothing else of the user's extra"
    ),
    _may(_string("parameters.container", "CONNECT: container")),
    _may(_boolean("parameters.stdin", "CONNECT: whether input is passed")),
    _may(_boolean("parameters.stdout", "CONNECT: whether output is passed")),
    _may(_boolean("parameters.stderr", "CONNECT: whether errors are passed")),
    _may(_boolean("parameters.tty", "CONNECT: whether there is a terminal")),
    _integer("parameters.ports[]", "CONNECT: forwarded ports"),
    _may(_string("parameters.commandDigest", "CONNECT: digest of the command with its arguments, never stored itself")),
    _may(_integer("parameters.commandWords", "CONNECT: how many words the command has")),
    _may(_string("parameters.propagationPolicy", "DELETE: what becomes of dependents")),
    _may(_integer("parameters.gracePeriodSeconds", "DELETE: seconds until it is killed")),
    _may(_boolean("parameters.orphanDependents", "DELETE: what became of dependents, in old clients")),
    _may(_string("digests.object", "digest of the new object; of a CONNECT the options")),
    _may(_string("digests.oldObject", "digest of the existing object")),
    _may(_string("digests.options", "digest of the options")),
    _string("engine.version", "version of Interlock"),
    _integer("engine.snapshotGeneration", "policy generation that was seen"),
    _integer("engine.snapshotAgeMillis", "milliseconds since that view was last known to be complete"),
)

DECISION = (
    *REQUEST,
    _string("verdict", f"what was decided: {VERDICT}; Interlock's verdict, later admission may still refuse"),
    _string("severity", f"of what gave the verdict: {SEVERITY}"),
    _string("wouldHave", f"what policies in mode Observe would have decided: {VERDICT}"),
    _string("reason", "Policy, PolicyError, WindowOpen, Excluded, ObservedOnly, Continuation, Overrun"),
    _string("message", "what was attempted, in one sentence"),
    _string("durability", "what the policies asked for this record: BlockingStrict, Blocking, Batch"),
    _string("findings[].action", "id in the catalogue; create, update, delete, connect for the plain finding"),
    _string("findings[].family", "family in the catalogue; plain for the plain finding"),
    _string("findings[].severity", SEVERITY),
    _string("findings[].evidence", "what was seen"),
    _string("findings[].reach", "what it touches: namespaces, all, none"),
    _string("findings[].namespaces[]", "the namespaces, if reach is namespaces"),
    _omitted("findings[].namespaces"),
    _omitted("findings"),
    _string("policies[].name", "policy that applies, or whose exclusion decided; strictest first"),
    _string("policies[].uid", "its uid"),
    _integer("policies[].generation", "its metadata.generation"),
    _string("policies[].digest", f"of its spec in canonical JSON ({SHA256})"),
    _string("policies[].mode", "Enforce, Observe"),
    _string("policies[].severity", SEVERITY),
    _string("policies[].finding", "action of the finding that it judged"),
    _string("policies[].yields", f"what it yields, in mode Observe would yield: {VERDICT}"),
    _may(_string("policies[].excludedBy", "exclude entry that lifted it, for example spec.exclude[0]")),
    _may(_string("policies[].error", "why it could not be evaluated; it then yields its strictest verdict")),
    _may(_boolean("policies[].window.open", "whether its change window was open")),
    _may(_boolean("policies[].window.overrun", "whether, closed, it let go on what the credential began before")),
    _may(_string("policies[].window.timeZone", "IANA zone of its windows")),
    _string("policies[].window.active[]", "names of the entries that decided this"),
    _omitted("policies[].window.active"),
    _may(_string("policies[].window.nextTransition", f"when this changes ({INSTANT})")),
    _may(_string("policies[].window.nextOpen", f"when it is open next ({INSTANT})")),
    _omitted("policies"),
)

# What the records of a series or a batch repeat of the decision that opened it.
REPEATED = tuple(
    field
    for field in DECISION
    if field.path in {"operation", "verdict", "severity", "wouldHave"} or field.path.startswith(("user.", "policies"))
) + tuple(
    field
    for field in DECISION
    if field.path.startswith("target.") and field.path.split(".")[1] not in {"namespace", "name", "uid", "inCollection"}
)

SPAN = (
    _string("first", f"time of the first request ({INSTANT})"),
    _string("last", f"time of the newest request ({INSTANT})"),
)

SERIES_COUNT = (
    _string("series", "id of the Decision that opened the series: the denial that was repeated, on whatever objects"),
    _integer("count", "denials so far, the first included; replaces the count of the record before"),
    _integer("added", "denials that no earlier record of the series tells of"),
    _boolean("closed", "whether the series is over: nothing for 60 seconds, or its guard stopped"),
    _may(
        _boolean("countLowerBound", "true if the guard was killed before it could count on: there may have been more")
    ),
    *SPAN,
    *REPEATED,
)

BATCH_OPEN = (
    _string("target.namespace", "namespace of the collection"),
    *REPEATED,
)

BATCH_CLOSE = (
    _string("batch", "id of the BatchOpen; a batch without BatchClose goes on, or its guard was killed"),
    _integer("count", "members, each of which has a Decision of its own"),
    *SPAN,
)

POLICY_CHANGE = (
    *REQUEST,
    _boolean("loosens", "whether the change may let through what was stopped before; true unless the contrary is sure"),
    _may(_string("oldDigest", f"of the spec before, in canonical JSON ({SHA256})")),
    _may(_string("newDigest", f"of the spec after, in canonical JSON ({SHA256})")),
    _string("changes[].field", "field that differs, for example spec.mode"),
    _string("changes[].before", "what it was, as canonical JSON; empty if it was absent"),
    _string("changes[].after", "what it becomes, as canonical JSON; empty if it goes"),
    _omitted("changes"),
)

CERTIFICATE = (
    _may(_string("certificate.payloadType", "`application/vnd.interlock.lane-certificate.v1+json`")),
    _may(
        _string(
            "certificate.payload", "base64 of the notary's statement: the lane, its key, pod, account, and since when"
        )
    ),
    _string("certificate.signatures[].keyid", "the notary's key, NAME+ID"),
    _string("certificate.signatures[].sig", "base64 of the notary's signature"),
)

LANE_OPEN = (
    _string("publicKey", "base64 of the lane's Ed25519 public key"),
    _string("namespace", "namespace of the guard's pod, in its own words; the certificate proves it"),
    _string("pod", "the pod's name, in its own words"),
    _string("podUID", "the pod's uid, in its own words"),
    _string("after", "lane that this one takes over from in the same process; empty at its start"),
    _string("engine.version", "version of Interlock"),
    *CERTIFICATE,
)

LANE_CLOSE = (_string("reason", "Stopped, ClockStepped, TakenOver"),)

LANE_ABANDONED = (_string("reason", "GuardGone, or Broken: what follows is not the lane's"),)

FIELDS: Mapping[Kind, tuple[Field, ...]] = {
    Kind.DECISION: DECISION,
    Kind.POLICY_CHANGE: POLICY_CHANGE,
    Kind.SERIES_COUNT: SERIES_COUNT,
    Kind.BATCH_OPEN: BATCH_OPEN,
    Kind.BATCH_CLOSE: BATCH_CLOSE,
    Kind.LANE_OPEN: LANE_OPEN,
    Kind.LANE_CERTIFIED: CERTIFICATE,
    Kind.LANE_CLOSE: LANE_CLOSE,
    Kind.LANE_ABANDONED: LANE_ABANDONED,
}
