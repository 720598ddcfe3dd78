"""Signed notes and checkpoints: a published note, one's own, and every way in which a note is not signed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.audit import checkpoint, signednote
from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.notekey import VerifierKey
from interlock.errors import BadInput

# The example of golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
NEUMANN = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
SAYING = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
PUBLISHED = f"{SAYING}\n\u2014 PeterNeumann {SIGNATURE}\n"

SEED = Ed25519PrivateKey.from_private_bytes(b"n" * 32)
KEY = VerifierKey(name="interlock.dev/cluster", public_key=SEED.public_key().public_bytes_raw())
SAID = Checkpoint(origin="interlock.dev/cluster/2026-11", size=4711, root=b"r" * 32)
NOTE = checkpoint.signed(SAID, key=KEY, sign=SEED.sign)


def test_published_note() -> None:
    """A note that others have signed is read as they mean it."""
    assert signednote.opened(PUBLISHED, NEUMANN) == SAYING


def test_our_own() -> None:
    """A checkpoint reads back, in exactly three lines and a signature."""
    assert checkpoint.opened(NOTE, KEY) == SAID
    assert NOTE.splitlines()[:4] == [
        "interlock.dev/cluster/2026-11",
        "4711",
        "cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=",
        "",
    ]


def test_witnesses_may_sign_too() -> None:
    """Signatures of others, before or after, known or not, do no harm."""
    text, ours = NOTE.split("\n\n")
    others = PUBLISHED.split("\n\n")[1]

    assert checkpoint.opened(f"{text}\n\n{others}{ours}{others}", KEY) == SAID


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_byte_is_free(at: int, change: int) -> None:
    """A note with any byte changed is not ours."""
    data = bytearray(NOTE.encode())
    data[at] ^= change
    note = bytes(data).decode(errors="replace")

    with pytest.raises(BadInput):
        checkpoint.opened(note, KEY)


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("", id="nothing"),
        pytest.param(NOTE.partition("\n\n")[0] + "\n\n", id="without a signature"),
        pytest.param(NOTE[:-1], id="with its end cut off"),
        pytest.param(NOTE + "more\n", id="with something after it"),
        pytest.param(NOTE + NOTE, id="twice"),
        pytest.param("x" * 20_000, id="too long"),
        pytest.param(PUBLISHED, id="by somebody else"),
    ],
)
def test_refused(note: str) -> None:
    """What is no note of ours is bad input, whatever it is."""
    with pytest.raises(BadInput):
        checkpoint.opened(note, KEY)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("o\n1\n", id="two lines"),
        pytest.param("o\n01\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n", id="a size with a zero before it"),
        pytest.param("o\n-1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n", id="a size below nothing"),
        pytest.param("o\n1\ncnJy\n", id="a short root"),
        pytest.param("o\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnJ=\n", id="a root spelled in another way"),
        pytest.param("o\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\nmore\n", id="an extension"),
    ],
)
def test_no_checkpoint(text: str) -> None:
    """A note that is signed and is no checkpoint is refused by what is wrong with it."""
    with pytest.raises(BadInput):
        checkpoint.opened(signednote.signed(text, key=KEY, sign=SEED.sign), KEY)


@pytest.mark.parametrize("text", ["", "no end", "a\n\nb\n", "\nb\n"])
def test_no_text_for_a_note(text: str) -> None:
    """What could not be told from its signatures is not signed."""
    with pytest.raises(ValueError, match="whole lines"):
        signednote.signed(text, key=KEY, sign=SEED.sign)
