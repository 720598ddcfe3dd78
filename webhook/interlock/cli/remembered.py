"""The checkpoint that a verifier saw last, so that a log that was cut off or written anew behind it is found out.

    {"store": "s3://…", "origin": "…", "number": 4711, "size": 123456, "root": "hex"}

One file for each notary key, in the user's state directory unless another place is named. Keep it where whoever could
change the store cannot.
"""

import os
from pathlib import Path

import msgspec

from interlock.core.audit.checkpoint import Checkpoint
from interlock.core.audit.keyring import Trust
from interlock.core.audit.logreport import LogReport
from interlock.errors import BadInput
from interlock.ledger.sightings import Sighting

EVIDENCE = "the checkpoint that this verifier remembers"


class Remembered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checkpoint that was verified."""

    store: str
    origin: str
    number: int
    size: int
    root: str


def place(trust: Trust) -> Path:
    """The file for a key (of several the first), unless the user names another one."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "interlock" / "verified" / f"{trust.pinned[0].public_key.hex()[:32]}.json"


def read(path: Path) -> list[Sighting]:
    """What is remembered, if anything is.

    Raises:
        BadInput: the file holds something else.
        OSError: it cannot be read.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Remembered)
        seen = Checkpoint(origin=found.origin, size=found.size, root=bytes.fromhex(found.root))
        return [Sighting(checkpoint=seen, evidence=EVIDENCE)]
    except FileNotFoundError:
        return []
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(field=str(path), got=str(error)[:120], expected="a checkpoint that was verified") from error


def write(path: Path, report: LogReport) -> None:
    """Remember the last checkpoint of a log.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = Remembered(store=report.store, origin=report.origin, number=report.last, size=report.size, root=report.root)
    scratch = path.with_suffix(".tmp")
    scratch.write_bytes(msgspec.json.encode(seen) + b"\n")
    scratch.replace(path)
