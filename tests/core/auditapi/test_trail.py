"""The trail: what the ledger in the cluster tells, verified as it comes, and what is proven of it later."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from interlock.core.audit import checkpoint, commits, segment, tree
from interlock.core.auditapi import covering
from interlock.core.auditapi.shipment import Shipment
from interlock.core.auditapi.trail import UNCERTIFIED, Found, Trail, as_of
from interlock.core.auditapi.window import Window
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from tests.fakes.log_store import FakeLogStore
from tests.fakes.notary import FakeNotary
from tests.ledger.guards import HandClock, Ledger, body, running, settled, written
from tests.ledger.logs import RETENTION, NotaryKey, notary, turned
from tests.support.auditrecords import SYSTEM

KEY = NotaryKey().public


def _trail() -> Trail:
    return Trail(trust=NotaryKey().trust, system=SYSTEM, window=Window(max_bytes=1_000_000, version=0))


def _found(stored: Sequence[StoredCommit], *, after: int = 0) -> list[Found]:
    return [Found(stored=each, version=number) for number, each in enumerate(stored, after + 1)]


def _loaded(stored: Sequence[StoredCommit], checkpoints: Sequence[StoredCommit] = ()) -> Trail:
    trail = _trail()
    for _ in trail.loading(_found(stored), checkpoints, version=100):
        pass
    return trail


def _shown(trail: Trail) -> dict[str, JsonObject]:
    """Every AuditRecord by the name of its target, as it is served."""
    listed = trail.window.page(namespace="", wanted=None, limit=0)
    made = [trail.complete(orjson.loads(raw)) for raw in listed.items]
    return {each["target"]["name"]: each for each in made}


def _why(trail: Trail) -> dict[str, str]:
    return {name: made["ledger"].get("why", "") for name, made in _shown(trail).items()}


async def test_what_is_good_is_verified() -> None:
    """Each decision is an AuditRecord, signed, chained and certified; what lanes say about themselves is none."""
    trail = _loaded((await written(["a", "b"])).store.stored())

    assert {name: made["ledger"]["verified"] for name, made in _shown(trail).items()} == {"a": True, "b": True}
    assert (trail.window.version, trail.unreadable, trail.older) == (as_of(100), 0, "")


async def test_records_of_one_commit_have_versions_of_their_own() -> None:
    """Changes are told in the order of the lane, each with a version larger than those before."""
    ledger = Ledger()
    async with running(ledger):
        await settled()
        pending = [ledger.lane.append(body(ledger.clock, name=name)) for name in "abc"]
        await pending[-1].stored(seconds=5)
    trail = _trail()
    for found in _found(ledger.store.stored()):
        trail.commit(found)

    events = trail.window.since(0)
    assert [event.made["target"]["name"] for event in events] == ["a", "b", "c"]
    assert [int(event.made["metadata"]["resourceVersion"]) for event in events] == [event.version for event in events]
    assert sorted({event.version for event in events}) == [event.version for event in events]


async def test_a_lane_without_certificate() -> None:
    """Without a certificate nothing is verified; once it comes, what was there before is, too."""
    clock = HandClock()
    away = FakeNotary(clock)
    away.away = True
    ledger = Ledger(clock=clock, notary=away)
    async with running(ledger):
        await settled()
        await ledger.lane.append(body(ledger.clock, name="a")).stored(seconds=5)
        trail = _loaded(ledger.store.stored())
        before = _why(trail)
        away.away = False
        for _ in range(50):
            await settled()
    for found in _found(ledger.store.stored(), after=100):
        trail.commit(found)

    assert (before, _why(trail)) == ({"a": UNCERTIFIED}, {"a": ""})


async def test_the_notarys_key_is_rotated() -> None:
    """What either key has vouched for is verified, whether the new one was heard of by a cut or as it was published."""
    ledger = Ledger()
    async with running(ledger):
        await settled()
        await ledger.lane.append(body(ledger.clock, name="a")).stored(seconds=5)
        store = FakeLogStore(ledger.store)
        await turned(notary(ledger, store))
        new = NotaryKey().successor(b"1" * 32, ledger.clock())
    await written(["b"], Ledger(ledger.store, FakeNotary(ledger.clock, seed=b"1" * 32), clock=ledger.clock, seed="2"))
    published, doubtful = _trail(), _loaded(ledger.store.stored())
    published.trust(new.public)
    for found in _found(ledger.store.stored()):
        published.commit(found)
    await turned(notary(ledger, store, key=new))
    heard = _loaded(ledger.store.stored(), store.stored())

    assert (_why(published), _why(heard)) == ({"a": "", "b": ""}, {"a": "", "b": ""})
    assert f"expected one of {KEY.keyid}" in _why(doubtful)["b"]
    assert heard.proof(_shown(heard)["b"])["notary"] == str(new.public)


async def test_a_changed_record() -> None:
    """A record that somebody has changed is shown as what it is, and so is what follows it in its lane."""
    *first, changed, last, closed = (await written(["a", "b", "c"])).store.stored()
    [envelope] = commits.unpack(changed.body)
    forged = orjson.loads(envelope)
    payload = base64.b64decode(forged["payload"]).replace(b'"ada"', b'"eve"')
    envelope = envelope.replace(forged["payload"].encode(), base64.b64encode(payload))
    trail = _loaded([*first, replace(changed, body=commits.pack([envelope])), last, closed])

    why = _why(trail)
    assert (why["a"], _shown(trail)["b"]["user"]["name"]) == ("", "eve")
    assert "a signature that does not verify" in why["b"]
    assert why["c"] == why["b"]


async def test_a_missing_record() -> None:
    """What follows a record that is missing, and was never merged, is not verified."""
    first, a, _b, *rest = (await written(["a", "b", "c"])).store.stored()

    why = _why(_loaded([first, a, *rest]))
    assert (why["a"], "expected a commit that begins at sequence 2" in why["c"]) == ("", True)


async def test_bytes_that_are_no_records() -> None:
    """Nothing is shown of them; they are counted, and the others go on."""
    stored = list((await written(["a"])).store.stored())
    junk = [
        StoredCommit(name="interlock-lane-x", uid="1", body=b""),
        StoredCommit(name=commits.name("f" * 16, 0), uid="2", body=b"no gzip"),
        StoredCommit(name=commits.name("e" * 16, 0), uid="3", body=commits.pack([b"{}", b"[" * 9000])),
    ]
    trail = _loaded([*junk, *stored], [StoredCommit(name="interlock-checkpoint-x", uid="4", body=b"no gzip")])

    assert (sorted(_shown(trail)), trail.unreadable) == (["a"], 5 + 1)  # the newest checkpoint is looked at twice


async def test_one_name_twice() -> None:
    """A record cannot take the place of another one by bearing its id."""
    first, a, *_ = (await written(["a"])).store.stored()
    [envelope] = commits.unpack(a.body)
    trail = _loaded([first, a, StoredCommit(name=commits.name("f" * 16, 1), uid="3", body=commits.pack([envelope]))])

    assert (_why(trail), trail.unreadable) == ({"a": ""}, 1)


@pytest.mark.parametrize("live", [True, False], ids=["as they come", "at the start"])
async def test_proofs(live: bool) -> None:  # noqa: FBT001
    """A checkpoint covers what was merged, at an index of its tree, and the proof of that holds."""
    ledger = Ledger()
    store = FakeLogStore(ledger.store)
    merging = notary(ledger, store)
    trail = _trail()
    async with running(ledger):
        for name in "abcdefg":
            await settled()
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            await turned(merging)
            if live:
                for found in _found(ledger.store.stored()):
                    trail.commit(found)
                trail.checkpoint(store.stored()[-1])
    if not live:
        trail = _loaded(ledger.store.stored(), store.stored())

    notes = [segment.unpack(each.body).checkpoint for each in store.stored()]
    for made in _shown(trail).values():
        proven = trail.proof(made)
        proof, leaf = proven["proof"], bytes.fromhex(made["ledger"]["leaf"])
        note = checkpoint.opened(proof["checkpoint"]["note"], KEY)
        path = [base64.b64decode(each) for each in proof["inclusion"]]
        assert proof["checkpoint"]["note"] in notes
        assert tree.includes(leaf, proof["index"], path, size=note.size, root=note.root)
        assert made["ledger"]["index"] == proof["index"]
        assert made["ledger"]["checkpoint"] == f"2026-11/{proof['checkpoint']['number']}"


async def test_before_the_next_checkpoint() -> None:
    """A record that no checkpoint covers yet says so."""
    trail = _loaded((await written(["a"])).store.stored())
    [made] = _shown(trail).values()

    assert ("checkpoint" in made["ledger"], trail.proof(made)["proof"]) == (
        False,
        {"why": "waits for the next checkpoint, which is due within a minute"},
    )


async def test_only_the_newest_checkpoint() -> None:
    """Where older checkpoints are gone, what they cover is still known to be merged, but not at which index."""
    ledger = await written(["a"])
    store = FakeLogStore(ledger.store)
    merging = notary(ledger, store)
    await turned(merging)
    ledger.clock.turn(timedelta(minutes=2))
    await turned(merging)
    trail = _loaded(ledger.store.stored(), store.stored()[-1:])
    [made] = _shown(trail).values()

    assert (made["ledger"]["checkpoint"], "index" in made["ledger"]) == ("2026-11/1", False)
    assert "interlock verify" in trail.proof(made)["proof"]["why"]


async def test_shipped() -> None:
    """A record is where the checkpoint that covers it is, locked from its cut on; nothing is said of others."""
    ledger = await written(["a"])
    store = FakeLogStore(ledger.store)
    await turned(notary(ledger, store))
    trail = _loaded(ledger.store.stored(), store.stored())
    trail.shipped(Shipment(store="s3://b/p", first=0, through=0, retention=RETENTION))
    [made] = _shown(trail).values()
    trail.shipped(Shipment(store="s3://b/p", first=1, through=9, retention=RETENTION))
    [unknown] = _shown(trail).values()

    assert made["ledger"]["shippedTo"] == "s3://b/p"
    assert made["ledger"]["lockedUntil"][:10] == str((ledger.clock() + RETENTION).date())
    assert "shippedTo" not in unknown["ledger"]


async def test_what_is_retired() -> None:
    """What the cluster forgets is listed no more, and where it is now is known."""
    stored = (await written(["a", "b"])).store.stored()
    trail = _loaded(stored)
    trail.shipped(Shipment(store="s3://b/p", first=0, through=0, retention=timedelta(days=1)))
    for each in stored[:2]:
        trail.retired(each.name, version=200)

    assert (sorted(_shown(trail)), trail.window.version) == (["b"], as_of(200))
    assert trail.older == "older records are in s3://b/p only: interlock ledger show s3://b/p"
    for each in stored:
        trail.retired(each.name, version=201)
    assert (_shown(trail), trail.names()) == ({}, set())


def test_shipment_goes_on() -> None:
    """Under the same lock what was shipped before stays known; under another one nothing is said of it."""
    before = Shipment(store="s3://b/p", first=3, through=7, retention=RETENTION)
    later = Shipment(store="s3://b/p", first=9, through=9, retention=RETENTION)
    elsewhere = replace(later, store="s3://c/p")

    assert before.followed_by(later) == replace(before, through=9)
    assert before.followed_by(elsewhere) == elsewhere
    assert before.followed_by(replace(later, retention=None)) == replace(later, retention=None)


async def test_proofs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many leaves are kept and no more: the newest records have proofs, of the oldest nothing more is said."""
    monkeypatch.setattr(covering, "KEPT_LEAVES", 5)
    ledger = Ledger()
    store = FakeLogStore(ledger.store)
    merging, trail = notary(ledger, store), _trail()
    async with running(ledger):
        for name in "abcd":
            await settled()
            await ledger.lane.append(body(ledger.clock, name=name)).stored(seconds=5)
            ledger.clock.turn(timedelta(minutes=2))
            await turned(merging)
            for found in _found(ledger.store.stored()):
                trail.commit(found)
            trail.checkpoint(store.stored()[-1])
    shown = _shown(trail)

    assert {name: "checkpoint" in made["ledger"] for name, made in shown.items()} == {
        "a": False,
        "b": False,
        "c": True,
        "d": True,
    }
    assert "inclusion" in trail.proof(shown["d"])["proof"]
    assert "no longer here" in trail.proof(shown["a"])["proof"]["why"]
