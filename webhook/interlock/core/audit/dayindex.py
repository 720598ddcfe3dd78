"""The index of days: at the end of each day that had a cut the notary says how far the log went.

    days/2026-11-25

One small object a day, signed and locked like the segments. Whoever wants the log from some day on begins behind the
index of the day before, without reading what was earlier; whoever reads all of it holds each index against the log.

An index is a DSSE envelope like a cut, by the key that signs when the day is over.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import cut as cuts
from interlock.core.audit import dsse
from interlock.core.audit.cut import Cut
from interlock.core.audit.keyring import Keyring, Trust
from interlock.errors import BadInput

SCHEMA = "audit.interlock.dev/day/v1"

PAYLOAD_TYPE = "application/vnd.interlock.day.v1+json"

PREFIX_OF_KEYS = "days/"

EXPECTED_SINCE = "a month or a day, as 2026-11 or 2026-11-25"

_KEY = re.compile(rf"{PREFIX_OF_KEYS}([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_DAY = re.compile(_MONTH.pattern + r"-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How far the log went on a day, in UTC.

    Attributes:
        cluster: uid of namespace kube-system.
        day: as ``2026-11-25``.
        number: of its last cut.
        time: of that cut.
        leaf: leaf hash of it, in hex; the next cut names it as the one before.
        epoch: the month whose tree it is in.
        size: leaves of that tree, the cut included.
        root: of that tree, in hex.
    """

    cluster: str
    day: str
    number: int
    time: datetime
    leaf: str
    epoch: str
    size: int
    root: str


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    cluster: str
    day: str
    number: int
    time: str
    leaf: str
    epoch: str
    size: int
    root: str
    rotations: tuple[str, ...]


def ended(last: Cut, following: Cut) -> Day | None:
    """The day that ended between a cut and the one after it; None where both are of one day.

    Args:
        last: the earlier cut.
        following: the later one, which names it.
    """
    day = cuts.day_of(last.time)
    if day >= cuts.day_of(following.time):
        return None
    tree = last.tree.append([bytes.fromhex(following.previous)])
    return Day(
        cluster=last.cluster,
        day=day,
        number=last.number,
        time=last.time,
        leaf=following.previous,
        epoch=last.epoch,
        size=tree.size,
        root=tree.root.hex(),
    )


def seal(day: Day, *, keys: Keyring, sign: dsse.Sign) -> bytes:
    """Write and sign an index.

    Args:
        day: what is said.
        keys: the notary's.
        sign: Ed25519 signature by the private half of the newest of them.
    """
    wire = _Wire(
        schema=SCHEMA,
        cluster=day.cluster,
        day=day.day,
        number=day.number,
        time=times.write(day.time),
        leaf=day.leaf,
        epoch=day.epoch,
        size=day.size,
        root=day.root,
        rotations=keys.notes,
    )
    payload = msgspec.json.encode(wire, order="sorted")
    return dsse.seal(PAYLOAD_TYPE, payload, keyid=keys.current.keyid, sign=sign).encode()


def opened(data: bytes, trust: Trust, *, name: str) -> Day:
    """Read the index of a day that the notary has signed.

    Raises:
        BadInput: no index, that of another day, or none by a trusted key.
    """
    envelope = dsse.parse(data)
    day, notes = _read(envelope)
    trust.signer(envelope, notes)
    if day.day != name:
        raise BadInput(field="day", got=f"that of {day.day[:40]}", expected=f"the index of {name}")
    return day


def read(data: bytes) -> Day:
    """Read an index without verifying who has signed it: for display.

    Raises:
        BadInput: it is none.
    """
    return _read(dsse.parse(data))[0]


def _read(envelope: dsse.Envelope) -> tuple[Day, tuple[str, ...]]:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadInput(field="day.payloadType", got=envelope.payload_type[:120], expected=PAYLOAD_TYPE)
    wire = typedjson.read(envelope.payload, _Wire, field="day", expected=f"an index of {SCHEMA}")
    if wire.schema != SCHEMA:
        raise BadInput(field="day.schema", got=wire.schema[:80], expected=SCHEMA)
    day = Day(
        cluster=wire.cluster,
        day=wire.day,
        number=wire.number,
        time=times.read(wire.time),
        leaf=wire.leaf,
        epoch=wire.epoch,
        size=wire.size,
        root=wire.root,
    )
    return day, wire.rotations


def key(day: str) -> str:
    """The key of a day's index in an object store."""
    return f"{PREFIX_OF_KEYS}{day}"


def parse_key(text: str) -> str:
    """Read the day from such a key.

    Raises:
        BadInput: it is none.
    """
    found = _KEY.fullmatch(text)
    if found is None:
        raise BadInput(field="key", got=text[:120], expected=f"{PREFIX_OF_KEYS}YYYY-MM-DD")
    return found[1]


def month_of(since: str) -> str:
    """The month in which to begin; empty for the very beginning.

    Args:
        since: a month or a day, as people write it; empty for all.

    Raises:
        BadInput: it is neither.
    """
    if since and not _MONTH.fullmatch(since) and not _DAY.fullmatch(since):
        raise BadInput(field="since", got=repr(since[:40]), expected=EXPECTED_SINCE)
    return since[: len("2026-11")]


def newest_before(days: Iterable[str], since: str) -> str:
    """Of these days the newest one before a day, if `since` is one; empty if there is none."""
    return max((day for day in days if day < since), default="") if _DAY.fullmatch(since) else ""
