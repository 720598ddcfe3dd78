"""A system identity: by which user names the API server knows it, and what it ordinarily does."""

from dataclasses import dataclass

from interlock.core.systems.work import CREATE, UPDATE, Work
from interlock.core.types import Request, User


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemIdentity:
    """One part of Kubernetes itself.

    Attributes:
        name: short and unique, for tables.
        title: what it is, for people.
        users: exact user names. Group membership never makes a system identity; system:masters does not either.
        prefix: user names that begin so count as well, but only together with `group`; empty if there are none.
        group: see `prefix`.
        work: what it ordinarily does.
        stands_in_for: identities whose work is its own as well.
    """

    name: str
    title: str
    users: tuple[str, ...] = ()
    prefix: str = ""
    group: str = ""
    work: tuple[Work, ...]
    stands_in_for: tuple["SystemIdentity", ...] = ()

    def is_user(self, user: User) -> bool:
        """Whether the user is this identity."""
        return user.name in self.users or (
            bool(self.prefix)
            and user.name.startswith(self.prefix)
            and len(user.name) > len(self.prefix)
            and self.group in user.groups
        )

    def ordinary_work(self, request: Request) -> str:
        """Title of the piece of ordinary work that the request is, empty if it is none."""
        own = next((work.title for work in self.work if work.is_this(request)), "")
        return own or next(filter(None, (other.ordinary_work(request) for other in self.stands_in_for)), "")


def controller(name: str, title: str, *work: Work) -> SystemIdentity:
    """A controller of kube-controller-manager, under its own ServiceAccount (`--use-service-account-credentials`)."""
    users = (f"system:serviceaccount:kube-system:{name}",)
    return SystemIdentity(name=name, title=title, users=users, work=(*work, *EVENTS))


def status(group: str, resource: str) -> Work:
    """Writing the status of a resource, whatever it says."""
    return Work(title=f"status of {resource}", operations=(UPDATE,), group=group, resources=(f"{resource}/status",))


EVENTS = tuple(
    Work(title="events", operations=(CREATE, UPDATE), group=group, resources=("events",))
    for group in ("", "events.k8s.io")
)
