"""One action on a real API server, and which of the reviews that it makes are kept.

The user is the cluster's administrator (group system:masters) unless a command impersonates somebody. Where an action
makes several reviews, those that differ in shape are kept, in the order in which they arrive.
"""

from dataclasses import dataclass

from interlock.core.types import JsonObject

Command = tuple[str, ...]
"""Arguments of kubectl."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One review to keep: the first that fits and is not kept yet.

    Attributes:
        vector: its name.
        what: operation and resource, for example ``UPDATE deployments/scale``.
        user: a part of the user's name; empty for anybody.
        of: name of the object; empty for any.
    """

    vector: str
    what: str
    user: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One action.

    Attributes:
        setup: what comes first, in order: objects are applied, commands are run.
        act: the command that is recorded.
        stdin: the object that it reads.
        may_fail: it may end with an error: the review is sent before the API server finds that out.
        kept: the reviews to keep, in the order in which they arrive.
    """

    setup: tuple[JsonObject | Command, ...] = ()
    act: Command
    stdin: JsonObject | None = None
    may_fail: bool = False
    kept: tuple[Wanted, ...]


def once(
    vector: str, what: str, act: Command, *setup: JsonObject | Command, stdin: JsonObject | None = None
) -> Scenario:
    """An action of which one review is kept."""
    return Scenario(setup=setup, act=act, stdin=stdin, kept=(Wanted(vector, what),))
