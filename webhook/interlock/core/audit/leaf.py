"""The leaf hash of RFC 6962, section 2.1: SHA-256 over a zero byte and the exact bytes of an entry.

Every record is named by the leaf hash of its stored envelope: the next record of its lane holds it, the requester's
receipt holds it, and the API server's audit log holds it. Tree roots come with the checkpoints.
"""

import hashlib

LEAF_PREFIX = b"\x00"  # keeps leaves apart from inner nodes (0x01), RFC 6962

LEAF_HEX_LENGTH = 64  # characters of a leaf hash as stored


def leaf_hash(envelope: bytes) -> str:
    """Hash the exact stored bytes of an envelope; lower-case hex."""
    return hashlib.sha256(LEAF_PREFIX + envelope).hexdigest()
