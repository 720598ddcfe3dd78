"""`interlock catalogue`, and the page that is made from the same tables."""

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from interlock.cli.catalogue import markdown
from interlock.cli.main import app
from interlock.core.catalogue import ENTRIES
from interlock.core.systems import IDENTITIES


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["catalogue", *arguments])


def test_table() -> None:
    """One line for each action, under a header, whole."""
    first, *lines = run().stdout.splitlines()

    assert first.split() == ["ACTION", "FAMILY", "SEVERITY", "TITLE"]
    assert [line.split()[0] for line in lines] == [entry.id for entry in ENTRIES]


def test_identities() -> None:
    """One line for each system identity, with the user names that it is known by."""
    first, *lines = run("--identities").stdout.splitlines()

    assert first.split() == ["NAME", "TITLE", "USERS"]
    assert [line.split()[0] for line in lines] == [identity.name for identity in IDENTITIES]
    assert lines[0].endswith("system:node:NAME in group system:nodes")


ATTACH = {
    "action": "attach",
    "family": "interactive",
    "severity": "High",
    "title": "Attach to a running container's main process",
    "raised": "Critical in kube-system.",
    "needs": [{"operations": ["CONNECT"], "groups": [""], "resources": ["pods/attach"]}],
    "misses": "What is typed and sent afterwards; whether the pod exists and how privileged it is.",
    "example": "kubectl attach -it web-0 -n prod-shop",
    "references": ["T1609"],
    "test": "hack/test unit -- -k attach",
    "goesRound": ["exec"],
}


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_for_programs(output: str) -> None:
    """JSON and YAML say everything that a row holds, and the same."""
    printed = run("attach", "-o", output).stdout

    assert (orjson.loads(printed) if output == "json" else yaml.safe_load(printed)) == [ATTACH]


def test_terms_choose() -> None:
    """Actions and families choose rows, each once, in the table's order."""
    chosen = [row["action"] for row in orjson.loads(run("exec", "defence", "delete-crd", "exec", "-o", "json").stdout)]

    assert chosen[:2] == ["delete-crd", "exec"]
    assert chosen[2:] == [entry.id for entry in ENTRIES if entry.family == "defence"]


def test_an_unknown_term() -> None:
    """A name that means nothing is refused, saying which ones do."""
    found = run("deletion")

    assert (found.exit_code, "got deletion" in found.stderr, "destruction" in found.stderr) == (2, True, True)


def test_page_has_everything() -> None:
    """The page has a heading for every action and every identity, and links what MITRE knows."""
    headings = {line.strip("#` ").lower() for line in markdown().splitlines() if line.startswith("###")}

    assert headings == {entry.id for entry in ENTRIES} | {identity.title.lower() for identity in IDENTITIES}
    assert "[T1098.006](https://attack.mitre.org/techniques/T1098/006/)" in markdown()
