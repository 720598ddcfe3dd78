"""Interlock's errors, one tree, so that a caller can tell whose fault something is.

    InterlockError                 root; `diagnostics()` says what to do next
    ├── BadInput                   what came from outside is not acceptable; names field, got, expected
    │   ├── BadReview              bytes that are no AdmissionReview that we can decide
    │   └── BadPolicy              a DangerPolicy that does not compile; carries every violation
    ├── LedgerError                the audit path
    │   ├── SinkFault              a record could not be made durable in time, or at all
    │   ├── NameTaken              a CREATE met an object of the same name (somebody else wrote it)
    │   └── Fork                   the store holds other bytes than ours under our next name
    ├── ClusterError               the Kubernetes API answered otherwise than needed
    │   ├── Unavailable            no answer, or one that says try again
    │   ├── Conflict               a precondition did not hold
    │   ├── Forbidden              our account may not do this
    │   ├── NotFound               no such object
    │   └── HistoryRewound         the cluster went back to an older state (etcd restored)
    └── UsageError                 a command was called with arguments that make no sense

Misuse by our own code is a plain ValueError or TypeError and is never caught: a caller's bug is not hostile input.
"""

from collections.abc import Mapping


class InterlockError(Exception):
    """Root of the tree."""

    def diagnostics(self) -> str:
        """One or two sentences for a person: what happened and what to do next."""
        return str(self)


class BadInput(InterlockError):
    """Input from outside that is refused.

    Attributes:
        field: path of the offending part, for example ``request.operation``; empty for the whole.
        got: what was there, shortened.
        expected: what would have been accepted.
    """

    def __init__(self, *, field: str, got: str, expected: str) -> None:
        super().__init__(f"{field or 'input'}: got {got}, expected {expected}")
        self.field = field
        self.got = got
        self.expected = expected


class BadReview(BadInput):
    """Bytes that are no AdmissionReview that can be decided.

    Attributes:
        uid: the request's uid if it could be found in the bytes, so that a well-formed refusal can be sent; else empty.
    """

    def __init__(self, *, field: str, got: str, expected: str, uid: str = "") -> None:
        super().__init__(field=field, got=got, expected=expected)
        self.uid = uid


class BadPolicy(BadInput):
    """A DangerPolicy that does not compile.

    Attributes:
        violations: every violation found, in document order; the first one fills field, got and expected.
    """

    def __init__(self, violations: tuple[BadInput, ...]) -> None:
        first = violations[0]
        super().__init__(field=first.field, got=first.got, expected=first.expected)
        self.violations = violations

    def diagnostics(self) -> str:
        """All violations, one a line."""
        return "\n".join(str(violation) for violation in self.violations)


class LedgerError(InterlockError):
    """The audit path."""


class SinkFault(LedgerError):
    """A record could not be made durable in time, or at all; it may still appear later."""


class NameTaken(LedgerError):
    """A CREATE met an object of the same name."""


class Fork(LedgerError):
    """The store holds other bytes than ours under the name that was ours; the lane must stop."""


class ClusterError(InterlockError):
    """The Kubernetes API answered otherwise than needed."""


class Unavailable(ClusterError):
    """No answer in time, a broken connection, or an answer that says try again; the effect is unknown."""


class Conflict(ClusterError):
    """A precondition (resourceVersion, uid, field ownership) did not hold."""


class Forbidden(ClusterError):
    """Our account may not do this, or admission refused it.

    Attributes:
        causes: what the refusal says to programs, message by reason (`status.details.causes`).
    """

    def __init__(self, message: str, *, causes: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.causes: Mapping[str, str] = causes or {}


class NotFound(ClusterError):
    """No such object."""


class HistoryRewound(ClusterError):
    """The cluster went back to an older state (etcd restored): nothing known of it can be trusted, begin anew."""


class UsageError(InterlockError):
    """A command was called with arguments that make no sense together."""
