"""Signed notes, as C2SP signed-note defines them: a text, an empty line, and one line for each signature.

    <text, one or more lines>

    — <key name> <base64(key id || signature)>

What is signed is the text up to and including its last newline. Signatures of unknown keys say nothing and do no harm,
so that witnesses can add theirs.
"""

import base64
import binascii
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from interlock.core.audit import dsse
from interlock.core.audit.notekey import KEY_ID_BYTES, VerifierKey
from interlock.errors import BadInput

MAX_NOTE_BYTES = 16 * 1024
"""A short text, and room for a hundred signatures."""

MARK = "\u2014 "  # an em dash and a space, before each signature

EXPECTED = "a signed note: a text, an empty line, and signatures"


def signed(text: str, *, key: VerifierKey, sign: dsse.Sign) -> str:
    """Sign a text.

    Args:
        text: one or more lines, the last one ended, none of them empty.
        key: the public key that names the signer.
        sign: Ed25519 signature by the private half of `key`.

    Raises:
        ValueError: the text is none that can be told from its signatures.
    """
    if not text.endswith("\n") or "\n\n" in text or text.startswith("\n"):
        raise ValueError("the text of a signed note is whole lines, none of them empty")
    return f"{text}\n{line(text, key=key, sign=sign)}"


def line(text: str, *, key: VerifierKey, sign: dsse.Sign) -> str:
    """One more signature, to be put at the end of a note.

    Args:
        text: of the note.
        key: the public key that names the signer.
        sign: Ed25519 signature by the private half of `key`.
    """
    signature = bytes.fromhex(key.key_id) + sign(text.encode())
    return f"{MARK}{key.name} {base64.b64encode(signature).decode()}\n"


def opened(note: str, key: VerifierKey) -> str:
    """The text of a note that the holder of `key` has signed.

    Raises:
        BadInput: no signed note, or none that this key has signed.
    """
    text, found = signatures(note, key)
    if not any(verifies(each, text.encode(), key) for each in found):
        raise BadInput(field="signature", got="none that verifies", expected=f"one of {key.keyid}")
    return text


def signatures(note: str, key: VerifierKey) -> tuple[str, list[bytes]]:
    """The text of a note, and what its lines that name a key hold beside the key's id, verified by nobody.

    Raises:
        BadInput: no signed note.
    """
    text, lines = _parts(note)
    return text, [blob for line in lines for blob in _named(line, key)]


def verifies(signature: bytes, message: bytes, key: VerifierKey) -> bool:
    """Whether this is the key's Ed25519 signature over a message."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve
        return False
    return True


def text_of(note: str) -> str:
    """The text of a note, whoever has signed it: for display.

    Raises:
        BadInput: no signed note.
    """
    return _parts(note)[0]


def _parts(note: str) -> tuple[str, list[str]]:
    """The signed text, and the lines of signatures; the text may hold empty lines, the signatures none."""
    size = len(note.encode())
    if size > MAX_NOTE_BYTES:
        raise BadInput(field="note", got=f"{size} bytes", expected=f"at most {MAX_NOTE_BYTES}")
    text, divided, rest = note.rpartition("\n\n")
    lines = rest.splitlines()
    if not divided or not rest.endswith("\n") or not lines or not all(line.startswith(MARK) for line in lines):
        raise BadInput(field="note", got=repr(note[:80]), expected=EXPECTED)
    return f"{text}\n", lines


def _named(line: str, key: VerifierKey) -> Iterator[bytes]:
    name, _, encoded = line.removeprefix(MARK).partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return
    spelled_once = base64.b64encode(blob).decode() == encoded  # the last letter may have bits that say nothing
    if name == key.name and blob[:KEY_ID_BYTES].hex() == key.key_id and spelled_once:
        yield blob[KEY_ID_BYTES:]
