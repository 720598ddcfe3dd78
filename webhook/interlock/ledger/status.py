"""How a guard's ledger stands, for probes, metrics and the guard's Lease."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """What a guard tells about its ledger.

    Attributes:
        lane: name of the lane being written.
        accepting: whether `append` takes records (bounds aside): after `start`, before `close`, unless the ledger
            broke.
        certified: whether the lane's certificate is in the lane.
        pending_records: records that have a place and are not known to be stored.
        pending_bytes: the same in bytes.
        stored_records: records stored by this process, those of the lanes about themselves included.
        commits: commits stored by this process.
        forks: lanes given up because somebody else wrote under their next name.
        fault: why the newest attempt to store failed; empty after one succeeded.
        certificate_fault: why there is no certificate yet; empty if there is one.
    """

    lane: str
    accepting: bool
    certified: bool
    pending_records: int
    pending_bytes: int
    stored_records: int
    commits: int
    forks: int
    fault: str
    certificate_fault: str
