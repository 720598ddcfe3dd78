"""Tampering with stored commits: each way of it, what verification says, and which record it names.

Some things cannot be seen from commits alone, and that is asserted as well, so that nobody believes otherwise.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from interlock.core import times
from interlock.core.audit import certificate, commits, dsse, lanes, record
from interlock.core.audit.lanes import Status
from interlock.core.audit.leaf import leaf_hash
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.ledger.chain import SEED_BYTES, Chain
from tests.fakes.notary import Answer, FakeNotary
from tests.ledger.guards import WRITER, Entropy, HandClock, Ledger, body, written

SEED = Entropy()(SEED_BYTES)  # of the lane's key: what a thief of the guard's memory would hold
FOREIGN = b"f" * SEED_BYTES
NAMES = ["a", "b", "c", "d"]  # commits 1 to 4; commit 0 is the LaneOpen, commit 5 the LaneClose


def _ledger(*answers: Answer) -> Ledger:
    clock = HandClock()
    ledger = Ledger(notary=FakeNotary(clock, answers=answers), clock=clock)
    asyncio.run(written(NAMES, ledger))
    return ledger


LEDGER = _ledger()
STORED = tuple(LEDGER.store.stored())
LANE = commits.parse_name(STORED[0].name)[0]
IDS = [found["id"] for found in LEDGER.records()]


def _verify(stored: Sequence[StoredCommit]) -> lanes.Report:
    return lanes.verify(stored, LEDGER.notary.trust)


def _payloads(stored: Sequence[StoredCommit]) -> list[JsonObject]:
    return [found for commit in stored for found in commits.records(commit.body)]


def _commit(sequence: int, envelope: bytes, lane: str = LANE) -> StoredCommit:
    return StoredCommit(name=commits.name(lane, sequence), uid="u", body=commits.pack([envelope]))


def _sealed(payload: bytes, key: Ed25519PrivateKey, keyid: str = LANE) -> bytes:
    return dsse.seal(record.PAYLOAD_TYPE, payload, keyid=keyid, sign=key.sign).encode()


def _thief() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(SEED)


def _envelope(sequence: int) -> bytes:
    return commits.unpack(STORED[sequence].body)[0]


def _previous(sequence: int) -> str:
    return leaf_hash(_envelope(sequence - 1)) if sequence else ""


def _renamed(sequence: int, source: int) -> StoredCommit:
    """Another commit's bytes under this sequence's name."""
    return StoredCommit(name=commits.name(LANE, sequence), uid="u", body=STORED[source].body)


def _edited(sequence: int, **changes: object) -> StoredCommit:
    """A record changed without its key: the signature is left as it was."""
    envelope = dsse.parse(_envelope(sequence))
    payload = orjson.dumps(orjson.loads(envelope.payload) | changes, option=orjson.OPT_SORT_KEYS)
    altered = dsse.Envelope(
        payload_type=envelope.payload_type, payload=payload, keyid=envelope.keyid, signature=envelope.signature
    )
    return _commit(sequence, altered.encode())


def _forged(sequence: int, key: Ed25519PrivateKey, **changes: object) -> StoredCommit:
    """A record changed and signed, by the lane's stolen key or by another one."""
    found = orjson.loads(dsse.parse(_envelope(sequence)).payload) | {"previous": _previous(sequence)} | changes
    return _commit(sequence, _sealed(orjson.dumps(found, option=orjson.OPT_SORT_KEYS), key))


def _replace(*others: StoredCommit) -> list[StoredCommit]:
    changed = {commit.name: commit for commit in (*STORED, *others)}
    return list(changed.values())


def _without(*sequences: int) -> list[StoredCommit]:
    return [commit for number, commit in enumerate(STORED) if number not in sequences]


def _own_lane(envelope: JsonObject | None, seed: bytes = b"e" * 32) -> list[StoredCommit]:
    """A lane of the attacker's own, with whatever passes for a certificate."""
    chain = Chain(seed)
    clock = HandClock()
    opened = record.lane_open(WRITER, now=clock(), public_key=chain.public_key_text, certificate=envelope, after="")
    sealed = [chain.seal(made, f"id-{number}") for number, made in enumerate([opened, body(clock)])]
    return [_commit(one.receipt.sequence, one.envelope, chain.name) for one in sealed]


def _resigned(**opening: object) -> list[StoredCommit]:
    """The whole lane signed anew by a foreign key, under the lane's own name."""
    made, previous = [], ""
    foreign = Ed25519PrivateKey.from_private_bytes(FOREIGN)
    for sequence, found in enumerate(_payloads(STORED)):
        changes = {"previous": previous} | (opening if sequence == 0 else {})
        envelope = _sealed(orjson.dumps(found | changes, option=orjson.OPT_SORT_KEYS), foreign)
        previous = leaf_hash(envelope)
        made.append(_commit(sequence, envelope))
    return made


def _replayed_lane() -> list[StoredCommit]:
    """The lane's records under the name of another lane."""
    return [*STORED, *(StoredCommit(name=c.name.replace(LANE, "0" * 16), uid="u", body=c.body) for c in STORED)]


def _after_close() -> list[StoredCommit]:
    """The lane's stolen key goes on after the LaneClose."""
    payload = record.place(body(LEDGER.clock), record_id="x", lane=LANE, sequence=6, previous=leaf_hash(_envelope(5)))
    return [*STORED, _commit(6, _sealed(payload, _thief()))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One tampering.

    Attributes:
        stored: what verification finds.
        at: sequence of the first bad record; -1 for an object that is no commit.
        expected: part of what is said to be expected.
    """

    stored: Callable[[], Sequence[StoredCommit]]
    at: int
    expected: str


CASES = {
    "a verdict is changed": Case(stored=lambda: _replace(_edited(2, verdict="Allow")), at=2, expected="signature"),
    "the newest record is changed": Case(stored=lambda: _replace(_edited(5, reason="x")), at=5, expected="signature"),
    "the lane's key is changed": Case(
        stored=lambda: _replace(_edited(0, publicKey="AA==")), at=0, expected="named after"
    ),
    "a body is no gzip": Case(
        stored=lambda: _replace(StoredCommit(name=STORED[3].name, uid="u", body=b"x")), at=3, expected="gzip"
    ),
    "a body is empty": Case(
        stored=lambda: _replace(StoredCommit(name=STORED[3].name, uid="u", body=commits.pack([b""]))),
        at=3,
        expected="DSSE envelope",
    ),
    "a commit in the middle is gone": Case(stored=lambda: _without(2), at=2, expected="begins at sequence 2"),
    "two commits in the middle are gone": Case(stored=lambda: _without(1, 2), at=1, expected="begins at sequence 1"),
    "two commits are exchanged": Case(
        stored=lambda: _replace(_renamed(2, 3), _renamed(3, 2)), at=2, expected="sequence 2"
    ),
    "a record is replayed in its lane": Case(stored=lambda: _replace(_renamed(3, 2)), at=3, expected="sequence 3"),
    "a record is replayed at the end": Case(stored=lambda: [*STORED, _renamed(6, 5)], at=6, expected="sequence 6"),
    "a lane is replayed under another name": Case(stored=_replayed_lane, at=0, expected="lane 0000000000000000"),
    "a record is forged with another key": Case(
        stored=lambda: _replace(_forged(2, Ed25519PrivateKey.from_private_bytes(b"e" * 32), verdict="Allow")),
        at=2,
        expected="signature by the lane's key",
    ),
    "a record is rewritten with the lane's stolen key": Case(
        stored=lambda: _replace(_forged(2, _thief(), verdict="Allow")), at=3, expected="previous leaf"
    ),
    "a record is signed as something else": Case(
        stored=lambda: _replace(
            _commit(
                2, dsse.seal("text/plain", dsse.parse(_envelope(2)).payload, keyid=LANE, sign=_thief().sign).encode()
            )
        ),
        at=2,
        expected="payload type",
    ),
    "the key is renamed in an envelope": Case(
        stored=lambda: _replace(_commit(5, _sealed(dsse.parse(_envelope(5)).payload, _thief(), keyid="other"))),
        at=5,
        expected="key id",
    ),
    "the lane is signed anew by a foreign key": Case(stored=_resigned, at=0, expected="signature by the lane's key"),
    "the lane is signed anew and says so": Case(
        stored=lambda: _resigned(publicKey=Chain(FOREIGN).public_key_text), at=0, expected="the lane is named after"
    ),
    "the lane goes on after its end": Case(stored=_after_close, at=6, expected="nothing after the lane's last record"),
    "the lane opens twice": Case(
        stored=lambda: _replace(_forged(1, _thief(), kind="LaneOpen")), at=1, expected="LaneOpen as the first record"
    ),
    "the lane does not open": Case(
        stored=lambda: _replace(_forged(0, _thief(), kind="Decision")), at=0, expected="LaneOpen as the first record"
    ),
    "a record is dated back": Case(
        stored=lambda: _replace(_forged(4, _thief(), time=times.write(LEDGER.clock() - timedelta(minutes=2)))),
        at=4,
        expected="a time not before",
    ),
    "the lane is dated before its certificate": Case(
        stored=lambda: _replace(_forged(0, _thief(), time=times.write(LEDGER.clock() - timedelta(days=1)))),
        at=0,
        expected="lane's certificate",
    ),
    "a record has no time": Case(stored=lambda: _replace(_forged(4, _thief(), time="")), at=4, expected="RFC 3339"),
    "a second certificate": Case(
        stored=lambda: _replace(_forged(2, _thief(), certificate=_payloads(STORED)[0]["certificate"])),
        at=2,
        expected="one certificate",
    ),
    "a lane certified by another notary": Case(
        stored=lambda: [
            *STORED,
            *_own_lane(FakeNotary(HandClock(), seed=b"x" * 32).issue(Chain(b"e" * 32).public_key)),
        ],
        at=0,
        expected="one of interlock.dev/",
    ),
    "a lane with another lane's certificate": Case(
        stored=lambda: [*STORED, *_own_lane(_payloads(STORED)[0]["certificate"])],
        at=0,
        expected="a certificate of lane",
    ),
    "an object that is no commit": Case(
        stored=lambda: [*STORED, StoredCommit(name="interlock-lane-x", uid="u", body=b"")],
        at=-1,
        expected="interlock-lane-LANE-SEQUENCE",
    ),
}


def test_the_clean_run_is_proven() -> None:
    """Six records in six commits, from LaneOpen to LaneClose."""
    report = _verify(STORED)
    [lane] = report.lanes

    assert (report.status, report.faults, report.through) == (Status.PROVEN, (), lane.through)
    assert lane == lanes.LaneReport(
        lane=LANE,
        status=Status.PROVEN,
        pod="interlock-system/interlock-guard-0",
        records=6,
        missing=0,
        first=0,
        last=5,
        certified=True,
        certified_at=0,
        closed=True,
        through=times.read(str(_payloads(STORED)[-1]["time"])),
        fault=None,
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_tampering_is_found(case: Case) -> None:
    """Verification says tampered, and names the first bad record and what it should have been."""
    report = _verify(case.stored())
    fault = report.faults[0]

    assert (report.status, fault.status, fault.sequence) == (Status.TAMPERED, Status.TAMPERED, case.at)
    assert case.expected in fault.expected
    assert fault.record_id in {"", "x", "id-0", *IDS}


def test_the_bad_record_is_named() -> None:
    """Lane, commit, sequence, id; the records before it stay proven."""
    report = _verify(_replace(_edited(2, verdict="Allow")))
    [lane] = report.lanes

    assert report.faults == (
        lanes.Fault(
            status=Status.TAMPERED,
            lane=LANE,
            commit=STORED[2].name,
            sequence=2,
            record_id=IDS[2],
            expected="a signature by the lane's key",
            got="a signature that does not verify",
        ),
    )
    assert (lane.records, lane.last, lane.through) == (2, 1, times.read(str(_payloads(STORED)[1]["time"])))


@given(st.data())
def test_a_flipped_byte_is_found_or_changes_nothing(data: st.DataObject) -> None:
    """Any byte of any commit: tampered, or the very same records (gzip has a few bytes that mean nothing)."""
    number = data.draw(st.integers(0, len(STORED) - 1))
    good = STORED[number].body
    at = data.draw(st.integers(0, len(good) - 1))
    flipped = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    stored = _replace(StoredCommit(name=STORED[number].name, uid="u", body=flipped))
    report = _verify(stored)
    if report.status is Status.PROVEN:
        assert commits.unpack(flipped) == commits.unpack(good)
    else:
        assert (report.status, report.faults[0].sequence) == (Status.TAMPERED, number)


class TestIncomplete:
    """What needs no enemy, and yet is no proof."""

    def test_an_uncertified_lane(self) -> None:
        """Nobody vouches for its key, so nothing of it is proven, although it holds together."""
        [lane] = _verify(_own_lane(None)).lanes

        assert (lane.status, lane.records, lane.certified, lane.through) == (Status.INCOMPLETE, 2, False, None)
        assert lane.fault is not None
        assert (lane.fault.expected, lane.fault.sequence) == ("a certificate by the notary", 0)

    def test_missing_first_commits(self) -> None:
        """A lane whose beginning is not there cannot be proven; what is left is still checked."""
        report = _verify(_without(0, 1))
        [lane] = report.lanes

        assert (lane.status, lane.first, lane.last, lane.through) == (Status.INCOMPLETE, 2, 5, None)
        assert lane.fault is not None
        assert lane.fault.expected == "the lane's first commit, sequence 0"
        assert _verify([*_without(0, 1, 3), _edited(3, verdict="Allow")]).status is Status.TAMPERED

    def test_nothing_at_all(self) -> None:
        """No lane is no proof."""
        assert _verify([]) == lanes.Report(
            status=Status.INCOMPLETE, key=LEDGER.notary.key.fingerprint, lanes=(), faults=(), through=None
        )

    def test_tampering_is_worse(self) -> None:
        """With both, the verdict is tampered, and that fault stands first."""
        report = _verify([*_own_lane(None), *_replace(_edited(2, verdict="Allow"))])

        assert (report.status, [fault.status for fault in report.faults]) == (
            Status.TAMPERED,
            [Status.TAMPERED, Status.INCOMPLETE],
        )


def test_a_lane_certified_later_is_proven_from_its_beginning() -> None:
    """Its key is the same from the first record on."""
    ledger = _ledger(Answer.IS_AWAY)
    report = ledger.verify()

    assert (report.status, report.lanes[0].certified_at) == (Status.PROVEN, 1)


def test_a_wrong_key_proves_nothing() -> None:
    """Another notary's public key finds another signer."""
    report = lanes.verify(STORED, FakeNotary(HandClock(), seed=b"z" * 32).trust)
    assert (report.status, report.lanes[0].through) == (Status.TAMPERED, None)


@pytest.mark.parametrize(
    "missing", [pytest.param((5,), id="the newest"), pytest.param((3, 4, 5), id="the newest three")]
)
def test_a_missing_tail_cannot_be_seen(missing: tuple[int, ...]) -> None:
    """Without checkpoints, commits missing at the end leave a proven lane, and `TAILS` says so."""
    assert _verify(_without(*missing)).status is Status.PROVEN
    assert "cannot be seen" in lanes.TAILS  # see tests.ledger.test_log_mutations for what they change


def test_certificates_are_checked_against_their_lane() -> None:
    """The notary's signature over one lane does not serve for another."""
    stated = certificate.check(_payloads(STORED)[0]["certificate"], [LEDGER.notary.key])
    assert (stated.lane, stated.public_key) == (LANE, Chain(SEED).public_key)
