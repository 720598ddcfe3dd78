"""Segments: what one cut adds to the log, as one object of a store.

    gzip of     entry LF entry LF … cut LF LF checkpoint

Entries are the exact bytes of envelopes, none of which holds a line feed; the last of them is the cut. The checkpoint
is the signed note over the tree that ends with it. Records and checkpoint in one object: no store can hold one without
the other.

In the cluster, where the records lie in their lanes' commits, a segment is stored without them: cut and checkpoint.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from interlock.core.audit import dsse, signednote
from interlock.errors import BadInput

PREFIX = "interlock-checkpoint-"

PREFIX_OF_KEYS = "log/"

NUMBER_DIGITS = 12  # a cut a second for thirty thousand years; and names sort by number

MAX_RECORDS = 4_096
"""Records of one segment; a crowd of them fills one segment after the other."""

MAX_RAW_BYTES = 4 * 1024 * 1024
"""Bytes of one segment's records: about a megabyte compressed, one PUT, never in parts."""

MAX_UNPACKED_BYTES = MAX_RAW_BYTES + 4 * dsse.MAX_ENVELOPE_BYTES + signednote.MAX_NOTE_BYTES
"""What an object may unpack to: its last commit may exceed the bound, and there are cut and checkpoint."""

MAX_OBJECT_BYTES = MAX_UNPACKED_BYTES
"""An object in a store, compressed: no honest one comes near."""

_GZIP = 16 + zlib.MAX_WBITS
_NAME = re.compile(rf"{PREFIX}([0-9]{{{NUMBER_DIGITS}}})")
_KEY = re.compile(rf"{PREFIX_OF_KEYS}([0-9]{{4}}-[0-9]{{2}})/([0-9]{{{NUMBER_DIGITS}}})")
_END = b"\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one cut adds.

    Attributes:
        records: exact bytes of the records' envelopes; empty where they are stored elsewhere.
        cut: exact bytes of the cut's envelope.
        checkpoint: the signed note.
    """

    records: Sequence[bytes]
    cut: bytes
    checkpoint: str

    def pack(self) -> bytes:
        """The object; the same segment gives the same bytes (gzip without a time)."""
        packer = zlib.compressobj(wbits=_GZIP)
        raw = b"\n".join([*self.records, self.cut]) + _END + self.checkpoint.encode()
        return packer.compress(raw) + packer.flush()


def unpack(body: bytes) -> Segment:
    """Take an object apart; nothing in it is looked at.

    Raises:
        BadInput: it is no segment.
    """
    expected = "one gzip stream of entries, an empty line and a checkpoint"
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        raw = unpacker.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise BadInput(field="segment", got=str(error), expected=expected) from error
    if not unpacker.eof or unpacker.unused_data or unpacker.unconsumed_tail:
        raise BadInput(field="segment", got="a stream cut short, too large, or followed by bytes", expected=expected)
    entries, divided, note = raw.partition(_END)
    if not divided:
        raise BadInput(field="segment", got="no empty line", expected=expected)
    *records, cut = entries.split(b"\n")
    return Segment(records=records, cut=cut, checkpoint=_text(note, expected))


def _text(note: bytes, expected: str) -> str:
    try:
        return note.decode()
    except UnicodeDecodeError as error:
        raise BadInput(field="segment", got=str(error), expected=expected) from error


def name(number: int) -> str:
    """Name the object in the cluster that holds this cut and its checkpoint."""
    return f"{PREFIX}{number:0{NUMBER_DIGITS}d}"


def parse_name(text: str) -> int:
    """Read a cut's number from such a name.

    Raises:
        BadInput: it is none.
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise BadInput(field="checkpoint", got=text[:120], expected=f"{PREFIX}NUMBER")
    return int(found[1])


def key(epoch: str, number: int) -> str:
    """The key of a segment in an object store: ``log/2026-11/000000004711``."""
    return f"{PREFIX_OF_KEYS}{epoch}/{number:0{NUMBER_DIGITS}d}"


def parse_key(text: str) -> tuple[str, int]:
    """Read epoch and number from such a key.

    Raises:
        BadInput: it is none.
    """
    found = _KEY.fullmatch(text)
    if found is None:
        raise BadInput(field="key", got=text[:120], expected="log/YYYY-MM/NUMBER")
    return found[1], int(found[2])
