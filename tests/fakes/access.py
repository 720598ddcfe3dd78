"""Authorisation in memory: rules of who may do what, or nobody who knows."""

from interlock.core.ports import Access
from interlock.core.types import User
from interlock.errors import Unavailable


class FakeAccess:
    """Implements `core.ports.AccessReviewer`.

    Attributes:
        rules: user, verb, resource (with its subresource) and namespace (`*` for all) of what is allowed.
        away: while set, nobody answers.
        asked: every question.
    """

    def __init__(self, *rules: tuple[str, str, str, str]) -> None:
        self.rules = set(rules)
        self.away = False
        self.asked: list[tuple[str, Access]] = []

    async def allows(self, user: User, access: Access) -> bool:
        """Answer by the rules."""
        self.asked.append((user.name, access))
        if self.away:
            raise Unavailable("no API server answers")
        resource = "/".join(part for part in (access.resource, access.subresource) if part)
        return any(
            (who, verb, what) == (user.name, access.verb, resource) and where in {"*", access.namespace}
            for who, verb, what, where in self.rules
        )
