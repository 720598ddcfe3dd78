"""Path secrets: which are taken, and that a bad Secret changes nothing."""

import pytest

from interlock.core.types import CallerProof
from interlock.errors import BadInput
from interlock.serve.messages import Peer
from interlock.serve.proof import PathSecrets

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


def test_rotation() -> None:
    """While secrets rotate the newest and the one before it prove; then the older one proves nothing any more."""
    secrets = PathSecrets()
    before = secrets.prove(ONE, Peer.UNKNOWN)
    secrets.replace(f"{TWO}\n{ONE}".encode())
    during = [secrets.prove(secret, Peer.UNKNOWN) for secret in (ONE, TWO, THREE)]
    secrets.replace(f"{THREE}\n{TWO}\n".encode())
    after = [secrets.prove(secret, Peer.UNKNOWN) for secret in (ONE, TWO, THREE)]

    assert before is CallerProof.NONE
    assert during == [CallerProof.PATH, CallerProof.PATH, CallerProof.NONE]
    assert after == [CallerProof.NONE, CallerProof.PATH, CallerProof.PATH]


BAD = {
    "nothing": b"",
    "too short": b"1" * 63,
    "no hex": b"g" * 64,
    "upper case": b"A" * 64,
    "one bad line": f"{ONE}\nx".encode(),
    "too many": "\n".join([ONE] * 9).encode(),
    "bytes": b"\xff" * 64,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_bad_secrets_are_refused_and_the_known_ones_stay(text: bytes) -> None:
    """What are no secrets is refused without being repeated, and the secrets known before go on to prove."""
    secrets = PathSecrets()
    secrets.replace(ONE.encode())

    with pytest.raises(BadInput) as caught:
        secrets.replace(text)
    assert ONE not in str(caught.value)
    assert secrets.prove(ONE, Peer.UNKNOWN) is CallerProof.PATH


@pytest.mark.parametrize("given", ["", "é" * 64, ONE[:-1], ONE + "1", ONE.upper()])
def test_nothing_else_proves(given: str) -> None:
    """Only the very secret proves, whatever characters the path holds."""
    secrets = PathSecrets()
    secrets.replace(ONE.replace("1", "a").encode())

    assert secrets.prove(given, Peer.UNKNOWN) is CallerProof.NONE
    assert secrets.prove(given, Peer.CERTIFIED) is CallerProof.CERTIFICATE
