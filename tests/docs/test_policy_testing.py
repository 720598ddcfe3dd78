"""The page about testing policies: what it shows is what the program takes."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from devtools.venv import ROOT
from interlock.cli.main import app
from interlock.core.rehearsal import sentence

PAGE = (ROOT / "webhook" / "docs" / "policy-testing.md").read_text()
LINES = [
    line.replace("\\|", "|").replace("…", "") for line in re.findall(r"^\| `([^`]* as \w+)` \|", PAGE, re.MULTILINE)
]


def test_the_suite_shown_passes(tmp_path: Path) -> None:
    """Whoever copies the page's suite beside the example that it names has one that passes."""
    shutil.copy(ROOT / "crds" / "examples" / "protect-production.yaml", tmp_path)
    (tmp_path / "suite.yaml").write_text(re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0])

    found = CliRunner().invoke(app, ["policy", "test", str(tmp_path)])

    assert (found.exit_code, found.stdout.splitlines()[-1]) == (0, "1 suite, 2 cases: 2 passed, 0 failed")


@pytest.mark.parametrize("line", LINES)
def test_a_line_shown_can_be_read(line: str) -> None:
    """Every line of the page's table is one."""
    assert sentence.read(line).verb == line.split(maxsplit=1)[0]


def test_every_verb_is_shown() -> None:
    """No verb is left out of the page."""
    assert [verb for verb in sentence.VERBS if f"`{verb} " not in PAGE and f"`{verb}`" not in PAGE] == []
