"""Cases of the catalogue by what they show, one module per family: what must be found, and near misses."""

from tests.core.catalogue_cases.case import Case
from tests.core.catalogue_cases.destruction import DESTRUCTION
from tests.core.catalogue_cases.interactive import INTERACTIVE
from tests.core.catalogue_cases.privilege import BINDINGS, ROLES

__all__ = ["CASES", "Case"]

CASES: tuple[tuple[str, Case], ...] = (*DESTRUCTION.items(), *INTERACTIVE.items(), *BINDINGS, *ROLES)
