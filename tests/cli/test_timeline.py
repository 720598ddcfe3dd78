"""`interlock timeline`: who did what over time, grouped, since when, with colour where it is wanted."""

import os
import stat
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.core.types import JsonObject

KUBECTL = """#!/bin/sh
echo "$@" >> "$0.calls"
echo "Warning: older records are elsewhere" >&2
cat "$0.answer"
"""


def _made(time: str, user: str, namespace: str, verdict: str = "Deny", **more: object) -> JsonObject:
    return {
        "metadata": {"name": f"r-{time}", "namespace": namespace},
        "time": f"2026-11-25T{time}.000000Z",
        "verdict": verdict,
        "user": {"name": user},
        "action": "delete-namespace",
        "target": {"resource": "namespaces", "subresource": "", "name": "shop"},
        "policy": "protect",
    } | more


ITEMS = [
    _made("03:00:02", "bob", "shop", verdict="Allow"),
    _made("03:00:00", "ada", "shop", series={"count": 4, "exact": False}),
    _made("03:00:01", "ada", "pay\x1b[2J"),
]


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that lists three AuditRecords; a time zone that is none of ours."""
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    answer = {"metadata": {"resourceVersion": "7"}, "items": ITEMS}
    program.with_suffix(".answer").write_bytes(orjson.dumps(answer))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TZ", "UTC")
    return program


def _run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["timeline", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_by_person(kubectl: Path) -> None:
    """Each person's deeds in their order, with a summary; repeats are counted, and nothing can move the cursor."""
    code, out, err = _run()

    assert (code, err) == (0, "Warning: older records are elsewhere\n")
    assert out == (
        "ada   5 denied\n"
        "  2026-11-25 +00:00\n"
        "  03:00:00   Deny   shop         delete-namespace   namespaces shop   protect   x4+\n"
        "  03:00:01   Deny   pay\\x1b[2J   delete-namespace   namespaces shop   protect\n"
        "\n"
        "bob   1 allowed\n"
        "  2026-11-25 +00:00\n"
        "  03:00:02   Allow   shop   delete-namespace   namespaces shop   protect\n"
        "\n"
    )
    assert kubectl.with_suffix(".calls").read_text() == (
        "get --raw /apis/audit.interlock.dev/v1alpha1/auditrecords?limit=500\n"
    )


@pytest.mark.usefixtures("kubectl")
def test_by_namespace_and_by_time() -> None:
    """What the group says is not said again; without groups everything is."""
    by_namespace, by_time = _run("--by", "namespace")[1], _run("--by", "time")[1]

    assert [line.split("   ")[0] for line in by_namespace.splitlines() if line and line[0] != " "] == [
        "pay\\x1b[2J",
        "shop",
    ]
    assert by_time.splitlines()[1:] == [
        "03:00:00   Deny    ada   shop         delete-namespace   namespaces shop   protect   x4+",
        "03:00:01   Deny    ada   pay\\x1b[2J   delete-namespace   namespaces shop   protect",
        "03:00:02   Allow   bob   shop         delete-namespace   namespaces shop   protect",
    ]


@pytest.mark.usefixtures("kubectl")
def test_since() -> None:
    """Only what happened since then; what is no time is refused by name."""
    assert _run("--since", "2026-11-25T03:00:02Z", "--by", "time")[1].count("\n") == 2
    assert _run("--since", "1s")[1].startswith("nothing was recorded since ")
    code, _, err = _run("--since", "yesterday")
    assert (code, "--since: got 'yesterday', expected 30m, 2h, 7d" in err) == (1, True)


def test_selection(kubectl: Path) -> None:
    """Namespace, user and selectors are the server's to apply."""
    _run("-n", "shop", "--user", "ada", "-l", "severity=Critical", "--field-selector", "verdict=Deny")

    assert kubectl.with_suffix(".calls").read_text() == (
        "get --raw /apis/audit.interlock.dev/v1alpha1/namespaces/shop/auditrecords?limit=500"
        "&labelSelector=severity%3DCritical&fieldSelector=verdict%3DDeny%2Cuser%3Dada\n"
    )


@pytest.mark.usefixtures("kubectl")
def test_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour where it was asked for, and the same words."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert "\x1b[1;31mDeny" in _run("--color", "always")[1]
    assert "\x1b" not in _run()[1]
