"""Interlock's own certificate authority, as values: who signs, what is served, and when which of them is replaced.

Only the API server and Interlock's own processes rely on it, and both learn the authorities from objects that the
controller keeps up to date, so rotation needs nobody's help:

    announce   the next authority is trusted (it stands in the bundle), the present one still signs
    promote    `ANNOUNCED` later the next one signs; the present one becomes the previous one, still trusted
    retire     `RETIRED` after that the previous one leaves the bundle

The state is in the certificates' own dates: a controller that starts in the middle goes on where the last one stopped.
Lives are long on purpose: a certificate that expires while no controller runs stops every request under a Fail rule.

Nothing here reads a clock or talks to anybody; keys come from the operating system's randomness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from interlock.errors import BadInput

AUTHORITY_LIFE = timedelta(days=5 * 365)
LEAF_LIFE = timedelta(days=365)

RENEW_AFTER = 2 / 3
"""Share of a life after which a successor is made: what is left is how long Interlock may be without a controller."""

ANNOUNCED = timedelta(hours=1)
"""How long an authority is trusted before it signs: every API server has seen the new bundle long before that."""

RETIRED = timedelta(days=1)
"""How long an authority is trusted after its successor signs: every guard has its new certificate long before that."""

BACKDATED = timedelta(minutes=10)
"""A certificate is valid from so long before it is made, for clocks that are behind ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def x509(self) -> x509.Certificate:
        """The certificate, parsed.

        Raises:
            ValueError: no certificate.
        """
        return x509.load_pem_x509_certificate(self.certificate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The authorities that matter at one instant.

    Attributes:
        signer: signs leaves.
        next: already trusted, will sign.
        previous: certificate of the one that signed before, still trusted; empty for none.
    """

    signer: Pair
    next: Pair | None = None
    previous: bytes = b""

    @property
    def bundle(self) -> bytes:
        """Everything to be trusted, PEM, newest first."""
        parts = [self.next.certificate if self.next else b"", self.signer.certificate, self.previous]
        return b"".join(part for part in parts if part)


def check(authorities: Authorities) -> None:
    """See that everything stored can be read.

    Raises:
        BadInput: a key of another kind.
        ValueError: something is no certificate or no key.
    """
    for pair in filter(None, (authorities.signer, authorities.next)):
        _ = pair.x509
        _private(pair)
    if authorities.previous:
        x509.load_pem_x509_certificate(authorities.previous)


def found(now: datetime) -> Authorities:
    """Make the first authority."""
    return Authorities(signer=_authority(now))


def advance(authorities: Authorities, now: datetime) -> Authorities:
    """Take the step of the rotation that is due; the same value where none is."""
    following = authorities.next
    if following is None and due(authorities.signer, now):
        return replace(authorities, next=_authority(now))
    if following is not None and now >= _made(following) + ANNOUNCED:
        return Authorities(signer=following, previous=authorities.signer.certificate)
    if authorities.previous and now >= _made(authorities.signer) + ANNOUNCED + RETIRED:
        return replace(authorities, previous=b"")
    return authorities


def due(pair: Pair, now: datetime) -> bool:
    """Whether a certificate has lived so long that its successor should be made.

    Raises:
        ValueError: it is no certificate.
    """
    certificate = pair.x509
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return now >= certificate.not_valid_before_utc + life * RENEW_AFTER


def serves(leaf: Pair, authorities: Authorities, names: Sequence[str], now: datetime) -> bool:
    """Whether a serving certificate can stay: signed by the present signer, for just these names, and not due."""
    try:
        certificate = leaf.x509
        certificate.verify_directly_issued_by(authorities.signer.x509)
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    return alternatives.get_values_for_type(x509.DNSName) == list(names) and not due(leaf, now)


def issue(authorities: Authorities, names: Sequence[str], now: datetime) -> Pair:
    """Make a serving certificate for these DNS names; the authorities have been checked."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authorities.signer.x509
    builder = (
        _builder(names[0], signer.subject, key, now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(_authority_identifier(signer), critical=False)
    )
    return _signed(builder, key, by=_private(authorities.signer))


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """DNS names of a Service; the first is the one by which the API server calls it."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local", f"{service}.{namespace}")


def _authority(now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial number in the name keeps two generations apart for verifiers that look issuers up by name.
    name = f"Interlock CA {x509.random_serial_number() & 0xFFFFFFFF:08x}"
    builder = _builder(name, None, key, now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder.add_extension(_usage(signs_certificates=True), critical=True), key, by=key)


def _authority_identifier(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])  # 64: X.520's bound
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, *, by: ec.EllipticCurvePrivateKey
) -> Pair:
    certificate = builder.sign(by, hashes.SHA256())
    return Pair(certificate=certificate.public_bytes(serialization.Encoding.PEM), key=_pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private(pair: Pair) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pair.key, password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise BadInput(field="ca.key", got=type(key).__name__, expected="an ECDSA key")


def _made(pair: Pair) -> datetime:
    return pair.x509.not_valid_before_utc + BACKDATED
