"""`interlock paths`, on roles and bindings as kubectl lists them."""

import stat
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.types import JsonObject

RBAC = "rbac.authorization.k8s.io"


def role(name: str, verb: str, resource: str, group: str = "") -> JsonObject:
    """A ClusterRole of one rule."""
    rule = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
    return {"kind": "ClusterRole", "metadata": {"name": name}, "rules": [rule]}


def bound(name: str, subject: JsonObject, home: str = "") -> JsonObject:
    """A binding of a ClusterRole, of the same name."""
    kind = "RoleBinding" if home else "ClusterRoleBinding"
    metadata = {"name": name} | ({"namespace": home} if home else {})
    return {"kind": kind, "metadata": metadata, "roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [subject]}


CLUSTER = [
    role("cluster-admin", "*", "*", "*"),
    role("runner", "create", "pods"),
    bound("cluster-admin", {"kind": "ServiceAccount", "name": "installer", "namespace": "tools"}),
    bound("runner", {"kind": "Group", "name": "dev"}, "tools"),
]


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl that lists the cluster."""
    (tmp_path / "cluster.json").write_bytes(orjson.dumps({"items": CLUSTER}))
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/cluster.json\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["paths", *arguments])


STEP = (
    "group dev may run pods under ServiceAccounts in tools (rolebinding tools/runner) and so acts as "
    "system:serviceaccount:tools:installer"
)


@pytest.mark.usefixtures("kubectl")
def test_a_way() -> None:
    """A way is told step by step, with the binding that each goes by."""
    found = run("--from", "Group/dev")

    assert (found.exit_code, found.stdout.splitlines()) == (
        3,
        [
            "group dev can become cluster-admin in 1 step:",
            f"  1. {STEP}",
            "     system:serviceaccount:tools:installer is cluster-admin",
        ],
    )


@pytest.mark.usefixtures("kubectl")
def test_for_programs() -> None:
    """JSON says the same, and whom the subject can act as."""
    found = orjson.loads(run("--from", "eve", "--group", "dev", "-o", "json").stdout)

    step = {
        "who": "user eve",
        "does": "run pods under ServiceAccounts in tools",
        "through": "rolebinding tools/runner",
        "becomes": "system:serviceaccount:tools:installer",
    }
    assert found == {
        "from": "user eve",
        "admin": True,
        "complete": True,
        "path": [step],
        "others": [{"as": "system:serviceaccount:tools:installer", "path": [step]}],
    }


OTHERS = {
    "who has no way": (["--from", "User/eve"], 0, "user eve: no way to cluster-admin was found"),
    "who is there already": (
        ["--from", "ServiceAccount/tools/installer"],
        3,
        "system:serviceaccount:tools:installer is cluster-admin",
    ),
    "whom one can act as": (
        ["--from", "Group/dev", "--all"],
        3,
        "  system:serviceaccount:tools:installer",
    ),
}


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize(("arguments", "code", "says"), OTHERS.values(), ids=OTHERS.keys())
def test_others(arguments: list[str], code: int, says: str) -> None:
    """Who has no way, who needs none, and whom one meets on it."""
    found = run(*arguments)

    assert (found.exit_code, found.stdout.splitlines()[-1]) == (code, says)


@pytest.mark.parametrize("subject", ["ServiceAccount/tools", "Role/x", "User/", "ServiceAccount//x"])
def test_no_subject(subject: str) -> None:
    """What is no subject is refused, saying how one is spelled."""
    found = run("--from", subject)

    assert (found.exit_code, f"got {subject}" in found.stderr) == (2, True)
