"""Signed envelopes: DSSE v1.0.2 with one Ed25519 signature, in one exact spelling.

What is signed is the pre-authentication encoding (PAE) of the payload's type and bytes; nothing is ever re-serialised
before it is verified. The JSON around the payload is not signed, so `parse` accepts a single spelling of it, the one
that `seal` writes: no two different byte strings are the same envelope, and a leaf hash cannot be changed by white
space.

Signing needs a private key and is therefore the caller's: `seal` takes a function. Keys named by `keyid` are a hint
(DSSE says so); which key must have signed is decided by whoever calls `verify`.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from interlock.core import typedjson
from interlock.core.types import JsonObject
from interlock.errors import BadInput

MAX_ENVELOPE_BYTES = 60 * 1024  # below the 65,535 bytes of one entry of a C2SP tlog-tiles bundle, with room to spare

EXPECTED = "a DSSE envelope with one signature"

PUBLIC_KEY_BYTES = 32  # raw Ed25519

Sign = Callable[[bytes], bytes]


class _Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The envelope as JSON; the order of the fields is the order on the wire."""

    payload: str
    payloadType: str  # noqa: N815  (DSSE's own spelling)
    signatures: tuple[_Signature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload and its signature, not yet verified.

    Attributes:
        payload_type: media type, part of what is signed.
        payload: the exact signed bytes.
        keyid: which key claims to have signed.
        signature: 64 bytes.
    """

    payload_type: str
    payload: bytes
    keyid: str
    signature: bytes

    def signed_by(self, public_key: bytes) -> bool:
        """Tell whether this raw Ed25519 key signed the payload under its type."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, pae(self.payload_type, self.payload))
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve
            return False
        return True

    def encode(self) -> bytes:
        """Write the one accepted spelling."""
        return msgspec.json.encode(_wire(self))

    def to_json(self) -> JsonObject:
        """The same, as an object to stand inside another document."""
        built: JsonObject = msgspec.to_builtins(_wire(self))
        return built


def pae(payload_type: str, payload: bytes) -> bytes:
    """Write the bytes that are signed: ``DSSEv1 SP len(type) SP type SP len(body) SP body``, lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, *, keyid: str, sign: Sign) -> Envelope:
    """Sign a payload.

    Args:
        payload_type: media type of the payload.
        payload: the bytes to keep.
        keyid: name of the signing key.
        sign: returns the Ed25519 signature of what it is given.
    """
    signature = sign(pae(payload_type, payload))
    return Envelope(payload_type=payload_type, payload=payload, keyid=keyid, signature=signature)


def parse(data: bytes) -> Envelope:
    """Read an envelope from the bytes in which it is stored.

    Raises:
        BadInput: no DSSE envelope with one signature, or not in the spelling that `Envelope.encode` writes.
    """
    if len(data) > MAX_ENVELOPE_BYTES:
        raise BadInput(field="envelope", got=f"{len(data)} bytes", expected=f"at most {MAX_ENVELOPE_BYTES}")
    envelope = _envelope(typedjson.read(data, _Wire, field="envelope", expected=EXPECTED))
    if envelope.encode() != data:
        raise BadInput(field="envelope", got="another spelling of its JSON", expected="the one that was stored")
    return envelope


def from_json(value: JsonObject) -> Envelope:
    """Read an envelope that stands inside another document.

    Raises:
        BadInput: no DSSE envelope with one signature.
    """
    try:
        return _envelope(msgspec.convert(value, type=_Wire))
    except msgspec.ValidationError as error:
        raise BadInput(field="envelope", got=str(error), expected=EXPECTED) from error


def _wire(envelope: Envelope) -> _Wire:
    signature = _Signature(keyid=envelope.keyid, sig=base64.b64encode(envelope.signature).decode())
    payload = base64.b64encode(envelope.payload).decode()
    return _Wire(payload=payload, payloadType=envelope.payload_type, signatures=(signature,))


def _envelope(wire: _Wire) -> Envelope:
    if len(wire.signatures) != 1:
        raise BadInput(field="envelope", got=f"{len(wire.signatures)} signatures", expected=EXPECTED)
    return Envelope(
        payload_type=wire.payloadType,
        payload=decoded(wire.payload, field="envelope.payload"),
        keyid=wire.signatures[0].keyid,
        signature=decoded(wire.signatures[0].sig, field="envelope.signatures[0].sig"),
    )


def decoded(text: str, *, field: str) -> bytes:
    """Read standard base64.

    Raises:
        BadInput: it is none; names the field.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one, and so is what is no ASCII
        raise BadInput(field=field, got=str(error), expected="standard base64") from error
