"""The plain finding that every request has: its operation on its object, for policies that speak of `operations`.

It is graded Low and reaches its object's namespace, a Namespace itself, and for any other cluster-scoped object none;
a policy without `match.namespaces` selects it whatever the reach.
"""

from interlock.core import text
from interlock.core.catalogue import target
from interlock.core.types import PLAIN_FAMILY, Finding, Reach, Request, Severity


def finding(request: Request) -> Finding:
    """The plain finding, for example ``delete pods web-0 in prod-shop``."""
    action = request.operation.lower()
    return Finding(
        action=action,
        family=PLAIN_FAMILY,
        severity=Severity.LOW,
        evidence=f"{action} {text.printable(request.resource_path)} {target.named(request)}",
        reach=Reach.of(request.namespace) if request.namespace else Reach.nowhere(),
    )
