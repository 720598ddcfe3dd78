"""Record ids: UUIDv7 (RFC 9562, section 5.7), so that names sort by time and are valid names of Kubernetes objects."""

from datetime import datetime

RANDOM_BYTES = 10  # 74 of these 80 bits are used

_VERSION = 0x7
_VARIANT = 0b10


def uuid7(now: datetime, random: bytes) -> str:
    """Make an id.

    Args:
        now: aware; its milliseconds are the id's first 48 bits.
        random: `RANDOM_BYTES` unpredictable bytes.
    """
    millis = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    bits = int.from_bytes(random[:RANDOM_BYTES], "big")
    high, low = bits >> 68 & 0xFFF, bits & ((1 << 62) - 1)
    number = millis << 80 | _VERSION << 76 | high << 64 | _VARIANT << 62 | low
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
