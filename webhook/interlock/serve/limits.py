"""How much one peer, and all of them together, may make us hold, and for how long.

The defaults are those of the admission edge. They are values, not constants of the modules that obey them, so that a
test can show each limit at work without sending gigabytes or waiting for minutes.
"""

from dataclasses import dataclass

from interlock.core.review.request import MAX_REVIEW_BYTES

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one listener.

    Attributes:
        head_bytes: request line, headers and trailers of one request. The API server sends under 1 KiB.
        body_bytes: one body. An UPDATE carries two objects of up to 3 MiB each, escaped as JSON.
        framing_bytes: what chunk sizes and extensions may add to a body; a peer of ours needs a few hundred bytes.
        in_flight_bytes: all bodies received and not yet answered. Four of the largest, or thousands of usual ones.
        connections: open connections. An API server keeps at most 25 idle ones to a host; probes from everywhere else.
        pipelined: requests of one connection waiting for an answer; Go clients send one and wait.
        idle_seconds: between requests. Go's transport keeps a connection for 90 s: who closes first must be the client,
            or its next review meets a closed connection and fails.
        request_seconds: from a request's first byte to its last, whatever trickles in between.
        linger_seconds: after a refusal, for the peer to read it: closing over unread bytes would destroy it underway.
        write_seconds: for the peer to take an answer.
        handshake_seconds: for TLS; the API server allows itself 10 s.
        sweep_seconds: how often deadlines are looked at; they are met within this.
    """

    head_bytes: int = 64 * KIB
    body_bytes: int = MAX_REVIEW_BYTES
    framing_bytes: int = 1 * MIB
    in_flight_bytes: int = 64 * MIB
    connections: int = 4096
    pipelined: int = 16
    idle_seconds: float = 130.0
    request_seconds: float = 20.0
    linger_seconds: float = 1.0
    write_seconds: float = 10.0
    handshake_seconds: float = 10.0
    sweep_seconds: float = 1.0


ADMISSION = Limits()

HEALTH = Limits(
    body_bytes=0,  # probes and scrapes send none
    in_flight_bytes=0,
    connections=256,  # a few probes and scrapers; never at the cost of reviews
)


RECORDS = Limits(
    body_bytes=4 * MIB,  # none is read; what is sent along, as with a DELETE, is skipped
    in_flight_bytes=16 * MIB,
    connections=2048,  # one for each watch, and what the aggregators keep open
    write_seconds=30.0,  # a reader behind a slow network; nothing is made ahead of it meanwhile
)


class Budget:
    """Bytes that all connections of a listener hold together."""

    def __init__(self, total: int) -> None:
        self._total = total
        self.taken = 0

    def take(self, size: int) -> bool:
        """Take `size` bytes, or none and say False."""
        if self.taken + size > self._total:
            return False
        self.taken += size
        return True

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self.taken -= size
