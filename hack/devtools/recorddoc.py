"""webhook/docs/record.md, made from `interlock.core.audit.recordschema` and from a record that the code itself makes.

The record's key, time and id are fixed, so the same code makes the same page.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import orjson

from interlock.core import ids
from interlock.core.audit import dsse, record, recordschema
from interlock.core.audit.leaf import leaf_hash
from interlock.core.types import (
    CREDENTIAL_ID,
    CallerProof,
    Decision,
    Durability,
    Finding,
    JsonObject,
    Mode,
    Operation,
    PolicyOutcome,
    Reach,
    Request,
    Severity,
    User,
    Verdict,
    WindowState,
)
from interlock.ledger.chain import SEED_BYTES, Chain

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
OPENS = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

CLUSTER = "0b8e1f4a-6d0c-4c6e-9a51-3f2b7c1d9e00"

REQUEST = Request(
    uid="0d3f1c52-6f0e-4a0b-9f6e-6d1f6f0c7a11",
    operation=Operation.CONNECT,
    group="",
    version="v1",
    resource="pods",
    subresource="exec",
    kind="PodExecOptions",
    name="web-0",
    namespace="shop",
    user=User(name="ada", groups=("dev", "system:authenticated"), extra={CREDENTIAL_ID: ("X509SHA256=2f0c",)}),
    object={"container": "app", "stdin": True, "tty": True, "command": ["sh"]},
)

FINDING = Finding(
    action="exec",
    family="interactive",
    severity=Severity.HIGH,
    evidence="exec sh with 0 arguments in pod shop/web-0, container app, stdin, tty",
    reach=Reach.of("shop"),
)

DECISION = Decision(
    verdict=Verdict.DENY,
    severity=Severity.HIGH,
    findings=(FINDING,),
    outcomes=(
        PolicyOutcome(
            policy="no-shell-in-production",
            uid="7c1c0b52-3a54-4bb1-8a3c-0d4a3e8f2b10",
            generation=3,
            digest=hashlib.sha256(b"spec").hexdigest(),
            mode=Mode.ENFORCE,
            severity=Severity.HIGH,
            finding=FINDING.action,
            yields=Verdict.DENY,
            window=WindowState(
                open=False, active=(), next_transition=OPENS, next_open=OPENS, time_zone="Europe/Berlin"
            ),
        ),
    ),
    recorded=True,
    durability=Durability.BLOCKING_STRICT,
)

HEADER = """\
# Records

<!-- Made from webhook/interlock/core/audit/recordschema.py by `hack/update generated`; do not edit. -->

Every decision of an applying policy is stored as a record, signed and chained. `interlock ledger show` prints records,
`interlock verify` proves them. This page is the schema `audit.interlock.dev/record/v1`.

A record is a JSON object of strings, booleans, integers below 2^53, lists and objects: no null, no fraction, ASCII
keys. Version 1 may gain fields and kinds, which a reader leaves alone; no field changes its type or meaning.

- Dry runs are judged and answered, and leave no record.
- Objects, options and command lines are never stored. Their digests are HMAC-SHA256 (64 hex digits) over the JSON with
  sorted keys, under a key that only guards read: equal values can be told, values cannot be guessed.
- A text that is too long ends in `… [N bytes, digest HEX]`; a list that is too long is followed by `NAMEOmitted`.
- A denial that is repeated, on whatever objects, is stored once; the answers to the repeats name that record, and
  `SeriesCount` says at most once a second how many there were. A guard that is killed may take the count of the last
  two seconds with it, never a series.
- A deletecollection that is let through opens with `BatchOpen`; its members are answered once that is stored, and their
  own records follow within a second. `BatchClose` ends it.
- A lane says about itself when it opened (`LaneOpen`, always its first record), when it was certified if that was later
  (`LaneCertified`), and that it ended in order (`LaneClose`, always its last). Where its guard is gone, the notary ends
  it (`LaneAbandoned`, signed by the notary's key).
"""

STORED = """\
## How a record is stored

The record's exact bytes are the payload of a [DSSE](https://github.com/secure-systems-lab/dsse) v1.0.2 envelope, type
`application/vnd.interlock.record.v1+json`, signed with the lane's Ed25519 key; an envelope has at most {limit} bytes.
Its leaf hash is that of RFC 6962, SHA-256 over a zero byte and the envelope's bytes: the next record holds it as
`previous`.

One commit is a ConfigMap `interlock-lane-LANE-SEQUENCE`, immutable, labelled `interlock.dev/ledger: lane`, whose
`binaryData.r` is gzip over the envelopes, one a line; SEQUENCE is the first record's, in ten digits.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join(
        [
            HEADER,
            *_table("Every record", recordschema.EVERY_RECORD),
            *(line for kind, fields in recordschema.FIELDS.items() for line in _table(str(kind), fields)),
            *_example(),
            STORED.format(limit=dsse.MAX_ENVELOPE_BYTES).rstrip(),
            "",
        ]
    )


def _table(title: str, fields: Iterable[recordschema.Field]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| field | type | what it says |"
    yield "|---|---|---|"
    for field in fields:
        kind = f"{field.type}, may be absent" if field.optional else field.type
        yield f"| `{field.path}` | {kind} | {field.text} |"
    yield ""


def _example() -> Iterator[str]:
    chain = Chain(hashlib.sha256(b"an example").digest()[:SEED_BYTES])
    writer = record.Writer(version="0.1.0", cluster=CLUSTER, namespace="interlock-system", pod="guard", pod_uid="")
    opened = record.lane_open(writer, now=NOW, public_key=chain.public_key_text, certificate=None, after="")
    chain.seal(opened, "an example")
    sealed = chain.seal(_body(), ids.uuid7(NOW, b"an example"))
    decoded = record.decode(dsse.parse(sealed.envelope).payload)
    yield "## Example"
    yield ""
    yield "```json"
    yield orjson.dumps(decoded, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    yield "```"
    yield ""
    yield f"Its leaf hash, which the API server's audit log holds too: `{leaf_hash(sealed.envelope)}`."
    yield ""


def _body() -> JsonObject:
    return record.body(
        REQUEST,
        DECISION,
        caller=CallerProof.CERTIFICATE,
        cluster=CLUSTER,
        engine=record.Engine(version="0.1.0", snapshot_generation=48113, snapshot_age_millis=240),
        now=NOW,
        digest=lambda data: hashlib.blake2b(data, key=b"an example", digest_size=32).hexdigest(),
    )
