"""Records: what they say, what they never say, and how large they get at most."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from interlock.core.audit import dsse, record
from interlock.core.audit.recordparts import Reason
from interlock.core.types import (
    CREDENTIAL_ID,
    CallerProof,
    Decision,
    JsonObject,
    Mode,
    Operation,
    PolicyOutcome,
    Request,
    User,
    Verdict,
    WindowState,
)
from interlock.errors import BadInput
from tests.ledger import strategies
from tests.ledger.guards import CLUSTER, ENGINE, WRITER, deletion, denial, keyed

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
PLACE = {"record_id": "01a1fd8c-6907-7089-acd4-94a2c00b0e93", "lane": "0" * 16, "previous": "ab" * 32}
OPEN = WindowState(open=True, active=("weekly",), next_transition=NOW, next_open=NOW, time_zone="Europe/Berlin")
OUTCOME = denial().outcomes[0]


def _body(request: Request | None = None, decision: Decision | None = None) -> JsonObject:
    return record.body(
        request or deletion("shop"),
        decision or denial(),
        caller=CallerProof.CERTIFICATE,
        cluster=CLUSTER,
        engine=ENGINE,
        now=NOW,
        digest=keyed,
    )


def _execution(options: JsonObject) -> Request:
    return replace(deletion("web-0"), operation=Operation.CONNECT, subresource="exec", object=options, options=None)


def test_a_record_says_who_what_and_why() -> None:
    """The whole body of an ordinary denial."""
    assert _body() == {
        "schema": "audit.interlock.dev/record/v1",
        "kind": "Decision",
        "time": "2026-11-21T10:15:00.000000Z",
        "cluster": CLUSTER,
        "requestUID": "0d3f1c52-0000-4000-8000-00000000shop",
        "operation": "DELETE",
        "target": {
            "group": "",
            "version": "v1",
            "kind": "Namespace",
            "resource": "namespaces",
            "subresource": "",
            "namespace": "shop",
            "name": "shop",
            "uid": "8f0e6d1a-0000-4000-8000-000000000007",
            "inCollection": False,
        },
        "user": {"name": "ada", "uid": "", "extra": {}, "groups": ["dev", "system:authenticated"]},
        "parameters": {"propagationPolicy": "Background"},
        "digests": {
            "oldObject": keyed(b'{"metadata":{"name":"shop","uid":"8f0e6d1a-0000-4000-8000-000000000007"}}'),
            "options": keyed(b'{"kind":"DeleteOptions","propagationPolicy":"Background"}'),
        },
        "verdict": "Deny",
        "severity": "Critical",
        "wouldHave": "Nothing",
        "reason": "Policy",
        "message": "deletes a namespace and everything in it",
        "durability": "BlockingStrict",
        "findings": [
            {
                "action": "delete-namespace",
                "family": "namespaces",
                "severity": "Critical",
                "evidence": "deletes a namespace and everything in it",
                "reach": "namespaces",
                "namespaces": ["shop"],
            }
        ],
        "policies": [
            {
                "name": "protect-production",
                "uid": "11111111-0000-4000-8000-000000000001",
                "generation": 3,
                "digest": "ab" * 32,
                "mode": "Enforce",
                "severity": "Critical",
                "finding": "delete-namespace",
                "yields": "Deny",
            }
        ],
        "callerProof": "certificate",
        "engine": {"version": "0.1.0", "snapshotGeneration": 4711, "snapshotAgeMillis": 120},
    }


def test_arguments_of_a_command_become_a_digest() -> None:
    """Who ran a shell where is recorded, what was typed after it is not."""
    options = {"container": "app", "tty": True, "command": ["mysql", "-phunter2"], "kind": "PodExecOptions"}

    assert _body(_execution(options))["parameters"] == {
        "container": "app",
        "tty": True,
        "commandDigest": keyed(b'["mysql","-phunter2"]'),
        "commandWords": 2,
    }


@pytest.mark.parametrize(
    ("option", "recorded"),
    [
        pytest.param({"stdin": False}, {"stdin": False}, id="a boolean stays"),
        pytest.param({"ports": [80, "x", 443]}, {"ports": [80, 443]}, id="ports stay, other things among them do not"),
        pytest.param({"ports": [2**60, True]}, {"ports": []}, id="a number beyond 2^53 is no port, nor is a boolean"),
        pytest.param({"container": 5, "tty": 1.5, "stdin": None}, {}, id="values of another type are left out"),
        pytest.param({"token": "hunter2"}, {}, id="an option that nobody listed is left out"),
    ],
)
def test_options_of_a_connection(option: JsonObject, recorded: JsonObject) -> None:
    """Only listed options are recorded, and only in the types that a record may hold."""
    assert _body(_execution(option))["parameters"] == recorded


def test_extra_is_an_allow_list() -> None:
    """Of a user's extra only what names the credential or its bearer is recorded."""
    user = User(name="ada", extra={CREDENTIAL_ID: ("JTI=1",), "scopes.example/secret": ("hunter2",)})
    assert _body(replace(deletion("shop"), user=user))["user"]["extra"] == {CREDENTIAL_ID: ["JTI=1"]}


def test_long_lists_and_texts_are_cut_visibly() -> None:
    """What was left out is counted, and a cut text names the whole by its digest."""
    user = User(name="a" * 5000, groups=tuple(f"group-{number}" for number in range(100)))
    found = _body(replace(deletion("shop"), user=user))["user"]

    assert found["groups"] == [f"group-{number}" for number in range(64)]
    assert found["groupsOmitted"] == 36
    assert found["name"] == f"{'a' * 1024}… [5000 bytes, digest {keyed(b'a' * 5000)[:16]}]"


def _reason_of(outcome: PolicyOutcome) -> str:
    return str(_body(decision=replace(denial(), outcomes=(outcome,), verdict=Verdict.NOTHING))["reason"])


def test_reasons() -> None:
    """Each way to a verdict has its word."""
    denied = _body(decision=denial())["reason"]
    broken = replace(denial(), outcomes=(replace(OUTCOME, error="no such field"),))
    going_on = replace(denial(), verdict=Verdict.NOTHING, outcomes=(), continuation="the namespace is terminating")

    assert {
        "denied by a policy": denied,
        "a policy could not be evaluated": _body(decision=broken)["reason"],
        "goes on with something decided": _body(decision=going_on)["reason"],
        "the window is open": _reason_of(replace(OUTCOME, yields=Verdict.NOTHING, window=OPEN)),
        "an exclusion decided": _reason_of(replace(OUTCOME, excluded_by="spec.exclude[0]")),
        "only observed": _reason_of(replace(OUTCOME, mode=Mode.OBSERVE)),
    } == {
        "denied by a policy": Reason.POLICY,
        "a policy could not be evaluated": Reason.POLICY_ERROR,
        "goes on with something decided": Reason.CONTINUATION,
        "the window is open": Reason.WINDOW_OPEN,
        "an exclusion decided": Reason.EXCLUDED,
        "only observed": Reason.OBSERVED_ONLY,
    }


def test_a_window_is_recorded_with_its_next_changes() -> None:
    """State, what decided it, and when it changes."""
    outcome = replace(OUTCOME, window=OPEN)
    [policy] = _body(decision=replace(denial(), outcomes=(outcome,)))["policies"]

    assert policy["window"] == {
        "open": True,
        "active": ["weekly"],
        "timeZone": "Europe/Berlin",
        "nextTransition": "2026-11-21T10:15:00.000000Z",
        "nextOpen": "2026-11-21T10:15:00.000000Z",
    }


def _plain(value: object) -> bool:
    match value:
        case bool() | str():
            return True
        case int():
            return abs(value) < 2**53
        case list():
            return all(map(_plain, value))
        case dict():
            return all(key.isascii() and _plain(inner) for key, inner in value.items())
        case _:
            return False


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(strategies.requests, strategies.decisions)
def test_every_record_fits_and_is_plain(request: Request, decision: Decision) -> None:
    """Whatever was asked and decided: strings, booleans, integers; an envelope within its bound; read back equal."""
    body = _body(request, decision)
    payload = record.place(body, sequence=2**33, **PLACE)
    envelope = dsse.seal(record.PAYLOAD_TYPE, payload, keyid="0" * 16, sign=lambda _: b"\0" * 64).encode()

    assert len(envelope) <= dsse.MAX_ENVELOPE_BYTES
    assert _plain(body)
    assert record.decode(payload) == body | {"id": PLACE["record_id"], "lane": "0" * 16, "sequence": 2**33} | {
        "previous": "ab" * 32
    }


def test_the_largest_record_uses_the_smallest_caps() -> None:
    """With everything at its longest, a record is cut as far as its last caps say and still fits."""
    long = "\x01" * 5_000
    user = User(name=long, uid=long, groups=(long,) * 100, extra={CREDENTIAL_ID: (long,) * 100})
    request = replace(deletion(long), user=user, uid=long, group=long, kind=long, subresource=long)
    outcome = replace(OUTCOME, policy=long, uid=long, error=long, excluded_by=long, finding=long)
    outcome = replace(outcome, window=replace(OPEN, active=(long,) * 100, time_zone=long))
    finding = replace(denial().findings[0], action=long, evidence=long, family=long)
    decision = replace(denial(), findings=(finding,) * 100, outcomes=(outcome,) * 100)
    body = _body(request, decision)

    assert len(orjson.dumps(body)) <= record.MAX_BODY_BYTES
    assert (len(body["policies"]), body["policiesOmitted"], len(body["user"]["groups"])) == (4, 96, 4)


def test_digest_depends_on_values_not_on_the_order_of_keys() -> None:
    """Two spellings of one object have one digest."""
    one, other = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert _body(replace(deletion("shop"), object=one)) == _body(replace(deletion("shop"), object=other))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"schema":"audit.interlock.dev/record/v1"}', id="fields missing"),
        pytest.param(b'{"schema":"\xff"}', id="not UTF-8"),
        pytest.param(b'{"x":' + b"[" * 20_000, id="nested without end"),
        pytest.param(record.place(_body() | {"schema": "a/record/v2"}, sequence=0, **PLACE), id="another version"),
        pytest.param(record.place(_body() | {"time": 5}, sequence=0, **PLACE), id="a field of another type"),
    ],
)
def test_other_payloads_are_no_records(payload: bytes) -> None:
    """Whatever an attacker stored ends in a message, not in a traceback."""
    with pytest.raises(BadInput, match="record"):
        record.decode(payload)


def test_a_body_too_large_is_our_mistake() -> None:
    """No record beyond the bound gets a place."""
    with pytest.raises(ValueError, match="exceeds"):
        record.place({"message": "x" * record.MAX_PAYLOAD_BYTES}, sequence=0, **PLACE)


def test_lane_records() -> None:
    """A lane says who writes it, when it was certified and why it ended."""
    certificate = {"payload": "", "payloadType": "x", "signatures": []}
    about = {"schema": record.SCHEMA, "time": "2026-11-21T10:15:00.000000Z", "cluster": CLUSTER}
    who = {"namespace": "interlock-system", "pod": "interlock-guard-0", "podUID": WRITER.pod_uid}
    opened = about | who | {"kind": "LaneOpen", "publicKey": "AA==", "engine": {"version": "0.1.0"}, "after": ""}

    assert record.lane_open(WRITER, now=NOW, public_key="AA==", certificate=None, after="") == opened
    assert record.lane_open(WRITER, now=NOW, public_key="AA==", certificate=certificate, after="") == (
        opened | {"certificate": certificate}
    )
    assert record.lane_certified(WRITER, now=NOW, certificate=certificate) == (
        about | {"kind": "LaneCertified", "certificate": certificate}
    )
    assert record.lane_close(WRITER, now=NOW, reason="Stopped") == about | {"kind": "LaneClose", "reason": "Stopped"}
