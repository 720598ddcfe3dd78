"""Cases of the catalogue by what they show, one module per family or part: what must be found, near misses."""

from tests.core.catalogue_cases.backdoors import BACKDOORS
from tests.core.catalogue_cases.case import Case
from tests.core.catalogue_cases.defence import GUARDS, NETS
from tests.core.catalogue_cases.destruction import DESTRUCTION
from tests.core.catalogue_cases.exposure import EXPOSURE
from tests.core.catalogue_cases.grants import GRANTS, OBJECTS, WAYS
from tests.core.catalogue_cases.identities import IDENTITIES
from tests.core.catalogue_cases.interactive import INTERACTIVE
from tests.core.catalogue_cases.privilege import BINDINGS, ROLES
from tests.core.catalogue_cases.recovery import RECOVERY
from tests.core.catalogue_cases.sessions import SESSIONS
from tests.core.catalogue_cases.workload import WORKLOAD

__all__ = ["CASES", "Case"]

CASES: tuple[tuple[str, Case], ...] = (
    *DESTRUCTION.items(),
    *BACKDOORS.items(),
    *RECOVERY.items(),
    *INTERACTIVE.items(),
    *SESSIONS.items(),
    *BINDINGS,
    *ROLES,
    *GRANTS.items(),
    *WAYS.items(),
    *OBJECTS.items(),
    *IDENTITIES.items(),
    *WORKLOAD.items(),
    *NETS.items(),
    *GUARDS.items(),
    *EXPOSURE.items(),
)
