"""Signatures checked apart from everything else, so that other processes can do it: they take most of the time.

Whoever vouches says under which key each signature was good; whether that is the right key is decided by the rules.
"""

from collections.abc import Mapping

from interlock.core.audit import dsse, segment
from interlock.errors import BadInput


def vouched(body: bytes, keys: Mapping[str, bytes]) -> dict[int, bytes]:
    """Check the signatures of a segment's records.

    Args:
        body: the segment as a store holds it; one that is none vouches for nothing.
        keys: raw public key by key id, which is the lane's name.

    Returns:
        The key under which a record's signature is good, by its place in the segment.
    """
    try:
        records = segment.unpack(body).records
    except BadInput:
        return {}
    return {number: key for number, each in enumerate(records) if (key := _key_of(each, keys)) is not None}


def _key_of(data: bytes, keys: Mapping[str, bytes]) -> bytes | None:
    try:
        envelope = dsse.parse(data)
    except BadInput:
        return None
    key = keys.get(envelope.keyid)
    return key if key is not None and envelope.signed_by(key) else None
