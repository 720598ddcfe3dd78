"""The guard's own numbers, from where Prometheus would scrape them."""

import time
import urllib.request
from collections.abc import Callable, Mapping

from devtools.errors import ToolError

SCRAPE_SECONDS = 5.0
POLL_SECONDS = 0.05
SETTLE_SECONDS = 120.0  # for the guard to have read what was written; ten thousand policies take half a minute

Samples = Mapping[str, float]
"""Value by name with labels, as the exposition writes them."""

RECORDS = "interlock_records_stored_total"
PENDING = "interlock_records_pending"
COMMITS = "interlock_commits_total"
POLICIES = "interlock_snapshot_policies"
GENERATION = "interlock_snapshot_generation"
CERTIFIED = "interlock_lane_certified"


def reviews(verdict: str, operation: str) -> str:
    """Name of the counter of reviews that were decided so."""
    return f'interlock_reviews_total{{operation="{operation}",verdict="{verdict}"}}'


def scrape(url: str) -> Samples:
    """Read all samples."""
    with urllib.request.urlopen(url, timeout=SCRAPE_SECONDS) as answer:  # noqa: S310  an http URL that we made
        return samples(answer.read().decode())


def wait(url: str, holds: Callable[[Samples], bool], what: str) -> Samples:
    """Scrape until something holds.

    Raises:
        ToolError: it did not in time.
    """
    end = time.monotonic() + SETTLE_SECONDS
    while not holds(found := scrape(url)):
        if time.monotonic() > end:
            raise ToolError(f"the guard did not get there within {SETTLE_SECONDS:.0f} s: {what}")
        time.sleep(POLL_SECONDS)
    return found


def samples(text: str) -> Samples:
    """Take an exposition apart.

    >>> samples('b{c="d e"} 2.0')
    {'b{c="d e"}': 2.0}
    """
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}
