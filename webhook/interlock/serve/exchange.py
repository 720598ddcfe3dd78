"""One request on its way to its answer, and what a connection may wait for meanwhile, and how long."""

from enum import Enum

from interlock.serve.limits import Limits
from interlock.serve.messages import Answer, Head

NEVER = float("inf")


class Waiting(Enum):
    """What a connection waits for; each has its own deadline, counted from when it began."""

    REQUEST = "the first byte of a request"
    REST = "the rest of a request"
    OURSELVES = "the application"
    READER = "the peer to take an answer"
    GOODBYE = "the peer to read why it was refused"


def patience(waiting: Waiting, limits: Limits) -> float:
    """Seconds that a connection may wait for this."""
    return {
        Waiting.REQUEST: limits.idle_seconds,
        Waiting.REST: limits.request_seconds,
        Waiting.OURSELVES: NEVER,
        Waiting.READER: limits.write_seconds,
        Waiting.GOODBYE: limits.linger_seconds,
    }[waiting]


class Exchange:
    """One request on its way to its answer."""

    __slots__ = ("answer", "body", "complete", "continue_due", "head", "held")

    def __init__(self, head: Head | None, answer: Answer | None) -> None:
        self.head = head
        self.answer = answer
        self.body: list[bytes] = []
        self.held = 0
        self.complete = answer is not None and answer.close  # else its body is still to come
        self.continue_due = head is not None and head.expects_continue and answer is None

    def refuse(self, answer: Answer) -> None:
        """Answer now, whatever of the request is missing."""
        self.answer = answer
        self.complete = True

    def take_body(self) -> bytes:
        """The whole body, which is kept here no longer."""
        pieces, self.body = self.body, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
