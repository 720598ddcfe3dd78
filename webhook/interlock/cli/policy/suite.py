"""A suite of cases for policies, read from a file: `PolicyTest`, documented in webhook/docs/policy-testing.md.

Reading is strict: every violation is kept with its path, an unknown field is one, and so is a policy that does not
compile. A case can only be tried where everything that its decision reads is described.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlock.cli.policy import requests, yamlfiles
from interlock.cli.policy.world import World
from interlock.core.policies import policy
from interlock.core.policies.fields import Field, Fields, union
from interlock.core.policies.policy import Policy
from interlock.core.rehearsal.expected import Expected
from interlock.core.rehearsal.objects import Objects, is_manifest
from interlock.core.types import JsonObject, Request, Verdict
from interlock.errors import BadInput, BadPolicy

API_VERSION = "interlock.dev/v1alpha1"
KIND = "PolicyTest"

MAX_POLICIES = 200  # files or inline; a suite that needs more tests no policy in particular
MAX_OBJECTS = 10_000  # a cluster's roles and bindings as kubectl prints them
MAX_CASES = 1000
MAX_FINDINGS = 64
MAX_TEXT_CHARACTERS = 1024

SUITE_FIELDS = ("apiVersion", "kind", "metadata", "policies", "namespaces", "objects", "time", "cases")
CASE_FIELDS = ("name", "request", "time", "expect")
EXPECT_FIELDS = ("verdict", "findings", "policy", "wouldHave", "message")
VERDICTS = {verdict.title: verdict for verdict in (Verdict.DENY, Verdict.WARN, Verdict.ALLOW)}

NEVER_ASKED = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of suites that say none, which have no policy with windows."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_EXPECTED_INSTANT = "RFC 3339 with an offset, such as 2026-11-25T22:30:00+01:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request, when, and what is expected of it."""

    name: str
    request: Request
    now: datetime
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Policies, what surrounds them, and cases."""

    file: Path
    name: str
    world: World
    cases: tuple[Case, ...]


class BadSuite(BadInput):
    """A suite that cannot be tried.

    Attributes:
        violations: every one found.
    """

    def __init__(self, file: Path, violations: tuple[BadInput, ...]) -> None:
        first = violations[0]
        super().__init__(field=first.field, got=first.got, expected=first.expected)
        self.file = file
        self.violations = violations

    def diagnostics(self) -> str:
        """All violations, one a line, each with the file."""
        return "\n".join(f"{self.file}: {violation}" for violation in self.violations)


def is_suite(document: object) -> bool:
    """Whether a document means to be a suite."""
    return isinstance(document, dict) and document.get("kind") == KIND


def read(file: Path, document: object) -> Suite:
    """Read one suite.

    Args:
        file: it stands in; the files that it names are looked for beside it.
        document: as YAML has it.

    Raises:
        BadSuite: with every violation found.
    """
    violations: list[BadInput] = []
    found = _Reading(file, violations).suite(Field(document, "", violations))
    if violations:
        raise BadSuite(file, tuple(violations))
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one suite, with the place that its files are looked for."""

    file: Path
    violations: list[BadInput]

    def suite(self, field: Field) -> Suite:
        """Read everything."""
        fields = field.fields(SUITE_FIELDS)
        for name, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
            if fields.required(name, expected).value not in (None, expected):
                fields[name].refuse(expected)
        policies = self._policies(fields.required("policies", "files of policies, or policies"))
        objects = Objects((*self._namespaces(fields["namespaces"]), *self._objects(fields["objects"])))
        world = World.of(objects, policies)
        now = _instant(fields["time"])
        windowed = next((each.name for each in policies if each.windows), "")
        cases = [
            self._case(each.fields(CASE_FIELDS), world, now, windowed)
            for each in fields.required("cases", "at least one case").items(at_most=MAX_CASES)
        ]
        return Suite(
            file=self.file,
            name=_metadata_name(fields["metadata"]) or self.file.stem,
            world=world,
            cases=tuple(case for case in cases if case is not None),
        )

    def _policies(self, field: Field) -> list[Policy]:
        found = list[Policy]()
        for item in field.items(at_most=MAX_POLICIES):
            for obj in self._manifests(item):
                if (compiled := self._compiled(item, obj)) is None:
                    continue
                if any(compiled.name == other.name for other in found):
                    item.refuse("policies of different names", got=f"policy {compiled.name} twice")
                found.append(compiled)
        return found

    def _compiled(self, field: Field, obj: JsonObject) -> Policy | None:
        if obj.get("kind") != policy.KIND:
            field.refuse(f"a {policy.KIND}", got=f"a {obj.get('kind')}")
            return None
        try:
            return policy.parse(obj)
        except BadPolicy as error:
            named = f"{field.path} ({obj['metadata']['name']})"
            self.violations.extend(
                BadInput(field=f"{named}: {each.field}", got=each.got, expected=each.expected)
                for each in error.violations
            )
            return None

    def _namespaces(self, field: Field) -> Iterator[JsonObject]:
        """Namespaces by name, with their labels, and what the API server adds to every one."""
        for name, labels in field.members() if field.present else ():
            if not isinstance(labels.value, dict) or not all(isinstance(value, str) for value in labels.value.values()):
                labels.refuse("labels, each a text; {} for none")
                continue
            metadata = {"name": name, "labels": labels.value | {"kubernetes.io/metadata.name": name}}
            spec, status = {"finalizers": ["kubernetes"]}, {"phase": "Active"}
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "spec": spec, "status": status}

    def _objects(self, field: Field) -> list[JsonObject]:
        items = field.items(at_most=MAX_OBJECTS)
        return [obj for item in items for obj in self._manifests(item)]

    def _manifests(self, field: Field) -> list[JsonObject]:
        """What an item of `policies` or `objects` means: the objects of a file, or itself."""
        if isinstance(field.value, str):
            try:
                return yamlfiles.manifests(self._beside(field.value))
            except BadInput as error:
                field.refuse(error.expected, got=f"{error.field}: {error.got}")
                return []
        if not is_manifest(field.value):
            field.refuse("a file, or an object with apiVersion, kind, metadata.name", got="something else")
            return []
        return [field.value]

    def _case(self, fields: Fields, world: World, now: datetime | None, windowed: str) -> Case | None:
        name = fields.required("name", "what the case shows").text(at_most=MAX_TEXT_CHARACTERS)
        time = _instant(fields["time"]) or now
        if time is None and windowed:
            fields["time"].refuse(_EXPECTED_INSTANT, got=f"nothing, and policy {windowed} has windows")
        expected = _expected(fields.required("expect", "a verdict, or an object with one"))
        field = fields.required("request", "what is done by whom")
        request = requests.read(field, world.objects, self._load) if field.present else None
        if request is None or not _described(request, world, field) or expected is None:
            return None
        return Case(name=name, request=request, now=time or NEVER_ASKED, expected=expected)

    def _load(self, name: str) -> Any:  # noqa: ANN401  a document can be anything; whoever asked looks at it
        """The one document of a file.

        Raises:
            BadInput: it cannot be read, or holds none or several.
        """
        found = yamlfiles.documents(self._beside(name))
        if len(found) != 1 or not isinstance(found[0], dict):
            raise BadInput(field=name, got=f"{len(found)} documents", expected="one object")
        return found[0]

    def _beside(self, name: str) -> Path:
        return self.file.parent / name


def _described(request: Request, world: World, field: Field) -> bool:
    """Whether the request's namespace is described: without its labels, selectors are read in doubt."""
    if not request.namespace or request.is_namespace or request.namespace in world.snapshot.namespaces:
        return True
    field.refuse("it under namespaces, with its labels", got=f"namespace {request.namespace}, which is not described")
    return False


def _metadata_name(field: Field) -> str:
    return field.fields(("name",))["name"].text(at_most=MAX_TEXT_CHARACTERS) if field.present else ""


def _instant(field: Field) -> datetime | None:
    text = field.spelled(_INSTANT, _EXPECTED_INSTANT)
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        field.refuse(_EXPECTED_INSTANT)
        return None


def _expected(field: Field) -> Expected | None:
    """A verdict alone, or with what else is expected."""
    if isinstance(field.value, str):
        verdict = field.chosen(VERDICTS)
        return None if verdict is None else Expected(verdict=verdict)
    fields = field.fields(EXPECT_FIELDS)
    verdict = fields.required("verdict", f"one of {', '.join(VERDICTS)}").chosen(VERDICTS)
    would_have = fields["wouldHave"].chosen(VERDICTS | {Verdict.NOTHING.title: Verdict.NOTHING})
    found = Expected(
        verdict=Verdict.DENY if verdict is None else verdict,
        findings=union(fields["findings"], _text, at_most=MAX_FINDINGS),
        policy=_text(fields["policy"]),
        would_have=would_have,
        message=_text(fields["message"]),
    )
    return None if verdict is None else found


def _text(field: Field) -> str:
    return field.text(at_most=MAX_TEXT_CHARACTERS)
