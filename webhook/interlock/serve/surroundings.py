"""What recording needs of the process around it."""

from collections.abc import Callable
from dataclasses import dataclass

from interlock.core.audit.record import Engine

MILLIS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a reviewer needs of the process around it.

    Attributes:
        cluster: uid of namespace kube-system; which cluster a record speaks of.
        version: of Interlock.
        digest: keyed digest of what may be secret, hex.
        snapshot_age_seconds: since the newest snapshot was last known to be complete.
    """

    cluster: str
    version: str
    digest: Callable[[bytes], str]
    snapshot_age_seconds: Callable[[], float]

    def engine(self, generation: int) -> Engine:
        """What a record says of who decided, with the policy generation that it saw."""
        age = int(self.snapshot_age_seconds() * MILLIS)
        return Engine(version=self.version, snapshot_generation=generation, snapshot_age_millis=age)
