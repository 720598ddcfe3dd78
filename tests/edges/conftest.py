"""Fixtures of the edge suite, and the table that it prints: scenario, load, outcome."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import apply, audit_log, kubectl, namespace, notary_key
from tests.support.edges import Edge, table

__all__ = ["apply", "audit_log", "kubectl", "namespace", "notary_key"]

Tell = Callable[..., None]

LEDGER = pytest.StashKey[list[Edge]]()


@pytest.fixture
def edge(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Tell the table how a scenario ended: ``edge(scenario=…, load=…, outcome=…)``, once it is known to be right."""
    told: list[Edge] = []

    def _tell(*, scenario: str, load: str, outcome: str) -> None:
        told.append(Edge(scenario=scenario, load=load, outcome=outcome))

    yield _tell
    request.config.stash.setdefault(LEDGER, []).extend(told)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table after everything else."""
    edges = config.stash.get(LEDGER, [])
    if edges:
        terminalreporter.section("edges")
        terminalreporter.write_line(table(edges))
