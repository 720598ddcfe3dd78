"""The policies of crds/examples: their suites pass, and lint finds in them only what they except with a reason."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from devtools.venv import ROOT
from interlock.cli.main import app
from interlock.cli.policy import policyfiles
from interlock.core import catalogue, snapshot, systems
from interlock.core.decide import decide
from interlock.core.linting import Linted, lint
from interlock.core.review import request
from interlock.core.types import Verdict
from interlock.core.unstructured import strings
from tests import vectors

EXAMPLES = ROOT / "crds" / "examples"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
IN_THE_FREEZE = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def test_every_suite_passes() -> None:
    """`interlock policy test crds/examples` passes, and tries every policy: one that stops something, stopping it."""
    found = CliRunner().invoke(app, ["policy", "test", str(EXAMPLES), "-o", "json"])

    tried = {
        Path(suite["file"]).stem: {case["verdict"] for case in suite["cases"]}
        for suite in orjson.loads(found.stdout)["suites"]
    }
    policies = {path.stem for path in EXAMPLES.glob("*.yaml")}
    assert (found.exit_code, set(tried)) == (0, policies)
    assert {name for name, verdicts in tried.items() if "Allow" not in verdicts} == set()
    assert {name for name, verdicts in tried.items() if verdicts == {"Allow"}} == {"all-options", "observe-everything"}


EXCEPTED = {
    ("all-options", "soft-critical"),
    ("change-freeze", "back-doors"),
    ("change-windows", "back-doors"),
    ("guard-rbac", "every-namespace"),
    ("no-way-around", "back-doors"),
    ("protect-cluster", "every-namespace"),
    ("protect-workloads", "back-doors"),
}


def test_lint_is_clean() -> None:
    """Together they have no problem that they do not except with a reason, and no exception that is not needed."""
    stored = [
        Linted(policy=each.policy, place=each.place, annotations=strings(each.obj, "metadata", "annotations"))
        for each in policyfiles.read([EXAMPLES])
    ]

    found = lint(stored, NOW)

    assert [problem for problem in found if not problem.excepted] == []
    assert {(problem.policy, problem.rule.id) for problem in found} == EXCEPTED


REVIEWS = {name: request.parse(vectors.read(name)) for name in vectors.names()}
PACK = [each.policy for each in policyfiles.read(sorted(EXAMPLES.glob("*.yaml")))]
ORDINARY = [name for name, review in REVIEWS.items() if systems.ordinary_work(review)]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_work_goes_on(name: str) -> None:
    """What Kubernetes itself does all day, as recorded from a real API server, is not denied by any of them."""
    stored = snapshot.build(policies=PACK)
    review = REVIEWS[name]

    decision = decide(review, catalogue.find(review, stored), stored, IN_THE_FREEZE)

    assert [outcome.policy for outcome in decision.outcomes if outcome.counts and outcome.yields > Verdict.ALLOW] == []


def test_the_page_names_every_policy() -> None:
    """The directory's page has a row for each policy."""
    page = (EXAMPLES / "README.md").read_text()

    assert [path.name for path in EXAMPLES.glob("*.yaml") if f"[{path.stem}]({path.name})" not in page] == []
