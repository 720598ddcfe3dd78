"""Keeps Python's garbage collector away from what lives long.

A snapshot of ten thousand policies is a million objects that stay. Each full collection would walk through all of them,
a tenth of a second in which no review is answered, to find nothing. So they are frozen (`gc.freeze`): the collector
never looks at them again. They are still freed when nobody refers to them any more; only a cycle among frozen objects
would stay for good, so what is garbage is collected right before.
"""

import gc

import structlog

LOG = structlog.get_logger(__name__)

GROWTH = 2.0
"""Frozen again when so many times as much is held: once for each doubling, not for each change."""


class LongLived:
    """What the process holds for long, by number of objects that it knows of."""

    def __init__(self) -> None:
        self._frozen = 0

    def holds(self, objects: int) -> None:
        """Freeze everything that exists, if much was added since the last time.

        Args:
            objects: how many are held now: policies, namespaces and roles.
        """
        if objects < max(self._frozen, 1) * GROWTH:
            return
        gc.collect()
        gc.freeze()
        self._frozen = objects
        LOG.info("frozen what lives long", objects=objects)
