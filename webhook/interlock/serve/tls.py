"""TLS of the admission edge: 1.2 and later, HTTP/1.1 only, client certificates asked for if we know their authority.

A certificate is asked for but not demanded (`CERT_OPTIONAL`): an API server that has none proves itself by the secret
in the path. One that cannot be verified ends the handshake.

OpenSSL, as Python wraps it, reads a key from a file only. The file here is a memfd: it has no name in any file system,
lives in memory, is closed as soon as it is read, and so needs neither a writable directory nor a promise to delete.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from interlock.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """What a TLS server shows.

    Attributes:
        certificate: PEM chain, own certificate first.
        key: PEM private key; never shown in logs.
    """

    certificate: bytes
    key: bytes = field(repr=False)


def server_context(identity: ServerIdentity, caller_authority: bytes | None = None) -> ssl.SSLContext:
    """Make the context for new connections.

    Args:
        identity: what we show.
        caller_authority: PEM of the authority that signs callers' client certificates; None asks for none.

    Raises:
        BadInput: certificate, key or authority do not load, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0  # Go's client resumes nothing unless told to; a ticket key would be one more secret
    context.set_alpn_protocols(["http/1.1"])
    _load_identity(context, identity)
    if caller_authority is not None:
        _trust_callers(context, caller_authority)
    return context


def _load_identity(context: ssl.SSLContext, identity: ServerIdentity) -> None:
    try:
        with _memory_file(identity.certificate) as certificate, _memory_file(identity.key) as key:
            context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise BadInput(field="tls.crt, tls.key", got=str(error), expected="a PEM chain and its private key") from error


def _trust_callers(context: ssl.SSLContext, authority: bytes) -> None:
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise BadInput(field="caller CA", got=str(error), expected="PEM certificates") from error
    context.verify_mode = ssl.CERT_OPTIONAL


def _no_password() -> bytes:
    """Refuse an encrypted key instead of asking at a terminal.

    Raises:
        ValueError: always.
    """
    raise ValueError("the key is encrypted")


@contextmanager
def _memory_file(content: bytes) -> Iterator[str]:
    """A path that reads as `content` while the context is open."""
    descriptor = os.memfd_create("interlock", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
