"""Lane certificates: only the notary's, only for the key that the lane is named after."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import certificate, dsse
from interlock.core.audit.notekey import VerifierKey
from interlock.core.types import JsonObject
from interlock.errors import BadInput

NOTARY = Ed25519PrivateKey.from_private_bytes(b"n" * 32)
KEY = VerifierKey(name="interlock.dev/x", public_key=NOTARY.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
LANE_KEY = b"L" * 32

STATED = certificate.Certificate(
    lane=certificate.lane_of(LANE_KEY),
    public_key=LANE_KEY,
    namespace="interlock-system",
    service_account="interlock-guard",
    pod_name="interlock-guard-0",
    pod_uid="5b1e6f2c-0000-4000-8000-000000000001",
    not_before=datetime(2026, 11, 21, 10, 15, tzinfo=UTC),
)


def _issue(stated: certificate.Certificate = STATED, *, signer: Ed25519PrivateKey = NOTARY) -> JsonObject:
    return certificate.issue(stated, key=KEY, sign=signer.sign)


def _sealed(payload: bytes, payload_type: str = certificate.PAYLOAD_TYPE) -> JsonObject:
    return dsse.seal(payload_type, payload, keyid=KEY.keyid, sign=NOTARY.sign).to_json()


def test_what_was_issued_is_read() -> None:
    """Every field of the statement comes back, verified or not."""
    assert (certificate.check(_issue(), [KEY]), certificate.read(_issue())) == (STATED, STATED)


def test_a_lane_is_named_after_its_key() -> None:
    """Nobody is certified for a lane that is another key's."""
    with pytest.raises(BadInput, match="named after its key"):
        _issue(replace(STATED, lane="0" * 16))


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(_issue(signer=OTHER), id="another signer under the notary's name"),
        pytest.param(_sealed(b"{}"), id="another statement"),
        pytest.param(_sealed(b"{", certificate.PAYLOAD_TYPE), id="no statement"),
        pytest.param(_sealed(b"{}", "application/vnd.interlock.record.v1+json"), id="signed as something else"),
        pytest.param(_issue() | {"payload": "e30="}, id="another payload under its signature"),
        pytest.param({}, id="nothing"),
        pytest.param({"payload": 1}, id="another type"),
        pytest.param(_issue() | {"more": ""}, id="another field"),
        pytest.param(_issue() | {"signatures": _issue()["signatures"] * 2}, id="two signatures"),
        pytest.param(_issue() | {"signatures": []}, id="no signature"),
    ],
)
def test_other_certificates_are_refused(envelope: JsonObject) -> None:
    """What is not the notary's word about a lane is bad input."""
    with pytest.raises(BadInput):
        certificate.check(envelope, [KEY])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((b'"notBefore":"2026-11-21T10:15:00.000000Z"', b'"notBefore":"then"'), id="no instant"),
        pytest.param((b'"publicKey":"', b'"publicKey":"*'), id="no base64"),
        pytest.param((b'"publicKey":"TExM', b'"publicKey":"AAAA'), id="another key under the lane's name"),
    ],
)
def test_signed_nonsense_is_refused(change: tuple[bytes, bytes]) -> None:
    """Even the notary's own signature does not make a statement of anything."""
    payload = dsse.from_json(_issue()).payload
    assert change[0] in payload
    with pytest.raises(BadInput):
        certificate.check(_sealed(payload.replace(*change)), [KEY])
