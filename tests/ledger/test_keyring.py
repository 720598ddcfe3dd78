"""Key rotation: a log goes on under a new key, and the old one is worth nothing any more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.core.audit import checkpoint, cut, keyring, lanes, logwalk, segment, signednote
from interlock.core.audit.keyring import GRACE, Keyring, Rotation, Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.lanewalk import Bad
from interlock.core.audit.logreport import LogReport
from interlock.core.audit.logwalk import LogWalk
from interlock.core.audit.segment import Segment
from interlock.errors import BadInput
from interlock.ledger.verifying import Verification, Wanted
from tests.ledger.guards import HandClock, Ledger, running, settled
from tests.ledger.logs import NotaryKey, Whole

OLD = NotaryKey()
AT = HandClock()()
NEW = OLD.successor(b"1" * 32, AT)
NEWEST = NEW.successor(b"2" * 32, AT + timedelta(days=1))
[NOTE] = NEW.ring.notes


# ------------------------------------------------------------------------------------------ the keys


def test_ring() -> None:
    """Rotations give all keys in order, and when each was replaced."""
    assert Keyring.read(NEWEST.ring.notes) == Keyring(
        keys=(OLD.public, NEW.public, NEWEST.public), replaced=(AT, AT + timedelta(days=1)), notes=NEWEST.ring.notes
    )


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        pytest.param([], "1 to 12", id="none"),
        pytest.param([NOTE] * 13, "1 to 12", id="too many"),
        pytest.param([NOTE, NOTE], f"one of {NEW.public.keyid}", id="out of order"),
        pytest.param([NOTE.replace("key-rotation", "key-robbery")], keyring.EXPECTED, id="another note"),
        pytest.param([NOTE.rsplit("\u2014", 1)[0]], f"one of {NEW.public.keyid}", id="not signed by the new key"),
        pytest.param([signednote.signed("a\n", key=OLD.public, sign=OLD.sign)], keyring.EXPECTED, id="another text"),
    ],
)
def test_no_ring(notes: list[str], expected: str) -> None:
    """What is no chain of rotations is bad input that says what was expected."""
    with pytest.raises(BadInput) as raised:
        Keyring.read(notes)
    assert raised.value.expected == expected


def test_a_rotation_needs_the_old_key() -> None:
    """Nobody follows a key that did not say so."""
    thief = NotaryKey(b"t" * 32)
    rotation = Rotation(old=OLD.public, new=thief.public, time=AT)
    with pytest.raises(BadInput, match=r"expected one of .*\+" + OLD.public.key_id):
        OLD.ring.extended(keyring.signed(rotation, old=thief.sign, new=thief.sign))


def test_no_key_comes_back() -> None:
    """A key that was replaced is not rotated to again."""
    rotation = Rotation(old=NEW.public, new=OLD.public, time=AT)
    with pytest.raises(BadInput, match="each key once"):
        NEW.ring.extended(keyring.signed(rotation, old=NEW.sign, new=OLD.sign))


def test_grace() -> None:
    """A replaced key's certificates count for ten minutes, the current key's always."""
    assert NEWEST.ring.outdated(AT) == ()
    assert NEWEST.ring.outdated(AT + GRACE) == (OLD.public,)
    assert NEWEST.ring.outdated(AT + timedelta(days=1) + GRACE) == (OLD.public, NEW.public)


def test_pinned_file() -> None:
    """A file of pinned keys has one a line; a file that has none is refused as a line that is none."""
    assert Trust.parse(f"{OLD.public}\n\n{NEW.public}\n") == Trust.of(OLD.public, NEW.public)
    with pytest.raises(BadInput, match="expected one line NAME"):
        Trust.parse("\n")
    with pytest.raises(BadInput, match="at most 24 keys"):
        Trust.parse(f"{OLD.public}\n" * 25)


# ------------------------------------------------------------------------------------------ the log


async def _rotated() -> Whole:
    """Two records before a rotation, two behind it, all shipped."""
    async with running(Ledger()) as ledger:
        await settled()
        whole = Whole(ledger)
        await _recorded(whole, "a", "b")
        whole.lead(OLD.successor(b"1" * 32, ledger.clock()))
        await _recorded(whole, "c", "d")
    return whole


async def _recorded(whole: Whole, *names: str) -> None:
    for name in names:
        await whole.record(name)
    await whole.archive.turn()


async def _verified(whole: Whole, trust: Trust) -> LogReport:
    wanted = Wanted(max_age=None)
    return await Verification(whole.outside, trust, wanted=wanted, progress=lambda _done, _total: None).run()


@pytest.mark.parametrize("trust", [OLD.trust, NEW.trust, Trust.of(NEW.public, OLD.public)], ids=["old", "new", "both"])
async def test_a_log_goes_on_under_a_new_key(trust: Trust) -> None:
    """Whoever trusts either key proves the whole log, and is told of both."""
    whole = await _rotated()
    report = await _verified(whole, trust)

    assert (report.status, report.faults, report.keys) == (
        Status.PROVEN,
        (),
        (OLD.public.fingerprint, NEW.public.fingerprint),
    )
    assert (report.records, report.key) == (5, trust.fingerprint)


async def test_somebody_else_is_not_trusted() -> None:
    """Another key proves nothing, and the report names who has signed and who should have."""
    report = await _verified(await _rotated(), NotaryKey(b"x" * 32).trust)

    [fault] = report.faults
    assert (fault.status, fault.got) == (Status.TAMPERED, f"one of {OLD.public.keyid}")
    assert fault.expected == f"one of {NotaryKey(b'x' * 32).public.keyid}"


async def test_a_replaced_key_signs_nothing_any_more() -> None:
    """Behind the rotation a cut by the old key, with or without a rotation of the thief's own, is refused."""
    whole = await _rotated()
    *good, last = whole.shipped()
    thief = OLD.successor(b"t" * 32, AT)
    for key in (OLD, thief):
        walk = LogWalk(OLD.trust)
        for each in good:
            walk.take(each)
        with pytest.raises(Bad) as raised:
            walk.take(_forged(last, key))
        assert (raised.value.expected, raised.value.got) == (
            f"key {NEW.public.keyid}, or one after it",
            f"key {key.public.keyid}",
        )
        assert walk.evidence is logwalk.Evidence.ORDER


def _forged(was: Segment, key: NotaryKey) -> Segment:
    """The same segment, signed by another key."""
    made = replace(cut.opened(was.cut, OLD.trust), keys=key.ring)
    over = checkpoint.opened(was.checkpoint, NEW.public)
    return Segment(
        records=was.records,
        cut=cut.seal(made, sign=key.sign),
        checkpoint=checkpoint.signed(over, key=key.public, sign=key.sign),
    )


async def test_a_leader_with_an_older_key_signs_nothing() -> None:
    """A Secret from a backup, without the rotation that the log has, is an error that names both keys."""
    whole = await _rotated()
    whole.lead(OLD)
    with pytest.raises(BadInput, match=f"got one of .*{NEW.public.key_id}, expected none after .*{OLD.public.key_id}"):
        await whole.notary.turn()


# ------------------------------------------------------------------------------------------ lanes


@pytest.mark.parametrize(("late", "status"), [(timedelta(), Status.PROVEN), (GRACE, Status.INCOMPLETE)])
async def test_certificates_of_a_replaced_key(late: timedelta, status: Status) -> None:
    """A lane that the old key certified counts for ten minutes more; then it is as good as one without certificate."""
    clock = HandClock()
    async with running(Ledger(clock=clock)) as ledger:
        await settled()
        whole = Whole(ledger)
        whole.lead(OLD.successor(b"1" * 32, clock()))
        clock.turn(late)
        await _recorded(whole, "a")
    [lane] = whole.store.lanes.stored()[:1]
    newest, _ = logwalk.alone(segment.unpack(whole.store.stored()[-1].body), OLD.trust)
    report, cluster = await _verified(whole, OLD.trust), lanes.verify([lane], OLD.trust, newest=newest)

    assert (report.status, [fault.evidence for fault in report.faults]) == (
        status,
        ["the lane's records"] * (status is Status.INCOMPLETE),
    )
    assert [each.certified for each in cluster.lanes] == [True]


async def test_the_cluster_alone_after_a_rotation() -> None:
    """Whoever trusts either key proves the lanes in the cluster by the newest checkpoint there."""
    whole = await _rotated()
    for trust in (OLD.trust, NEW.trust):
        newest, _ = logwalk.alone(segment.unpack(whole.store.stored()[-1].body), trust)
        outside = {lane.lane: lane.next for lane in newest.lanes}
        report = lanes.verify(whole.store.lanes.stored(), trust, newest=newest, outside=outside)
        assert (report.status, [lane.certified for lane in report.lanes]) == (Status.PROVEN, [True])
