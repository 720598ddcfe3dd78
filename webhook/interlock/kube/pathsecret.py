"""The secret in the webhook's path, by which a guard knows that its caller has read the webhook configuration.

Guards accept every secret of the list, newest first. A new one stands in the list for a while before it is used, and
the one before it stays until the next rotation: at no instant does a caller use one that a guard does not know.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

SECRET_BYTES = 32

LIFE = timedelta(days=30)
"""After this a new secret is made: who once read the configuration does not know it for ever."""

SETTLES = timedelta(minutes=1)
"""A new secret is used so long after guards could read it; they watch the Secret, this is for slow ones."""

KEPT = 2
"""The newest and the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSecrets:
    """Secrets, newest first, and since when the newest exists."""

    values: tuple[str, ...] = field(repr=False)
    since: datetime

    @classmethod
    def new(cls, now: datetime) -> Self:
        """Make the first."""
        return cls(values=(secrets.token_hex(SECRET_BYTES),), since=now)

    def advanced(self, now: datetime) -> "PathSecrets":
        """Put a new one in front if the newest is old; else the same value."""
        if now < self.since + LIFE:
            return self
        return PathSecrets(values=(*PathSecrets.new(now).values, *self.values)[:KEPT], since=now)

    def current(self, now: datetime) -> str:
        """The one to be used: the newest as soon as guards know it."""
        settled = len(self.values) == 1 or now >= self.since + SETTLES
        return self.values[0 if settled else 1]

    def encode(self) -> bytes:
        """As it stands in the Secret."""
        return "\n".join(self.values).encode()
