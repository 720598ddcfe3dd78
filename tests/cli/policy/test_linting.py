"""`interlock policy lint`: what it prints, how it ends, and where policies come from."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.cli.policy.linting import markdown
from interlock.core.linting import RULES
from interlock.core.types import JsonObject
from tests.support.policies import SOUND, changed, policy

SHELLS: JsonObject = policy(
    changed(SOUND, {"match": {"actions": ["exec", "attach", "debug-container"]}}), name="shells"
)
SHELLS["metadata"]["annotations"] = {"ignore-lint.interlock.dev/every-namespace": "nobody enters anything"}
OFF = policy(changed(SOUND, {"mode": "Disabled"}), name="off")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two policies in files, and a kubectl that lists one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    for each in (SHELLS, OFF):
        (tmp_path / "policies" / f"{each['metadata']['name']}.json").write_bytes(orjson.dumps(each))
    (tmp_path / "list.json").write_bytes(orjson.dumps({"items": [OFF]}))
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/list.json\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["policy", "lint", *arguments])


EXEC = "exec is guarded, but not port-forward, debug-node, proxy, node-proxy"
ADVICE = "Add these actions, here or to another policy for the same namespaces, objects and subjects."


def test_text() -> None:
    """Every problem has its rule, place, sentence and advice; what is excepted is counted."""
    found = run("policies")

    assert (found.exit_code, found.stderr) == (1, "")
    assert found.stdout.splitlines() == [
        "off   policies/off.json",
        "  Low        disabled   spec.mode: it is not evaluated: mode Disabled",
        "              Remove it, or let it Observe.",
        "",
        "shells   policies/shells.json",
        f"  Medium     back-doors   spec.match: {EXEC}",
        f"              {ADVICE}",
        "  Medium     back-doors   spec.match: attach is guarded, but not debug-node, node-proxy",
        f"              {ADVICE}",
        "  Medium     back-doors   spec.match: debug-container is guarded, but not debug-node",
        f"              {ADVICE}",
        "",
        "2 policies: 4 problems (3 Medium, 1 Low), 1 excepted",
    ]


def test_what_is_excepted() -> None:
    """With --verbose what annotations except is shown with its reason."""
    lines = run("policies/shells.json", "-v").stdout.splitlines()

    place = next(index for index, line in enumerate(lines) if "every-namespace" in line)
    assert lines[place].split()[0] == "excepted"
    assert lines[place + 1].strip() == "since: nobody enters anything"


def test_for_programs() -> None:
    """JSON has one object for each problem."""
    [problem] = orjson.loads(run("policies/off.json", "-o", "json").stdout)["problems"]

    assert problem == {
        "policy": "off",
        "file": "policies/off.json",
        "rule": "disabled",
        "severity": "Low",
        "path": "spec.mode",
        "said": "it is not evaluated: mode Disabled",
        "advice": "Remove it, or let it Observe.",
        "excepted": "",
    }


EXITS = {
    "below the mark": (["policies/off.json"], 0),
    "at the mark": (["policies/off.json", "--fail-on", "Low"], 1),
    "never": (["policies", "--fail-on", "Never"], 0),
    "above": (["policies", "--fail-on", "High"], 0),
    "from the cluster": (["--from-cluster", "--fail-on", "low"], 1),
}


@pytest.mark.parametrize(("arguments", "code"), EXITS.values(), ids=EXITS.keys())
def test_exit_codes(arguments: list[str], code: int) -> None:
    """A problem as severe as --fail-on says makes the exit code 1."""
    assert run(*arguments).exit_code == code


REFUSED = {
    "nothing": ([], "policies of what: name files, or --from-cluster"),
    "both": (["policies", "--from-cluster"], "policies of what: name files, or --from-cluster"),
    "no policy": (["list.json"], "list.json: got no DangerPolicy, expected at least one"),
    "no file": (["none.yaml"], "none.yaml: got No such file or directory, expected a file that can be read"),
    "one that does not compile": (
        ["broken.json"],
        'broken.json: spec.verdict: got "Denied", expected one of Deny, Warn, Allow',
    ),
    "one name twice": (
        ["policies", "policies/off.json"],
        "policies/off.json: got policy off twice, expected different names",
    ),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_is(arguments: list[str], says: str, directory: Path) -> None:
    """What cannot be looked at is refused with the file, and exit code 2."""
    broken = policy(changed(SOUND, {"verdict": "Denied"}), name="broken")
    (directory / "broken.json").write_bytes(orjson.dumps(broken))

    found = run(*arguments)

    assert (found.exit_code, found.stdout, found.stderr) == (2, "", f"{says}\n")


def test_page_has_every_rule() -> None:
    """The page has a row for each rule."""
    assert [rule.id for rule in RULES if f"\n| `{rule.id}` |" not in markdown()] == []
