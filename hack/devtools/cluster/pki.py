"""Keys and certificates of one local cluster: three authorities, and a leaf for everybody who must prove who he is.

    cluster       the API server's and kwok's serving certificates, all clients of the API server
    front-proxy   the API server as a client of aggregated API servers
    admission     the API server as a client of admission webhooks; the guard is told this authority (guard.callerCA)

ECDSA P-256 throughout: quick to make, accepted by every part. Certificates are valid for a year, longer than any such
cluster; none is ever renewed. Private keys exist only in the cluster's directory, readable by its owner.
"""

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = datetime.timedelta(days=365)
CLOCK_SKEW = datetime.timedelta(minutes=5)  # between this process's clock and that of whoever checks
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key, in PEM.

    Attributes:
        certificate: the certificate's file.
        key: the key's file.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority that writes what it issues into one directory.

    Attributes:
        name: its file names start with this; also the common name.
        directory: where certificates and keys go.
        key: its private key.
        certificate: its own certificate.
    """

    name: str
    directory: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def files(self) -> Pair:
        """Its own certificate and key."""
        return _pair(self.directory, f"{self.name}-ca")

    def client(self, file: str, user: str, *groups: str) -> Pair:
        """Issue a client certificate.

        Args:
            file: the file names' stem.
            user: common name, which Kubernetes takes for the user name.
            groups: organisations, which Kubernetes takes for groups.
        """
        subject = _name(user, *groups)
        return self._issue(file, subject, ExtendedKeyUsageOID.CLIENT_AUTH, alternative_names=[])

    def server(self, file: str, *hosts: str) -> Pair:
        """Issue a serving certificate for names and addresses."""
        return self._issue(
            file, _name(hosts[0]), ExtendedKeyUsageOID.SERVER_AUTH, alternative_names=[_host(each) for each in hosts]
        )

    def _issue(
        self,
        file: str,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        *,
        alternative_names: list[x509.GeneralName],
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if alternative_names:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
        return _write(self.directory, file, key, builder.sign(self.key, hashes.SHA256()))


def authority(directory: Path, name: str) -> Authority:
    """Make a certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name}-ca")
    builder = (
        _builder(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)  # Python 3.13 refuses authorities that do not say so
    )
    certificate = builder.sign(key, hashes.SHA256())
    _write(directory, f"{name}-ca", key, certificate)
    return Authority(name=name, directory=directory, key=key, certificate=certificate)


def signing_key(directory: Path, name: str) -> tuple[Path, Path]:
    """Make a bare key pair, for ServiceAccount tokens.

    Returns:
        The files of the private and of the public key.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = directory / f"{name}.key", directory / f"{name}.pub"
    _secret(private, _private_bytes(key))
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(encoding, form))
    return private, public


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common_name: str, *organisations: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organisations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(directory: Path, file: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Pair:
    pair = _pair(directory, file)
    _secret(pair.key, _private_bytes(key))
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return pair


def _pair(directory: Path, file: str) -> Pair:
    return Pair(certificate=directory / f"{file}.crt", key=directory / f"{file}.key")


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    # SEC 1 rather than PKCS 8: the form that every Kubernetes component reads for ServiceAccount keys too.
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _secret(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
