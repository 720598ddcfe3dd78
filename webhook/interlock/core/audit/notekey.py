"""The notary's public key as people keep it: one line, the verifier key of C2SP signed-note.

    NAME+XXXXXXXX+BASE64(0x01 || 32 bytes of Ed25519 public key)

where XXXXXXXX is the key id, the first four bytes of SHA-256(NAME || LF || 0x01 || key) in hex. The id catches a
mistyped line; it is no fingerprint to compare by eye, `VerifierKey.fingerprint` is. A witness's key has 0x04 in the
place of 0x01: what it signs has a time (see `core.audit.cosignature`).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Self

from interlock.core.audit.dsse import PUBLIC_KEY_BYTES
from interlock.errors import BadInput

# Signature types of C2SP signed-note, both Ed25519
ED25519 = b"\x01"
COSIGNATURE = b"\x04"

KEY_ID_BYTES = 4

EXPECTED = "one line NAME+8 hex digits+base64, as in ConfigMap interlock-notary, key notary.pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A named Ed25519 public key.

    Attributes:
        name: `interlock.dev/` and the uid of namespace kube-system, in Interlock's own keys.
        public_key: 32 raw bytes.
        kind: type of its signatures.
    """

    name: str
    public_key: bytes
    kind: bytes = ED25519

    @property
    def key_id(self) -> str:
        """The eight hex digits of signed-note."""
        hashed = hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public_key)
        return hashed.digest()[:KEY_ID_BYTES].hex()

    @property
    def keyid(self) -> str:
        """What names this key in a DSSE envelope: NAME+XXXXXXXX."""
        return f"{self.name}+{self.key_id}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw key, for people to compare: ``SHA256:`` and unpadded base64, as ssh-keygen prints."""
        digest = hashlib.sha256(self.public_key).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        """The line that `parse` reads."""
        return f"{self.keyid}+{base64.b64encode(self.kind + self.public_key).decode()}"

    @classmethod
    def parse(cls, text: str, *, kind: bytes = ED25519) -> Self:
        """Read a verifier key of one kind; white space around the line is ignored.

        Raises:
            BadInput: not such a line, another algorithm, or a key id that does not belong to the key.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        if not name or any(letter.isspace() for letter in name) or not encoded:
            raise BadInput(field="key", got=f"{text.strip()[:80]!r}", expected=EXPECTED)
        key = cls(name=name, public_key=_public_key(encoded, kind), kind=kind)
        if key.key_id != key_id:
            raise BadInput(
                field="key", got=f"key id {key_id}", expected=f"{key.key_id}, which belongs to this name and key"
            )
        return key


def _public_key(encoded: str, kind: bytes) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(field="key", got=f"{encoded[:80]!r}", expected=EXPECTED) from error
    if raw[:1] != kind or len(raw) != 1 + PUBLIC_KEY_BYTES:
        raise BadInput(
            field="key", got=f"{len(raw)} bytes of type {raw[:1].hex()}", expected=f"an Ed25519 key (type {kind.hex()})"
        )
    return raw[1:]
