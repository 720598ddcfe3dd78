"""The rules of a lane, as a state machine: envelopes go in one by one, the first bad one raises.

- The commits' names and the records' sequences run from 0 without a gap.
- Every record holds the leaf hash of the one before.
- Every record is signed by the lane's key, whose name the lane bears, and no byte of its envelope is free.
- The first record is the only LaneOpen, and nothing follows a LaneClose or a LaneAbandoned.
- A LaneAbandoned is signed by the notary: with it the notary ends a lane whose guard is gone.
- A certificate, in the LaneOpen or in one later LaneCertified, is the notary's and for this lane's key. One by a key
  that was replaced some time ago does not count; nor does it harm.
- No record is older than its certificate, nor than the records before it, beyond the tolerance for clocks. Records in
  front of a later certificate are bound by the records before them only, and records that moved here from a lane given
  up by none.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from interlock.core import times
from interlock.core.audit import certificate, dsse, record
from interlock.core.audit.leaf import leaf_hash
from interlock.core.audit.notekey import VerifierKey

# What two clocks may differ, steps of one included; guards keep to a third of it (ledger.opening, ledger.lane).
CLOCK_TOLERANCE = timedelta(seconds=60)


class Bad(Exception):
    """The record at hand is not what it has to be.

    Attributes:
        expected: what an untouched lane would hold there.
        got: what it holds.
    """

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.expected = expected
        self.got = got


class Walk:
    """A lane read record by record; `take` raises at the first bad one, and the walk ends there.

    Attributes:
        lane: its name.
        first: sequence at which the walk began, 0 unless the lane's beginning is missing.
        next: sequence of the record to come.
        record_id: of the record at hand, if it could be read.
        opened: the LaneOpen; None before it.
        head: of the last good record.
        certificate: the lane's, verified; None before it.
        certified_at: sequence of the record that holds it, and `certifying` what that holds; -1 and None before it.
        through: time of the last good record.
        keys: the notary's.
        outdated: those of them whose certificates do not count any more for the records to come.
        closed: whether that ends the lane, and `abandoned` whether the notary did.
    """

    def __init__(self, lane: str, *, first: int, keys: Sequence[VerifierKey], previous: str | None = None) -> None:
        """Begin a walk.

        Args:
            lane: the name that the records have to bear.
            first: sequence of the first record that will be taken.
            keys: the notary's.
            previous: leaf hash of the record before; None where it is not known. Sequence 0 has none.
        """
        self.lane = lane
        self.first = first
        self.next = first
        self.record_id = ""
        self.opened: record.Head | None = None
        self.head: record.Head | None = None
        self.certificate: certificate.Certificate | None = None
        self.certified_at = -1
        self.certifying: Mapping[str, object] | None = None
        self.through: datetime | None = None
        self.closed = False
        self.abandoned = False
        self.keys = keys
        self.outdated: Sequence[VerifierKey] = ()
        self._previous = "" if first == 0 else previous
        self._public_key: bytes | None = None
        self._latest: datetime | None = None  # newest time so far that later records are measured by

    @property
    def leaf(self) -> str:
        """Leaf hash of the record before `next`; empty where that is not known, or `next` is 0."""
        return self._previous or ""

    def recall(self, data: bytes) -> None:
        """Learn the lane's key and certificate from a record before `first`, whose place in the lane is not looked at.

        Raises:
            Bad: it is a LaneOpen or holds a certificate, and is not this lane's.
            BadInput: it is no record, or its certificate is none of this notary's.
        """
        head = record.head(dsse.parse(data).payload)
        if head.kind == record.Kind.LANE_OPEN:
            self.opened = head
            self._public_key = self._opening_key(head)
        self._check_certificate(head)

    def rely_on(self, envelope: Mapping[str, object]) -> None:
        """Learn the same from the certificate itself.

        Raises:
            Bad: it is another lane's.
            BadInput: it is none of this notary's.
        """
        self._rely_on(certificate.check(envelope, self.keys))

    def begin(self, sequence: int) -> None:
        """Check that a commit which bears this sequence in its name comes next.

        Raises:
            Bad: another one does.
        """
        self.record_id = ""
        if sequence != self.next:
            raise Bad(expected=f"a commit that begins at sequence {self.next}", got=f"one that begins at {sequence}")

    def jump(self, sequence: int) -> None:
        """Go on at this sequence, whose predecessor is not there."""
        self.next, self._previous = sequence, "" if sequence == 0 else None

    @property
    def public_key(self) -> bytes | None:
        """The lane's raw key; None before it is known."""
        return self._public_key

    def take(self, data: bytes, *, vouched: bytes | None = None) -> None:
        """Check the next envelope and go on to the one after.

        Args:
            data: the envelope.
            vouched: key under which its signature was found good elsewhere; None for that it is to be checked here.

        Raises:
            Bad: the record breaks one of the rules.
            BadInput: it is no record at all, or its certificate is none of this notary's.
        """
        self.record_id = ""
        envelope = dsse.parse(data)
        head = record.head(envelope.payload)
        self.record_id = head.id[:80]
        self._check_place(head)
        self._check_kind(head)
        self.abandoned = head.kind == record.Kind.LANE_ABANDONED
        self._check_signature(envelope, vouched)
        self._check_certificate(head)
        self._check_time(head, times.read(head.time))
        self._previous = leaf_hash(data)
        self.closed = self.abandoned or head.kind == record.Kind.LANE_CLOSE
        self.next += 1
        self.head = head

    def _check_place(self, head: record.Head) -> None:
        if head.lane != self.lane:
            raise Bad(expected=f"lane {self.lane}", got=f"lane {head.lane[:40]}")
        if head.sequence != self.next:
            raise Bad(expected=f"sequence {self.next}", got=f"sequence {head.sequence}")
        if self._previous is not None and head.previous != self._previous:
            raise Bad(expected=f"previous leaf {self._previous or '(none)'}", got=head.previous[:80] or "(none)")

    def _check_kind(self, head: record.Head) -> None:
        opens = head.kind == record.Kind.LANE_OPEN
        if self.closed:
            raise Bad(expected="nothing after the lane's last record", got=f"a {head.kind[:40]} record")
        if opens is not (head.sequence == 0):
            raise Bad(expected="LaneOpen as the first record and nowhere else", got=f"a {head.kind[:40]} record")
        if opens:
            self.opened = head
            self._public_key = self._opening_key(head)

    def _opening_key(self, head: record.Head) -> bytes:
        try:
            public_key = base64.b64decode(head.publicKey, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Bad(expected="a public key in base64", got=str(error)) from error
        if certificate.lane_of(public_key) != self.lane:
            raise Bad(expected="the key that the lane is named after", got=f"{head.publicKey[:60]}")
        return public_key

    def _check_signature(self, envelope: dsse.Envelope, vouched: bytes | None) -> None:
        if envelope.payload_type != record.PAYLOAD_TYPE:
            raise Bad(expected=f"payload type {record.PAYLOAD_TYPE}", got=envelope.payload_type[:120])
        if self.abandoned:
            self._check_notary(envelope)
            return
        if envelope.keyid != self.lane:
            raise Bad(expected=f"key id {self.lane}", got=f"key id {envelope.keyid[:80]}")
        key = self._public_key
        if key is not None and key != vouched and not envelope.signed_by(key):
            raise Bad(expected="a signature by the lane's key", got="a signature that does not verify")

    def _check_notary(self, envelope: dsse.Envelope) -> None:
        key = next((key for key in self.keys if key.keyid == envelope.keyid), None)
        if key is None:
            expected = " or ".join(key.keyid for key in self.keys)
            raise Bad(expected=f"key id {expected}", got=f"key id {envelope.keyid[:80]}")
        if not envelope.signed_by(key.public_key):
            raise Bad(expected="a signature by the notary's key", got="a signature that does not verify")

    def _check_certificate(self, head: record.Head) -> None:
        if head.certificate is None:
            return
        if self.certificate is not None:
            raise Bad(expected="one certificate", got="a second one")
        stated = certificate.check(head.certificate, self.keys)
        if certificate.is_by(head.certificate, self.outdated):
            return  # whoever has stolen the key can write such a one: it says nothing
        self._rely_on(stated)
        self.certified_at = head.sequence
        self.certifying = head.certificate

    def _rely_on(self, stated: certificate.Certificate) -> None:
        if stated.lane != self.lane or self._public_key not in {None, stated.public_key}:
            raise Bad(expected=f"a certificate of lane {self.lane} and its key", got=f"one of lane {stated.lane}")
        self.certificate = stated
        self._public_key = stated.public_key

    def _check_time(self, head: record.Head, time: datetime) -> None:
        for bound, name in ((self._latest, "the records before it"), (self._not_before(), "its lane's certificate")):
            if bound is not None and time < bound - CLOCK_TOLERANCE:
                raise Bad(expected=f"a time not before that of {name}, {times.write(bound)}", got=head.time)
        self.through = time
        if not head.after:  # a lane that takes over begins with records that are older than itself
            self._latest = max(time, self._latest or time)

    def _not_before(self) -> datetime | None:
        return None if self.certificate is None else self.certificate.not_before
