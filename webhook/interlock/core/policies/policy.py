"""A DangerPolicy, compiled: what is read once when it is stored, so that deciding costs no parsing.

`parse` reads an object as the API server stores it and refuses it with every violation at once (field path, got,
expected). There is no default for `mode`: one that observes would be taken for protection, and one that enforces stops
people who meant to try it out.

`broken` makes of a stored policy that no longer compiles (an older Interlock meets a newer field, an action or a zone
has gone; the schema keeps out the rest) one that fails closed for what its match covers. Part by part:

- It yields its strictest verdict, whatever the time; a verdict that cannot be read counts as Deny, and so do windows.
- What narrows it (namespaces, objects, subjects, minSeverity) and cannot be read, narrows nothing.
- What cannot be read among actions, operations and resources is left out: this version cannot see it in a request. If
  nothing is left, the policy selects any named finding; not every request, which would wedge the cluster together with
  the policy's own repair.
- An exclude entry with a violation lifts nothing; sound ones do.
- A mode that cannot be read is Enforce, a severity Critical, leaveProtection Enabled.
"""

from dataclasses import dataclass, replace

import orjson

from interlock.core import jsonbytes, unstructured
from interlock.core.policies import scopespec, windowspec
from interlock.core.policies.fields import Field, Fields, union
from interlock.core.policies.scope import ANY, Exclusion, Match
from interlock.core.policies.windows import Windows
from interlock.core.types import Durability, JsonObject, Mode, Severity, Verdict
from interlock.errors import BadInput, BadPolicy

API_VERSION = "interlock.dev/v1alpha1"
KIND = "DangerPolicy"

MAX_TEXT_CHARACTERS = 1024  # description and message: a paragraph and a link, well inside a status message

OBJECT_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
SPEC_FIELDS = (
    "description",
    "severity",
    "mode",
    "match",
    "exclude",
    "windows",
    "leaveProtection",
    "verdict",
    "audit",
    "message",
)
VERDICTS = {verdict.title: verdict for verdict in (Verdict.DENY, Verdict.WARN, Verdict.ALLOW)}
SWITCH = {"Enabled": True, "Disabled": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One DangerPolicy, ready to decide with.

    Attributes:
        name: metadata.name; with `uid`, `generation` and `digest` it pins which version decided.
        digest: SHA-256 hex of the canonical spec.
        match: what it selects.
        exclude: what lifts it, any entry of them.
        windows: its change windows, None without.
        verdict: while open, or without windows; NOTHING if absent.
        durability: as written, else by severity; that of Observe is already capped at Blocking.
        leave_protection: whether leaving its namespaces or objects is a finding.
        error: why it does not compile, empty for a sound policy.
    """

    name: str
    uid: str
    generation: int
    resource_version: str
    digest: str
    mode: Mode
    severity: Severity
    match: Match
    exclude: tuple[Exclusion, ...] = ()
    windows: Windows | None = None
    verdict: Verdict = Verdict.NOTHING
    durability: Durability = Durability.BLOCKING
    leave_protection: bool = True
    description: str = ""
    message: str = ""
    error: str = ""

    @property
    def strictest(self) -> Verdict:
        """The strictest verdict that it can yield, whatever the time."""
        return max(self.verdict, self.windows.outside) if self.windows else self.verdict


def parse(obj: JsonObject) -> Policy:
    """Compile a DangerPolicy.

    Raises:
        BadPolicy: with every violation found.
    """
    policy, violations = _read(obj)
    if violations:
        raise BadPolicy(tuple(violations))
    return policy


def broken(obj: JsonObject, why: str) -> Policy:
    """Make a policy that fails closed.

    Args:
        obj: the stored object.
        why: what `parse` said; outcomes and status show it.
    """
    found, violations = _read(obj)
    damage = _Damage(frozenset(violation.field for violation in violations))
    return replace(
        found,
        match=_widened(found.match, damage),
        exclude=tuple(entry for entry in found.exclude if not damage.at(entry.path)),
        windows=None,
        verdict=_strictest(found, damage),
        error=why,
    )


def _read(obj: JsonObject) -> tuple[Policy, list[BadInput]]:
    """Read what can be read and say what cannot; where something cannot, the stricter value stands in."""
    violations: list[BadInput] = []
    fields = Field(obj, "", violations).fields(OBJECT_FIELDS)
    _check_type(fields)
    spec = fields.required("spec", "a spec").fields(SPEC_FIELDS)
    severity = _severity(spec)
    mode = _mode(spec)
    windows = windowspec.windows(spec["windows"])
    policy = Policy(
        **_identity(fields),
        mode=mode,
        severity=severity,
        match=scopespec.match(spec.required("match", "what the policy speaks of")),
        exclude=union(spec["exclude"], scopespec.exclusion, at_most=scopespec.MAX_EXCLUSIONS),
        windows=windows,
        verdict=_verdict(spec),
        durability=_durability(spec, severity, mode),
        leave_protection=spec["leaveProtection"].chosen(SWITCH) is not False,
        description=spec["description"].text(at_most=MAX_TEXT_CHARACTERS),
        message=spec["message"].text(at_most=MAX_TEXT_CHARACTERS),
    )
    return policy, violations


def _check_type(fields: Fields) -> None:
    # Items of a list carry neither field; what is there must be right.
    for name, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if fields[name].present and fields[name].value != expected:
            fields[name].refuse(expected)


def _identity(fields: Fields) -> JsonObject:
    metadata = Fields(fields.required("metadata", "metadata"))
    raw = metadata.of.value
    return {
        "name": metadata.required("name", "a name").text(at_most=scopespec.MAX_NAME_CHARACTERS),
        "uid": unstructured.text(raw, "uid"),
        "generation": unstructured.integer(raw, "generation") or 0,
        "resource_version": unstructured.text(raw, "resourceVersion"),
        # Not jsonbytes.canonical, which refuses numbers that only a policy that does not compile can hold.
        "digest": jsonbytes.sha256_hex(orjson.dumps(fields["spec"].value, option=orjson.OPT_SORT_KEYS)),
    }


def _severity(spec: Fields) -> Severity:
    expected = f"one of {', '.join(scopespec.SEVERITIES)}"
    return spec.required("severity", expected).chosen(scopespec.SEVERITIES) or Severity.CRITICAL


def _mode(spec: Fields) -> Mode:
    expected = f"one of {', '.join(Mode)}: there is no default, so that nobody is protected or stopped by accident"
    return spec.required("mode", expected).one_of(Mode) or Mode.ENFORCE


def _verdict(spec: Fields) -> Verdict:
    found = spec["verdict"]
    if not found.present and spec.readable and not spec["windows"].present:
        found.refuse(f"one of {', '.join(VERDICTS)}; it may be absent only with windows")
    return found.chosen(VERDICTS) or Verdict.NOTHING


def _durability(spec: Fields, severity: Severity, mode: Mode) -> Durability:
    written = spec["audit"].fields(("durability",))["durability"].one_of(Durability)
    strict = severity >= Severity.HIGH
    asked = written or (Durability.BLOCKING_STRICT if strict else Durability.BLOCKING)
    if mode is Mode.OBSERVE:
        return min(asked, Durability.BLOCKING, key=lambda durability: durability.strictness)
    return asked


@dataclass(frozen=True, slots=True)
class _Damage:
    """Paths of the parts that could not be read."""

    paths: frozenset[str]

    def at(self, path: str) -> bool:
        """Whether something at or below this path could not be read."""
        return any(found == path or found.startswith((f"{path}.", f"{path}[")) for found in self.paths)


def _strictest(found: Policy, damage: _Damage) -> Verdict:
    unreadable = damage.at("spec.verdict") or damage.at("spec.windows")
    return Verdict.DENY if unreadable else found.strictest


def _widened(match: Match, damage: _Damage) -> Match:
    widened = replace(
        match,
        min_severity=Severity.LOW if damage.at("spec.match.minSeverity") else match.min_severity,
        namespaces=None if damage.at("spec.match.namespaces") else match.namespaces,
        objects=None if damage.at("spec.match.objects") else match.objects,
        subjects=None if damage.at("spec.match.subjects") else match.subjects,
    )
    return widened if _selects(widened) else _any_named(widened)


def _selects(match: Match) -> bool:
    plain = match.operations and any(rule.groups and rule.resources for rule in match.resources)
    return bool(plain) or bool(match.action_ids - {scopespec.LEAVE_PROTECTION})


def _any_named(match: Match) -> Match:
    terms, ids, kinds = scopespec.actions_of([ANY])
    return replace(match, actions=terms, action_ids=ids, kinds=kinds, operations=frozenset(), resources=())
