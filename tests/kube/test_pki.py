"""The certificate authority: what it signs is accepted, and its rotation never leaves anybody with the wrong one."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from interlock.errors import BadInput
from interlock.kube import pki
from interlock.kube.pki import Authorities, Pair
from interlock.serve.tls import ServerIdentity, server_context

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NAMES = pki.service_names("interlock-guard", "interlock-system")
DAY = timedelta(days=1)


def _handshake(leaf: Pair, trusted: bytes, name: str) -> None:
    """A TLS handshake in memory; raises ssl.SSLError where the client does not accept the server."""
    context = ssl.create_default_context(cadata=trusted.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    identity = ServerIdentity(certificate=leaf.certificate, key=leaf.key)
    server = server_context(identity).wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_names_are_the_services() -> None:
    """A serving certificate is for the Service, first by the name by which the API server calls it."""
    assert NAMES == (
        "interlock-guard.interlock-system.svc",
        "interlock-guard.interlock-system.svc.cluster.local",
        "interlock-guard.interlock-system",
    )


@pytest.mark.parametrize("name", NAMES)
def test_served_certificate_is_accepted(name: str) -> None:
    """A client that checks strictly accepts the certificate for each name, by the authority's bundle."""
    now = datetime.now(UTC)  # noqa: TID251  OpenSSL looks at the real clock
    authorities = pki.found(now)

    _handshake(pki.issue(authorities, NAMES, now), authorities.bundle, name)


def test_foreign_authority_is_not_accepted() -> None:
    """A certificate of another authority of the same kind is refused."""
    now = datetime.now(UTC)  # noqa: TID251  OpenSSL looks at the real clock
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(pki.issue(pki.found(now), NAMES, now), pki.found(now).bundle, NAMES[0])


def test_certificates_are_what_they_should_be() -> None:
    """The authority may sign leaves and nothing else, a leaf may serve and nothing else."""
    authorities = pki.found(NOW)
    authority, leaf = authorities.signer.x509, pki.issue(authorities, NAMES, NOW).x509

    constraints = [c.extensions.get_extension_for_class(x509.BasicConstraints) for c in (authority, leaf)]
    usages = [c.extensions.get_extension_for_class(x509.KeyUsage).value for c in (authority, leaf)]
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    lives = [c.not_valid_after_utc - c.not_valid_before_utc - pki.BACKDATED for c in (authority, leaf)]
    assert [(c.critical, c.value.ca, c.value.path_length) for c in constraints] == [
        (True, True, 0),
        (True, False, None),
    ]
    assert [(u.key_cert_sign, u.digital_signature) for u in usages] == [(True, False), (False, True)]
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert lives == [pki.AUTHORITY_LIFE, pki.LEAF_LIFE]


def test_rotation_overlaps() -> None:
    """Whatever was signed in the last day is trusted at every step, and nothing signs before it has been announced."""
    authorities, now, end = pki.found(NOW), NOW, NOW + 2 * pki.AUTHORITY_LIFE
    trusted_for: dict[bytes, timedelta] = {}
    leaves: list[tuple[datetime, Pair]] = []
    signers = {authorities.signer.certificate}
    step = timedelta(minutes=30)
    coarse = timedelta(days=20)
    while now < end:
        before = authorities
        authorities = pki.advance(authorities, now)
        if authorities.signer != before.signer:
            assert trusted_for[authorities.signer.certificate] >= pki.ANNOUNCED
            signers.add(authorities.signer.certificate)
        leaves = [(made, leaf) for made, leaf in leaves if now - made < DAY]
        leaves.append((now, pki.issue(authorities, NAMES[:1], now)))
        for _, leaf in leaves:
            assert _trusts(authorities, leaf)
        pause = step if authorities.next or authorities.previous or authorities != before else coarse
        for certificate in _certificates(authorities):
            trusted_for[certificate] = trusted_for.get(certificate, timedelta(0)) + pause
        now += pause

    assert len(signers) == 3
    assert authorities.signer.x509.not_valid_after_utc > end
    assert len(authorities.bundle) < 3 * len(authorities.signer.certificate)


def _certificates(authorities: Authorities) -> list[bytes]:
    return [
        part + b"-----END CERTIFICATE-----\n" for part in authorities.bundle.split(b"-----END CERTIFICATE-----\n")[:-1]
    ]


def _trusts(authorities: Authorities, leaf: Pair) -> bool:
    issuers = [x509.load_pem_x509_certificate(certificate).subject for certificate in _certificates(authorities)]
    return leaf.x509.issuer in issuers


def test_rotation_survives_a_long_absence() -> None:
    """A controller that was away through every date takes one step at a time, each after its announcement."""
    authorities = pki.found(NOW)
    late = NOW + pki.AUTHORITY_LIFE * 0.9
    announced = pki.advance(authorities, late)
    promoted = pki.advance(announced, late + pki.ANNOUNCED)

    assert (announced.signer, announced.next is None) == (authorities.signer, False)
    assert pki.advance(announced, late + pki.ANNOUNCED / 2) == announced
    assert (promoted.signer, promoted.previous) == (announced.next, authorities.signer.certificate)


@pytest.mark.parametrize(
    ("age", "names", "same_authority", "stays"),
    [
        pytest.param(0, NAMES, True, True, id="a fresh certificate stays"),
        pytest.param(0.6, NAMES, True, True, id="before two thirds of its life it is not hurried"),
        pytest.param(0.7, NAMES, True, False, id="in its last third it goes"),
        pytest.param(0, NAMES[:1], True, False, id="for other names it goes"),
        pytest.param(0, NAMES, False, False, id="under another authority it goes"),
    ],
)
def test_when_a_certificate_is_replaced(
    age: float, names: tuple[str, ...], *, same_authority: bool, stays: bool
) -> None:
    """A serving certificate is replaced when it is due, wrong, or not the present signer's."""
    signed_by = pki.found(NOW)
    authorities = signed_by if same_authority else pki.found(NOW)
    leaf = pki.issue(signed_by, NAMES, NOW)

    assert pki.serves(leaf, authorities, names, NOW + pki.LEAF_LIFE * age) is stays


def test_what_is_no_certificate_is_replaced() -> None:
    """Nonsense in place of a certificate does not stay."""
    assert not pki.serves(Pair(certificate=b"nonsense", key=b""), pki.found(NOW), NAMES, NOW)


def test_a_key_of_another_kind_is_named() -> None:
    """A stored authority with an unusable key is refused, saying what was expected."""
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = Pair(certificate=pki.found(NOW).signer.certificate, key=pem)
    with pytest.raises(BadInput, match=r"ca\.key: got RSAPrivateKey, expected an ECDSA key"):
        pki.check(Authorities(signer=signer))
