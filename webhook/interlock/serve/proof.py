"""How sure we are that a review comes from an API server: by its client certificate, by the secret in its path, or not.

Path secrets are compared in constant time, every known one every time, so that neither the time nor the number of
comparisons tells anything about them. While they rotate, several are valid.
"""

import hmac
import re

from interlock.core.types import CallerProof
from interlock.errors import BadInput
from interlock.serve.messages import Peer

SECRET = re.compile(r"[0-9a-f]{64}")  # 256 bits
MOST_SECRETS = 8  # a rotation overlaps two; more would be somebody filling the Secret


class PathSecrets:
    """The secrets that prove a caller now; none at first."""

    def __init__(self) -> None:
        self._secrets: tuple[bytes, ...] = ()

    def replace(self, text: bytes) -> None:
        """Take the secrets from the Secret's value: one a line, newest first.

        Raises:
            BadInput: not one to `MOST_SECRETS` lines of 64 hex digits; the secrets known before stay.
        """
        lines = text.decode("ascii", errors="replace").split()
        if not 0 < len(lines) <= MOST_SECRETS or not all(SECRET.fullmatch(line) for line in lines):
            raise BadInput(
                field="path-secrets",
                got=f"{len(lines)} lines, not all of them secrets",  # the text itself may be one, mistyped
                expected=f"1 to {MOST_SECRETS} lines of 64 hex digits",
            )
        self._secrets = tuple(line.encode() for line in lines)

    def prove(self, secret: str, peer: Peer) -> CallerProof:
        """What the caller has shown."""
        given = secret.encode("latin-1")
        known = [hmac.compare_digest(given, secret) for secret in self._secrets]
        if peer is Peer.CERTIFIED:
            return CallerProof.CERTIFICATE
        return CallerProof.PATH if any(known) else CallerProof.NONE
