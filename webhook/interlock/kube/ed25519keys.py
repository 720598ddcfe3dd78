"""Ed25519 private keys as Secrets and files hold them: PKCS #8 in PEM, not encrypted."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.errors import BadInput


def written(key: Ed25519PrivateKey) -> bytes:
    """Write a key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read(pem: bytes, *, field: str) -> Ed25519PrivateKey:
    """Read a key.

    Args:
        pem: as written.
        field: where it stands, for the error.

    Raises:
        BadInput: it is none.
    """
    try:
        found = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise BadInput(field=field, got=str(error)[:120], expected="an Ed25519 key in PKCS #8 PEM") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise BadInput(field=field, got=type(found).__name__, expected="an Ed25519 key")
    return found
