"""Lane certificates: the notary's word that a lane's key was made by one guard pod.

A certificate is a DSSE envelope over a small JSON statement. The notary issues it after the API server vouched for the
guard's pod-bound token; the guard puts it into its lane, and `interlock verify` checks it against the notary's public
key.

A lane is named after its key (`lane_of`), so that no guard can have a key of its own certified for another one's lane.
Who holds the certificate learns who made the key and from when on, not that the pod was honest.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from interlock.core import times, typedjson
from interlock.core.audit import dsse
from interlock.core.audit.notekey import VerifierKey
from interlock.core.types import JsonObject
from interlock.errors import BadInput

PAYLOAD_TYPE = "application/vnd.interlock.lane-certificate.v1+json"

LANE_HEX_LENGTH = (
    16  # 64 bits: no two guards meet by chance; that nobody meets on purpose is the certificate's business
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a notary states about a lane.

    Attributes:
        lane: the lane's name.
        public_key: its raw Ed25519 key.
        namespace: of the guard's pod, `service_account` its account, `pod_name` and `pod_uid` which one.
        not_before: the notary's clock when it certified. Later records of the lane cannot be older.
    """

    lane: str
    public_key: bytes
    namespace: str
    service_account: str
    pod_name: str
    pod_uid: str
    not_before: datetime


class _Statement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    lane: str
    public_key: str
    namespace: str
    service_account: str
    pod_name: str
    pod_uid: str
    not_before: str


def lane_of(public_key: bytes) -> str:
    """Name the lane of a key: the first 16 hex digits of the key's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:LANE_HEX_LENGTH]


def issue(certificate: Certificate, *, key: VerifierKey, sign: dsse.Sign) -> JsonObject:
    """Sign a certificate with the notary's key.

    Args:
        certificate: the statement; the caller has verified every field of it.
        key: the notary's public key, which names the signer.
        sign: Ed25519 signature by the private half of `key`.

    Raises:
        BadInput: the lane is not named after its key.
    """
    _check_name(certificate)
    statement = _Statement(
        lane=certificate.lane,
        public_key=base64.b64encode(certificate.public_key).decode(),
        namespace=certificate.namespace,
        service_account=certificate.service_account,
        pod_name=certificate.pod_name,
        pod_uid=certificate.pod_uid,
        not_before=times.write(certificate.not_before),
    )
    payload = msgspec.json.encode(statement, order="sorted")
    return dsse.seal(PAYLOAD_TYPE, payload, keyid=key.keyid, sign=sign).to_json()


def check(envelope: Mapping[str, object], keys: Sequence[VerifierKey]) -> Certificate:
    """Read a certificate and verify that the holder of one of these keys signed it.

    Raises:
        BadInput: not a certificate, signed by another key, or for a lane that is not named after its key.
    """
    sealed = dsse.from_json(dict(envelope))
    if not is_by(envelope, keys):
        expected = "one of " + " or ".join(key.keyid for key in keys)
        raise BadInput(field="certificate", got=f"a signature of {sealed.keyid[:120]}", expected=expected)
    return _read(sealed)


def is_by(envelope: Mapping[str, object], keys: Sequence[VerifierKey]) -> bool:
    """Whether the holder of one of these keys signed a certificate.

    Raises:
        BadInput: not a DSSE envelope.
    """
    sealed = dsse.from_json(dict(envelope))
    return any(sealed.signed_by(key.public_key) for key in keys)


def read(envelope: Mapping[str, object]) -> Certificate:
    """Read a certificate without verifying who signed it: for a guard, which got it from the notary over TLS.

    Raises:
        BadInput: not a certificate, or for a lane that is not named after its key.
    """
    return _read(dsse.from_json(dict(envelope)))


def _read(sealed: dsse.Envelope) -> Certificate:
    if sealed.payload_type != PAYLOAD_TYPE:
        raise BadInput(field="certificate.payloadType", got=sealed.payload_type[:120], expected=PAYLOAD_TYPE)
    statement = typedjson.read(sealed.payload, _Statement, field="certificate", expected="a statement about a lane")
    certificate = Certificate(
        lane=statement.lane,
        public_key=dsse.decoded(statement.public_key, field="certificate.publicKey"),
        namespace=statement.namespace,
        service_account=statement.service_account,
        pod_name=statement.pod_name,
        pod_uid=statement.pod_uid,
        not_before=times.read(statement.not_before),
    )
    _check_name(certificate)
    return certificate


def _check_name(certificate: Certificate) -> None:
    expected = lane_of(certificate.public_key)
    if certificate.lane != expected:
        raise BadInput(field="certificate.lane", got=certificate.lane[:40], expected=f"{expected}, named after its key")
