"""Checkpoints: the notary's signed word on the whole log, C2SP tlog-checkpoint in a signed note.

    <origin>
    <size>
    <root, base64>

The origin names the log, `interlock.dev/<cluster>/<epoch>` in Interlock's own. Extension lines are not used, and are
refused.
"""

import base64
import re
from dataclasses import dataclass

from interlock.core.audit import dsse, signednote
from interlock.core.audit.notekey import VerifierKey
from interlock.core.audit.tree import HASH_BYTES
from interlock.errors import BadInput

EXPECTED = "three lines: origin, size, and root in base64"

_TEXT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/=]+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log.

    Attributes:
        origin: names the log.
        size: number of its leaves.
        root: of its tree, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def signed(checkpoint: Checkpoint, *, key: VerifierKey, sign: dsse.Sign) -> str:
    """Write a checkpoint as a note.

    Args:
        checkpoint: what is said.
        key: the public key that names the signer.
        sign: Ed25519 signature by the private half of `key`.
    """
    return signednote.signed(checkpoint.text, key=key, sign=sign)


def opened(note: str, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint that the holder of `key` has signed.

    Raises:
        BadInput: no checkpoint, or none that this key has signed.
    """
    return read(signednote.opened(note, key))


def read(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        BadInput: it is none.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise BadInput(field="checkpoint", got=repr(text[:80]), expected=EXPECTED)
    return Checkpoint(origin=found["origin"], size=int(found["size"]), root=_root(found["root"]))


def _root(text: str) -> bytes:
    root = dsse.decoded(text, field="checkpoint.root")
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != text:
        raise BadInput(field="checkpoint.root", got=text[:80], expected=f"{HASH_BYTES} bytes in base64, spelled once")
    return root
