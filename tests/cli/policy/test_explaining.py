"""`interlock policy explain`: hypothetical actions offline and on a cluster, and recorded ones."""

import asyncio
import base64
import shutil
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.types import JsonObject
from tests.ledger.guards import Ledger, written
from tests.support.policies import SOUND, changed, policy

GUARD = policy(
    changed(
        SOUND,
        {
            "verdict": None,
            "match": {"actions": ["delete-namespace"], "namespaces": {"selector": {"matchLabels": {"env": "prod"}}}},
            "exclude": [{"subjects": {"groups": ["sre"]}}],
            "windows": {
                "timeZone": "Europe/Berlin",
                "allow": [{"name": "night", "weekly": {"days": ["Tue"], "start": "22:00", "end": "23:00"}}],
            },
            "message": "Ask in #prod",
        },
    ),
    name="protect-production",
)
WATCH = policy(changed(SOUND, {"mode": "Observe", "match": {"actions": ["exec"]}}), name="watch")
OFF = policy(changed(SOUND, {"mode": "Disabled"}), name="off")
SHOP: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"env": "prod"}}}

# Answers as the API server would: by what is asked for.
KUBECTL = """\
#!/bin/sh
case "$*" in
  *dangerpolicies*) cat {home}/policies.json;;
  *namespaces,*) cat {home}/around.json;;
  *configmaps*) cat {home}/ledger.json;;
  *"get namespaces shop"*) cat {home}/shop.json;;
  *) echo "unexpected: $*" >&2; exit 1;;
esac
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Policies in files, and a kubectl that knows them, a namespace and a ledger."""
    monkeypatch.chdir(tmp_path)
    contents: dict[str, object] = {
        "policies.json": {"items": [GUARD, WATCH]},
        "around.json": {"items": [SHOP]},
        "shop.json": SHOP,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(orjson.dumps(content))
    (tmp_path / "files").mkdir()
    for each in (GUARD, WATCH, OFF):
        (tmp_path / "files" / f"{each['metadata']['name']}.json").write_bytes(orjson.dumps(each))
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL.format(home=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('sh') or '/bin/sh').parent}")
    return tmp_path


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["policy", "explain", *arguments])


OFFLINE = ("--offline", "-f", "files", "--objects", "shop.json", "--at", "2026-11-25T12:00:00Z")


def test_offline() -> None:
    """Every policy says what holds it back or lets it speak, how its window stands, and what it yields."""
    found = run("delete namespaces/shop as alice --group dev", *OFFLINE)

    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == (
        "who        alice (dev, system:authenticated)\n"
        "does       DELETE namespaces shop\n"
        "when       2026-11-25T12:00:00Z\n"
        "found      delete-namespace (Critical, reaches shop): delete Namespace shop and everything in it\n"
        "found      delete (Low, reaches shop): delete namespaces shop\n"
        "\n"
        "off   Disabled, Critical   not asked\n"
        "\n"
        "protect-production   Enforce, Critical   yields Deny for delete-namespace\n"
        "  delete-namespace   selected by actions, namespaces\n"
        "  delete             not selected: operations: it names none\n"
        "  window   closed; opens Tue 2026-12-01 22:00 Europe/Berlin (2026-12-01T21:00:00Z)\n"
        "\n"
        "watch   Observe, Critical   does not apply\n"
        "  delete-namespace   not selected: actions: delete-namespace is not among exec\n"
        "  delete             not selected: operations: it names none\n"
        "\n"
        "result     Deny by protect-production\n"
        "  Denied (Critical)\n"
        "  policy protect-production\n"
        "  attempted: delete Namespace shop and everything in it (delete-namespace)\n"
        "  window: closed; opens Tue 2026-12-01 22:00 Europe/Berlin (2026-12-01T21:00:00Z, in 6 d 9 h)\n"
        "  next: Ask in #prod\n"
        "  (dry run: nothing was recorded)\n"
    )


def test_lifted_and_verbose() -> None:
    """An exclude entry that lifts a policy is named; --verbose shows gates that held as well."""
    found = run("delete namespaces/shop as alice --group sre", *OFFLINE, "-v").stdout.splitlines()

    first = found.index("protect-production   Enforce, Critical   lifted by spec.exclude[0], it would yield Deny")
    assert found[first + 1 : first + 4] == [
        "  delete-namespace   selected by actions, namespaces, but lifted by spec.exclude[0]",
        "      ok   actions: delete-namespace is of delete-namespace",
        "      ok   namespaces: it reaches shop with env=prod; env=prod is asked",
    ]
    assert found[-1] == "result     Allow: no policy that enforces says anything"


def test_what_only_goes_on() -> None:
    """Of what only completes an action that was judged before, no policy is asked, and that is said with the reason."""
    gone: JsonObject = {"metadata": {"name": "shop", "deletionTimestamp": "2026-11-25T11:00:00Z", "labels": {}}}
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}}
    items = [{"apiVersion": "v1", "kind": "Namespace"} | gone, pod]
    Path("going.json").write_bytes(orjson.dumps({"kind": "List", "items": items}))

    found = run(
        "delete pods/p -n shop as system:serviceaccount:kube-system:namespace-controller",
        *("--offline", "-f", "files", "--objects", "going.json"),
    ).stdout.splitlines()

    so = next(line for line in found if line.startswith("so "))
    assert so.split(maxsplit=1)[1] == (
        "no policy is asked: the namespace controller empties namespace shop, which is terminating"
    )
    assert "watch   Observe, Critical   not asked" in found


def test_owners_are_looked_for_in_the_cluster(home: Path) -> None:
    """What the garbage collector says it follows is read from the cluster: a deletion whose owner stays is its own."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}
    claim: JsonObject = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "ownerReferences": [owner]},
    }
    guard = policy(changed(SOUND, {"match": {"actions": ["delete-volume"]}}), name="volumes")
    (home / "policies.json").write_bytes(orjson.dumps({"items": [guard]}))
    (home / "claim.json").write_bytes(orjson.dumps(claim))
    line = "delete persistentvolumeclaims/data -n shop as system:serviceaccount:kube-system:generic-garbage-collector"
    replica_set = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "uid": "u"}}

    answers = {"": "Allow: no policy", orjson.dumps(replica_set).decode(): "Deny by volumes"}
    results = {}
    for answer in answers:
        program = home / "kubectl"
        script = KUBECTL.format(home=home).replace("  *)", f"  *ReplicaSet.v1.apps*) echo '{answer}';;\n  *)")
        program.write_text(script.replace("echo ''", "true"))
        results[answer] = run(line, "--objects", "claim.json").stdout

    assert {answer: said in results[answer] for answer, said in answers.items()} == dict.fromkeys(answers, True)


def test_left() -> None:
    """Taking the label away is told as what it is."""
    found = run("label namespaces/shop env- as alice", *OFFLINE).stdout.splitlines()

    assert "  leave-protection   selected by leaveProtection" in found
    assert "result     Deny by protect-production" in found


def test_on_a_cluster_for_programs() -> None:
    """Policies, namespaces and the object come from the cluster; JSON says all of it."""
    found = orjson.loads(
        run("delete namespaces/shop as alice", "--at", "2026-11-24T22:30:00+01:00", "-o", "json").stdout
    )

    assert (found["verdict"], found["decidedBy"], found["unknown"]) == ("Allow", [], [])
    assert found["policies"][0] == {
        "name": "protect-production",
        "mode": "Enforce",
        "severity": "Critical",
        "error": "",
        "findings": [
            {
                "action": "delete-namespace",
                "selected": True,
                "liftedBy": [],
                "gates": [
                    {"name": "actions", "held": True, "said": "delete-namespace is of delete-namespace"},
                    {"name": "namespaces", "held": True, "said": "it reaches shop with env=prod; env=prod is asked"},
                ],
            },
            {
                "action": "delete",
                "selected": False,
                "liftedBy": [],
                "gates": [
                    {"name": "operations", "held": False, "said": "it names none"},
                    {"name": "namespaces", "held": True, "said": "it reaches shop with env=prod; env=prod is asked"},
                ],
            },
        ],
        "window": {
            "open": True,
            "active": ["night"],
            "nextTransition": "2026-11-24T22:00:00Z",
            "timeZone": "Europe/Berlin",
        },
        "yields": "Nothing",
        "excludedBy": "",
        "record": [],
    }


@pytest.fixture
def recorded(home: Path) -> str:
    """A denied deletion in the cluster's ledger; its id."""
    ledger = Ledger()
    asyncio.run(written(["shop"], ledger))
    items = [
        {
            "metadata": {"name": one.name, "uid": one.uid, "labels": {"interlock.dev/ledger": "lane"}},
            "binaryData": {"r": base64.b64encode(one.body).decode()},
        }
        for one in ledger.store.stored()
    ]
    (home / "ledger.json").write_bytes(orjson.dumps({"items": items}))
    return next(str(one["id"]) for one in ledger.records() if one["kind"] == "Decision")


MISSING = (
    "the object and its labels: a selector on them is taken to hold in match, and not to hold in exclude",
    "labels of namespaces as they were then: those of now are looked at, where there are any",
    "policies that did not apply: those of now are asked, and each is compared with the record by its digest",
)


def test_a_recorded_action(recorded: str) -> None:
    """A record is explained as far as it tells, beside the policies of now, and what it does not tell is named."""
    found = run("--record", recorded)

    assert (found.exit_code, found.stderr) == (0, "")
    assert [line for line in found.stdout.splitlines() if not line.startswith("when")] == [
        "who        ada (dev, system:authenticated)",
        "does       DELETE namespaces shop",
        "found      delete-namespace (Critical, reaches shop): deletes a namespace and everything in it",
        *(f"unknown    {missing}" for missing in MISSING),
        "",
        "protect-production   Enforce, Critical   yields Deny for delete-namespace",
        "  delete-namespace   selected by actions, namespaces",
        "  window   closed; opens Tue 2026-11-24 22:00 Europe/Berlin (2026-11-24T21:00:00Z)",
        "  record   it has changed since: generation 3 decided, this is 0",
        "",
        "watch   Observe, Critical   does not apply",
        "  delete-namespace   not selected: actions: delete-namespace is not among exec",
        "",
        "result     Deny by protect-production",
    ]


def test_a_policy_that_is_gone(home: Path, recorded: str) -> None:
    """A policy that decided and is not there any more is named."""
    (home / "policies.json").write_bytes(orjson.dumps({"items": [WATCH]}))

    assert "protect-production   decided then, and is not there any more" in run("--record", recorded).stdout


REFUSED = {
    "nothing to explain": ([], "what to explain: give one of REQUEST, --review FILE, --record ID"),
    "two things": (["x", "--record", "y"], "what to explain: give one of REQUEST, --review FILE, --record ID"),
    "offline without policies": (
        ["proxy nodes/n as a", "--offline"],
        "--offline: got no policies, expected --policies",
    ),
    "a record offline": (
        ["--record", "x", "--offline", "-f", "files"],
        "--record: got --offline, expected the cluster, whose ledger has the record",
    ),
    "a time without offset": (
        ["proxy nodes/n as a", "--at", "2026-11-25"],
        "--at: got '2026-11-25', expected an instant such as 2026-11-25T22:30:00+01:00",
    ),
    "an object that is not there": (
        ["delete pods/p -n shop as a", "--offline", "-f", "files"],
        "objects: got no pods p in shop, expected the object, since the review shows it",
    ),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_is(arguments: list[str], says: str) -> None:
    """What cannot be explained is refused, saying what is missing."""
    found = run(*arguments)

    assert (found.exit_code, found.stdout, found.stderr) == (1, "", f"{says}\n")


@pytest.mark.usefixtures("recorded")
def test_a_record_that_is_not_there() -> None:
    """A record that the cluster does not hold is said to be looked for where it was shipped."""
    found = run("--record", "no-such-record")

    assert (found.exit_code, found.stderr) == (
        1,
        "record no-such-record: not in the cluster's ledger; a shipped one is found by `interlock ledger show s3://…`\n",
    )
