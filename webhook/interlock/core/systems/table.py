"""The closed, printed list of system identities, and who is one.

Exact user names, never prefixes, but for kubelets. Members of system:masters are people or break-glass credentials, not
Kubernetes itself: no identity here.
"""

from interlock.core.systems import components, infrastructure, workloads
from interlock.core.systems.identity import SystemIdentity
from interlock.core.types import Request, User

_CONTROLLERS = (*workloads.CONTROLLERS, *infrastructure.CONTROLLERS)

IDENTITIES: tuple[SystemIdentity, ...] = (
    components.KUBELET,
    components.SCHEDULER,
    components.API_SERVER,
    components.controller_manager(_CONTROLLERS),
    *_CONTROLLERS,
)

_BY_USER = {user: identity for identity in IDENTITIES for user in identity.users}
_BY_PREFIX = tuple(identity for identity in IDENTITIES if identity.prefix)


def identity_of(user: User) -> SystemIdentity | None:
    """The system identity that a user is, None for everybody else."""
    exact = _BY_USER.get(user.name)
    return exact or next((identity for identity in _BY_PREFIX if identity.is_user(user)), None)


def ordinary_work(request: Request) -> str:
    """Why a request is the ordinary work of the system identity that sends it, for example.

    ``ReplicaSet controller: pods of its ReplicaSets``; empty if it is not, or the user is no system identity.
    """
    identity = identity_of(request.user)
    work = identity.ordinary_work(request) if identity else ""
    return f"{identity.title}: {work}" if identity and work else ""
