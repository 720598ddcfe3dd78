"""Commits: how records of a lane lie in the store.

One commit is one flush: the records that waited, as newline-joined envelopes, compressed with gzip, under a name that
says lane and first sequence. Names of a lane sort by sequence, so that a CREATE of the next name is its only
continuation.
"""

import re
import zlib
from collections.abc import Iterator, Sequence

from interlock.core.audit import dsse, record
from interlock.core.types import JsonObject
from interlock.errors import BadInput

PREFIX = "interlock-lane-"

SEQUENCE_DIGITS = 10  # 2^33 records, a lane of 1,000 decisions a second for three months

MAX_RECORDS = 64  # in one commit: 111 KB of typical records, 20 KB compressed, far below the 1 MiB of a ConfigMap
MAX_RAW_BYTES = 128 * 1024  # of one commit's envelopes, unless a single one is larger, which none is

# A body that claims to hold more is not ours; so a small object cannot fill a verifier's memory.
MAX_UNPACKED_BYTES = MAX_RAW_BYTES + MAX_RECORDS

_GZIP = 16 + zlib.MAX_WBITS
_NAME = re.compile(rf"{PREFIX}([0-9a-f]{{16}})-([0-9]{{{SEQUENCE_DIGITS}}})")


def name(lane: str, sequence: int) -> str:
    """Name the commit of a lane that begins at this sequence."""
    return f"{PREFIX}{lane}-{sequence:0{SEQUENCE_DIGITS}d}"


def parse_name(text: str) -> tuple[str, int]:
    """Read lane and first sequence from a commit's name.

    Raises:
        BadInput: not the name of a commit.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise BadInput(field="commit", got=text[:120], expected=f"{PREFIX}LANE-SEQUENCE")
    return found[1], int(found[2])


def pack(envelopes: Sequence[bytes]) -> bytes:
    """Make a commit's body; the same envelopes give the same bytes (gzip without a time)."""
    packer = zlib.compressobj(wbits=_GZIP)
    return packer.compress(b"\n".join(envelopes)) + packer.flush()


def unpack(body: bytes) -> list[bytes]:
    """Take a commit's body apart; the envelopes are not looked at.

    Raises:
        BadInput: not exactly one gzip stream of acceptable size.
    """
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        raw = unpacker.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise BadInput(field="commit body", got=str(error), expected="one gzip stream") from error
    if unpacker.unconsumed_tail:
        raise BadInput(field="commit body", got="more bytes", expected=f"at most {MAX_UNPACKED_BYTES} unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise BadInput(field="commit body", got="a stream cut short or followed by bytes", expected="one gzip stream")
    return raw.split(b"\n")


def records(body: bytes) -> Iterator[JsonObject]:
    """Read a commit's records without verifying anything: for display and counting.

    Raises:
        BadInput: the body holds something else.
    """
    for envelope in unpack(body):
        yield record.decode(dsse.parse(envelope).payload)
