"""Cuts: the leaf with which the notary ends what it adds to the log at one time.

A cut says where every open lane stands in the log, which lanes ended with it, and how large the tree is before it. So
whoever holds a cut and the checkpoint that was signed over it can go on from there, without anything older.

Between two cuts stand the records that the later one tells of: lane after lane in the order of `lanes`, each lane's
records in the order of their sequences. Nothing else stands in the log.

A cut is a DSSE envelope like a record, signed by the notary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import dsse
from interlock.core.audit.keyring import Keyring, Trust
from interlock.core.audit.tree import Frontier
from interlock.errors import BadInput

SCHEMA = "audit.interlock.dev/cut/v1"

PAYLOAD_TYPE = "application/vnd.interlock.cut.v1+json"

EXPECTED = f"a cut of {SCHEMA}"

# How many of each a cut may hold, so that it fits an envelope: each open lane is a running guard or one that died
# within the last minutes, each ended one a guard process of the last day. Who exceeds this waits for the next cut.
MAX_OPEN = 64
MAX_CERTIFICATES = 8
MAX_ENDED = 512
MAX_BROKEN = 8  # are said again and again, so that nobody forgets them; further ones are merely ended
MAX_FAULT = 400  # characters of what is wrong with one


class State(StrEnum):
    """How a lane stands after a cut."""

    OPEN = "Open"
    CLOSED = "Closed"  # its last record is a LaneClose
    ABANDONED = "Abandoned"  # its last record is the notary's LaneAbandoned
    BROKEN = "Broken"  # the notary found in it what cannot be merged, see `fault`


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCut:
    """One lane in one cut.

    Attributes:
        lane: its name.
        first: sequence of its first record in front of this cut; equal to `next` where there is none.
        next: sequence of its first record behind this cut.
        previous: leaf hash of the record before `first`; empty for sequence 0.
        leaf: leaf hash of the record before `next`; empty for sequence 0.
        state: how it stands.
        fault: of a broken lane, what is wrong with what follows.
        certificate: envelope by the notary; with the first records of a day, unless the lane was opened on it.
    """

    lane: str
    first: int
    next: int
    previous: str
    leaf: str
    state: State = State.OPEN
    fault: str = ""
    certificate: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A cut.

    Attributes:
        cluster: uid of namespace kube-system.
        epoch: the month, as ``2026-11``; each has a tree of its own.
        number: from 0 on without a gap, through all epochs.
        time: the notary's clock.
        previous: leaf hash of the cut before; empty for number 0.
        tree: in front of this leaf, the records that belong to it included.
        lanes: every open lane, every lane that ends here, and broken ones while anything of them is stored, by name.
        ended: lanes that ended before and of which there are still records in the cluster, by name.
        keys: the notary's; the last of them has signed it, and the checkpoint over it.
    """

    cluster: str
    epoch: str
    number: int
    time: datetime
    previous: str
    tree: Frontier
    lanes: tuple[LaneCut, ...]
    ended: tuple[str, ...]
    keys: Keyring


class _Lane(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    lane: str
    next: int
    leaf: str
    first: int = -1
    previous: str = ""
    state: State = State.OPEN
    fault: str = ""
    certificate: Mapping[str, object] | None = None


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    cluster: str
    epoch: str
    number: int
    time: str
    previous: str
    size: int
    tree: tuple[str, ...]
    lanes: tuple[_Lane, ...]
    ended: tuple[str, ...]
    rotations: tuple[str, ...]


def origin(cluster: str, epoch: str) -> str:
    """Name the log of an epoch, as its checkpoints do."""
    return f"interlock.dev/{cluster}/{epoch}"


def epoch_of(time: datetime) -> str:
    """The epoch that an instant falls into."""
    return times.write(time)[: len("2026-11")]


def day_of(time: datetime) -> str:
    """The day that an instant falls into, in UTC."""
    return times.write(time)[: len("2026-11-25")]


def seal(cut: Cut, *, sign: dsse.Sign) -> bytes:
    """Write and sign a cut.

    Args:
        cut: what is said.
        sign: Ed25519 signature by the private half of the newest of its keys.

    Raises:
        ValueError: it is too large for an envelope.
    """
    envelope = dsse.seal(PAYLOAD_TYPE, _write(cut), keyid=cut.keys.current.keyid, sign=sign).encode()
    if len(envelope) > dsse.MAX_ENVELOPE_BYTES:
        raise ValueError(f"a cut of {len(envelope)} bytes exceeds {dsse.MAX_ENVELOPE_BYTES}")
    return envelope


def opened(data: bytes, trust: Trust) -> Cut:
    """Read a cut that the notary has signed.

    Args:
        data: the envelope.
        trust: who that is: which key has to have signed is told by the rotations that the cut carries.

    Raises:
        BadInput: no cut, or none by such a key.
    """
    envelope = dsse.parse(data)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadInput(field="cut.payloadType", got=envelope.payload_type[:120], expected=PAYLOAD_TYPE)
    return _read(envelope, trust)


def _write(cut: Cut) -> bytes:
    wire = _Wire(
        schema=SCHEMA,
        cluster=cut.cluster,
        epoch=cut.epoch,
        number=cut.number,
        time=times.write(cut.time),
        previous=cut.previous,
        size=cut.tree.size,
        tree=tuple(each.hex() for each in cut.tree.hashes),
        lanes=tuple(map(_wired, cut.lanes)),
        ended=cut.ended,
        rotations=cut.keys.notes,
    )
    return msgspec.json.encode(wire, order="sorted")


def _wired(lane: LaneCut) -> _Lane:
    silent = lane.first == lane.next
    return _Lane(
        lane=lane.lane,
        next=lane.next,
        leaf=lane.leaf,
        first=-1 if silent else lane.first,
        previous="" if silent else lane.previous,
        state=lane.state,
        fault=lane.fault,
        certificate=lane.certificate,
    )


def _read(envelope: dsse.Envelope, trust: Trust) -> Cut:
    wire = typedjson.read(envelope.payload, _Wire, field="cut", expected=EXPECTED)
    if wire.schema != SCHEMA:
        raise BadInput(field="cut.schema", got=wire.schema[:80], expected=SCHEMA)
    keys = trust.signer(envelope, wire.rotations)
    names = [lane.lane for lane in wire.lanes]
    if names != sorted(set(names)):
        raise BadInput(field="cut.lanes", got="lanes twice or out of order", expected="each lane once, by name")
    return Cut(
        cluster=wire.cluster,
        epoch=wire.epoch,
        number=wire.number,
        time=times.read(wire.time),
        previous=wire.previous,
        tree=_tree(wire),
        lanes=tuple(map(_lane, wire.lanes)),
        ended=wire.ended,
        keys=keys,
    )


def _tree(wire: _Wire) -> Frontier:
    try:
        return Frontier(wire.size, tuple(map(bytes.fromhex, wire.tree)))
    except ValueError as error:
        raise BadInput(field="cut.tree", got=str(error)[:120], expected="a hash for each bit of size") from error


def _lane(wire: _Lane) -> LaneCut:
    silent = wire.first < 0
    first = wire.next if silent else wire.first
    if not 0 <= first <= wire.next:
        raise BadInput(field="cut.lanes.first", got=str(first), expected=f"0 to {wire.next}")
    return LaneCut(
        lane=wire.lane,
        first=first,
        next=wire.next,
        previous=wire.leaf if silent else wire.previous,
        leaf=wire.leaf,
        state=wire.state,
        fault=wire.fault,
        certificate=wire.certificate,
    )
