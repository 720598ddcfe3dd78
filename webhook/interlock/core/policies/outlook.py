"""What somebody asks who looks at a policy's windows: open or closed at an instant, why, and what comes next."""

from dataclasses import dataclass
from datetime import datetime

from interlock.core.policies.policy import Policy
from interlock.core.policies.windows import Windows
from interlock.core.types import Verdict, WindowState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A policy at an instant.

    Attributes:
        at: the instant, aware.
        state: of its windows; None without windows.
        yields: what the policy says then to what it applies to.
        opening: the next instant at which it opens, after `at`; None if there is none in the look-ahead.
        closing: likewise the next at which it closes.
    """

    at: datetime
    state: WindowState | None
    yields: Verdict
    opening: datetime | None = None
    closing: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the policy's own verdict counts, rather than the one for closed windows."""
        return self.state is None or self.state.open

    @property
    def why(self) -> str:
        """What decided, in a few words."""
        if self.state is None:
            return "no windows"
        if self.state.active:
            return f"{'inside' if self.state.open else 'frozen by'} {', '.join(self.state.active)}"
        return "outside every freeze" if self.state.open else "outside every allow window"


def outlook(policy: Policy, at: datetime) -> Outlook:
    """Look at a policy, by the same function as reviews and status.

    Raises:
        ValueError: `at` is naive.
    """
    windows = policy.windows
    if windows is None:
        return Outlook(at=at, state=None, yields=policy.verdict)
    state = windows.state(at)
    after = _transition(windows, state.next_transition)
    return Outlook(
        at=at,
        state=state,
        yields=policy.verdict if state.open else windows.outside,
        opening=after if state.open else state.next_transition,
        closing=state.next_transition if state.open else after,
    )


def _transition(windows: Windows, at: datetime | None) -> datetime | None:
    return windows.state(at).next_transition if at else None
