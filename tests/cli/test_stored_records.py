"""`interlock verify` and `interlock ledger show` as a user calls them, with a kubectl that answers from a file."""

import asyncio
import base64
import shutil
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.core.audit import commits, lanes, runrecords
from interlock.core.audit.runs import Run
from interlock.core.ports import StoredCommit
from interlock.core.types import JsonObject
from interlock.ledger.stores.directory import DirectoryStore
from tests.fakes.log_store import FakeLogStore
from tests.fakes.notary import Answer, FakeNotary
from tests.ledger.guards import HandClock, Ledger, body, running, written
from tests.ledger.logs import NotaryKey, Whole, notary, turned

KUBECTL = """\
#!/bin/sh
echo "$@" > {home}/asked
cat {home}/answer.json
"""

REFUSING = """\
#!/bin/sh
echo 'Error from server (Forbidden): configmaps is forbidden: User "ada" cannot list resource "configmaps"' >&2
exit 1
"""


class Cluster:
    """What the user's kubectl sees, and the notary's key as the user saved it.

    Attributes:
        key: file with the notary's public key.
    """

    def __init__(self, home: Path, ledger: Ledger) -> None:
        self._home = home
        self._ledger = ledger
        self.key = home / "notary.pub"
        self.key.write_text(f"{ledger.notary.key}\n")
        self.kubectl(KUBECTL.format(home=home))
        self._checkpoints = asyncio.run(_checkpoints(ledger))
        self.holds(ledger.store.stored())

    def kubectl(self, script: str) -> None:
        """Replace the program."""
        program = self._home / "kubectl"
        program.write_text(script)
        program.chmod(0o755)

    def holds(self, stored: Sequence[StoredCommit]) -> None:
        """Let it answer with these commits."""
        items = [_config_map(one, "lane") for one in stored]
        items += [_config_map(one, "checkpoint") for one in self._checkpoints]
        (self._home / "answer.json").write_bytes(orjson.dumps({"items": items}))

    def forgets_checkpoints(self) -> None:
        """Let it answer without them."""
        self._checkpoints = []
        self.holds(self._ledger.store.stored())

    def loses(self, count: int) -> None:
        """Let the newest commits be gone."""
        self.holds(self._ledger.store.stored()[:-count])

    def asked(self) -> str:
        """The arguments of the newest call."""
        return (self._home / "asked").read_text().strip()

    def tampered(self) -> str:
        """Change a byte of a record and return the commit's name."""
        stored = self._ledger.store.stored()
        victim = stored[2]
        middle = len(victim.body) // 2
        body = victim.body[:middle] + bytes([victim.body[middle] ^ 1]) + victim.body[middle + 1 :]
        self.holds([*stored[:2], StoredCommit(name=victim.name, uid=victim.uid, body=body), *stored[3:]])
        return victim.name


async def _checkpoints(ledger: Ledger) -> list[StoredCommit]:
    """What a notary makes of it."""
    store = FakeLogStore(ledger.store)
    await turned(notary(ledger, store))
    return store.stored()


def _config_map(one: StoredCommit, kind: str) -> JsonObject:
    metadata = {"name": one.name, "uid": one.uid, "labels": {"interlock.dev/ledger": kind}}
    return {"metadata": metadata, "binaryData": {"r": base64.b64encode(one.body).decode()}}


def _cluster(home: Path, monkeypatch: pytest.MonkeyPatch, *answers: Answer, closed: bool = True) -> Cluster:
    clock = HandClock()
    ledger = Ledger(notary=FakeNotary(clock, answers=answers), clock=clock)
    asyncio.run(written(["shop", "bank"], ledger))
    if not closed:
        ledger.store.bodies.pop(max(ledger.store.bodies))
    monkeypatch.setenv("PATH", f"{home}:{Path(shutil.which('sh') or '/bin/sh').parent}")
    return Cluster(home, ledger)


async def _crowds() -> Ledger:
    """A lane with a series that is closed, one that is open, and a batch that is open."""
    ledger = Ledger()
    async with running(ledger):
        for name, closed in (("shop", True), ("bank", False)):
            denied = body(ledger.clock, name=name)
            series = ledger.lane.append(denied).record_id
            now = ledger.clock()
            run = Run(key=name, about=runrecords.about(denied), opening=series, first=now, last=now, count=7)
            ledger.lane.append(runrecords.series_count(run, series=series, now=now, closed=closed))
        ledger.lane.append(runrecords.batch_open(body(ledger.clock), now=ledger.clock()))
    return ledger


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Two denials in one certified lane."""
    return _cluster(tmp_path, monkeypatch)


def _interlock(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def _verify(cluster: Cluster, *more: str) -> Result:
    return _interlock("verify", "--from-cluster", "--key", str(cluster.key), *more)


class TestVerify:
    """Exit codes and what is printed."""

    def test_proven(self, cluster: Cluster) -> None:
        """Exit code 0, the lane and its guard, the verdict, and what cannot be seen."""
        done = _verify(cluster)
        lane, verdict, tails = done.stdout.splitlines()

        assert (done.exit_code, tails, done.stderr) == (0, lanes.TAILS, "")
        assert "proven, interlock-system/interlock-guard-0, records 0 to 3, certified, closed, proven through" in lane
        assert verdict.startswith("proven: 1 lane, 4 good records, by notary key SHA256:")

    def test_tampered(self, cluster: Cluster) -> None:
        """Exit code 1, and the commit with the changed byte is named."""
        name = cluster.tampered()
        done = _verify(cluster)

        assert (done.exit_code, f"tampered: {name}, sequence 2" in done.stdout) == (1, True)

    def test_incomplete(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Exit code 2 for a lane that nobody certified."""
        done = _verify(_cluster(tmp_path, monkeypatch, *[Answer.REFUSES] * 1000))

        assert (done.exit_code, "none that counts: no controller has certified this lane" in done.stdout) == (2, True)

    def test_another_key(self, cluster: Cluster) -> None:
        """Another notary's key never proves anything."""
        cluster.key.write_text(str(FakeNotary(HandClock(), seed=b"z" * 32).key))
        done = _verify(cluster)

        assert (done.exit_code, "0 good records" in done.stdout) == (1, True)

    def test_json(self, cluster: Cluster) -> None:
        """One object with the same facts."""
        done = _verify(cluster, "--output", "json")
        report = orjson.loads(done.stdout)

        assert (done.exit_code, report["status"], report["cluster"]["lanes"][0]["last"]) == (0, "proven", 3)
        assert (report["log"], report["notSeen"]) == (None, [lanes.TAILS])

    @pytest.mark.parametrize(
        ("lane", "count", "code", "told"),
        [
            ("open", 1, 1, "expected records to sequence 2, which the newest checkpoint covers"),
            ("open", 3, 1, "which is open in the newest checkpoint"),
            ("closed", 1, 2, "1 records that are in the log and not in the cluster (any more)"),
            ("closed", 4, 2, "which has ended in the newest checkpoint"),
        ],
        ids=["end of an open lane", "open lane", "end of a closed lane", "closed lane"],
    )
    def test_missing_records(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lane: str, count: int, code: int, told: str
    ) -> None:
        """What the newest checkpoint covers is missed: of an open lane that is tampering, one that ended may go."""
        cluster = _cluster(tmp_path, monkeypatch, closed=lane == "closed")
        cluster.loses(count)
        done = _verify(cluster)

        assert (done.exit_code, told in done.stdout) == (code, True)

    def test_no_checkpoint(self, cluster: Cluster) -> None:
        """Without one, nothing shows whether something is missing at the end, and that is said."""
        cluster.forgets_checkpoints()
        done = _verify(cluster)

        assert (done.exit_code, "expected a checkpoint" in done.stdout) == (2, True)

    def test_kubectl_is_told_where(self, cluster: Cluster) -> None:
        """Kubeconfig, context and namespace are the user's choice."""
        _verify(cluster, "--kubeconfig", "/k", "--context", "c", "--namespace", "ns")

        assert cluster.asked() == ("--kubeconfig=/k --context=c get configmaps -n ns -l interlock.dev/ledger -o json")

    def test_a_refusal_is_no_proof(self, cluster: Cluster) -> None:
        """What kubectl refuses ends with exit code 2, in kubectl's words."""
        cluster.kubectl(REFUSING)
        done = _verify(cluster)

        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("nothing verified: Error from server (Forbidden)")

    def test_without_kubectl(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine without kubectl is told what is missing."""
        monkeypatch.setenv("PATH", "/nonexistent")
        done = _verify(cluster)

        assert (done.exit_code, "kubectl: not on PATH" in done.stderr) == (2, True)


class TestShow:
    """Records for people and programs."""

    def test_table(self, cluster: Cluster) -> None:
        """A header and a line for each decision, oldest first; what lanes say about themselves is left out."""
        done = _interlock("ledger", "show", "--from-cluster")
        header, *rows = [line.split() for line in done.stdout.splitlines()]

        assert (done.exit_code, cluster.asked().startswith("get configmaps -n interlock-system")) == (0, True)
        assert header == ["TIME", "VERDICT", "SEVERITY", "USER", "ACTION", "TARGET", "POLICY", "COUNT", "RECORD"]
        assert [row[1:-1] for row in rows] == [
            ["Deny", "Critical", "ada", "delete-namespace", "namespaces", f"{name}/{name}", "protect-production", "1"]
            for name in ("shop", "bank")
        ]

    def test_crowds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A repeated denial is one line with its count, marked while it is open; a batch without an end is named."""
        ledger = asyncio.run(_crowds())
        monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('sh') or '/bin/sh').parent}")
        Cluster(tmp_path, ledger)
        batch = next(one["id"] for one in ledger.records() if one["kind"] == "BatchOpen")

        done = _interlock("ledger", "show", "--from-cluster")

        assert [line.split()[-2] for line in done.stdout.splitlines()] == ["COUNT", "7", "≥7"]
        assert done.stderr == f"batch {batch} has no end: its deletecollection goes on, or its guard was killed\n"

    @pytest.mark.parametrize(
        ("more", "kinds"),
        [([], ["Decision"] * 2), (["--all"], ["LaneOpen", "Decision", "Decision", "LaneClose"])],
        ids=["decisions", "everything"],
    )
    @pytest.mark.usefixtures("cluster")
    def test_json_lines(self, more: list[str], kinds: list[str]) -> None:
        """One record a line, as it was stored."""
        done = _interlock("ledger", "show", "--from-cluster", "--output", "json", *more)

        assert [orjson.loads(line)["kind"] for line in done.stdout.splitlines()] == kinds

    def test_unreadable_commits_are_named(self, cluster: Cluster) -> None:
        """What cannot be read is said, and does not hide the rest."""
        name = cluster.tampered()
        done = _interlock("ledger", "show", "--from-cluster", "--output", "json")

        assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1)
        assert done.stderr.startswith(f"{name}: unreadable: ")

    def test_a_refusal_is_an_error(self, cluster: Cluster) -> None:
        """What kubectl refuses is refused, with an exit code."""
        cluster.kubectl(REFUSING)
        done = _interlock("ledger", "show", "--from-cluster")

        assert (done.exit_code, done.stdout, "Forbidden" in done.stderr) == (1, "", True)


def test_an_open_lane_is_proven_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that still runs, or died, leaves a lane without end: proven through its last stored record."""
    cluster = _cluster(tmp_path, monkeypatch, closed=False)
    done = _verify(cluster)

    assert (done.exit_code, "records 0 to 2, certified, open, proven through" in done.stdout) == (0, True)
    assert commits.PREFIX not in done.stdout


class TestExport:
    """Every record, in three languages."""

    @pytest.mark.parametrize(
        ("form", "kinds"),
        [
            ("jsonl", ["LaneOpen", "Decision", "Decision", "LaneClose"]),
            ("cloudevents", ["LaneOpen", "Decision", "Decision", "LaneClose"]),
            ("ocsf", ["Decision", "Decision"]),
        ],
    )
    def test_from_the_cluster(self, cluster: Cluster, form: str, kinds: list[str]) -> None:
        """One object a line; OCSF knows of decisions only."""
        del cluster
        done = _interlock("ledger", "export", "--from-cluster", "--format", form)
        found = [orjson.loads(line) for line in done.stdout.splitlines()]
        about = {"jsonl": [], "cloudevents": ["data"], "ocsf": ["unmapped"]}[form]

        assert (done.exit_code, [_within(one, about)["kind"] for one in found]) == (0, kinds)

    @pytest.mark.parametrize("arguments", [[], ["file:///nowhere", "--from-cluster"]], ids=["none", "both"])
    def test_one_place_is_asked_for(self, arguments: list[str]) -> None:
        """Neither none nor both."""
        done = _interlock("ledger", "export", *arguments)

        assert (done.exit_code, done.stderr) == (1, "records of what: name a store, or --from-cluster\n")


def _within(one: JsonObject, path: list[str]) -> JsonObject:
    for step in path:
        one = one[step]
    return one


class TestOutside:
    """A log in a directory, as one in a bucket."""

    @pytest.fixture
    def log(self, tmp_path: Path) -> str:
        """A log of three decisions; its address."""
        asyncio.run(_shipped(tmp_path / "log"))
        return f"file://{tmp_path / 'log'}"

    @pytest.fixture
    def key(self, tmp_path: Path) -> str:
        """The notary's public key."""
        path = tmp_path / "notary.pub"
        path.write_text(str(NotaryKey().public))
        return str(path)

    def test_shown_copied_and_exported(self, log: str, tmp_path: Path) -> None:
        """The copy is the log, and both show the same decisions."""
        copied = _interlock("ledger", "copy", log, f"file://{tmp_path / 'copy'}")
        shown = [
            _interlock("ledger", "show", each, "-o", "json").stdout for each in (log, f"file://{tmp_path / 'copy'}")
        ]
        exported = _interlock("ledger", "export", log)

        assert (copied.exit_code, copied.stdout) == (0, f"copied 3 segments to file://{tmp_path / 'copy'}\n")
        assert (shown[0] == shown[1], shown[0].count("\n"), exported.stdout.count("\n")) == (True, 3, 4)

    def test_verified_and_remembered(self, log: str, key: str, tmp_path: Path) -> None:
        """Proven, and remembered; with its end cut off it is tampered with, by what is remembered."""
        state = tmp_path / "state.json"
        options = ("--unlocked", "--max-age", "0", "--key", key, "--state", str(state))
        proven = _interlock("verify", log, *options)
        (tmp_path / "log" / "log" / "2026-11" / "000000000002").unlink()
        cut_off = _interlock("verify", log, *options)
        forgetting = _interlock("verify", log, "--unlocked", "--max-age", "0", "--key", key, "--forget")

        assert [done.exit_code for done in (proven, cut_off, forgetting)] == [0, 1, 0]
        assert orjson.loads(state.read_bytes())["number"] == 2
        assert "shown by the checkpoint that this verifier remembers" in cut_off.stdout

    def test_a_witness_finds_out_a_log_that_was_cut_off(self, log: str, key: str, tmp_path: Path) -> None:
        """A witness cosigns what it has verified, and nothing that is less; whoever has its word finds out the rest."""
        private, public, seen = tmp_path / "w.pem", tmp_path / "w.pub", tmp_path / "seen"
        made = _interlock("witness", "key", str(private), "--name", "witness.example.org")
        public.write_text(made.stdout)
        witness = ("--with", str(private), "--name", "witness.example.org", "--state", str(tmp_path / "state"))
        cosign = ("witness", "cosign", log, "--key", key, *witness, "--unlocked", "--max-age", "0")
        cosigned = _interlock(*cosign)
        seen.write_text(cosigned.stdout)
        verify = ("verify", log, "--key", key, "--unlocked", "--max-age", "0", "--forget")
        told = ("--cosigned", str(seen), "--witness", str(public))
        proven = _interlock(*verify, *told)
        (tmp_path / "log" / "log" / "2026-11" / "000000000002").unlink()
        cut_off, again = _interlock(*verify, *told), _interlock(*cosign)

        assert [done.exit_code for done in (made, cosigned, proven, cut_off, again)] == [0, 0, 0, 1, 1]
        assert "shown by witness witness.example.org, which saw it at " in cut_off.stdout
        assert (again.stdout, private.stat().st_mode & 0o777) == ("", 0o600)
        assert _interlock("witness", "key", str(private), "--name", "witness.example.org").stdout == made.stdout

    @pytest.mark.parametrize(
        ("arguments", "code", "expected"),
        [
            (("verify", "{log}", "--key", "{key}", "--cosigned", "{key}"), 2, "--cosigned and --witness go together"),
            (("verify", "{log}", "--key", "{key}", "--cosigned", "{key}", "--witness", "{key}"), 2, "(type 04)"),
            (("witness", "key", "{key}", "--name", "w"), 1, "expected an Ed25519 key in PKCS #8 PEM"),
            (("witness", "key", "{new}", "--name", "with a space"), 1, "key: got "),
            (("witness", "cosign", "{log}", "--key", "{key}", "--with", "{key}", "--name", "w"), 2, "PKCS #8 PEM"),
        ],
    )
    def test_what_is_no_witness_is_said(
        self, log: str, key: str, tmp_path: Path, arguments: Sequence[str], code: int, expected: str
    ) -> None:
        """One without the other, a key of another kind, no key at all."""
        done = _interlock(*(each.format(log=log, key=key, new=tmp_path / "new") for each in arguments))

        assert (done.exit_code, expected in done.stderr, done.stderr.count("\n")) == (code, True, 1), done.stderr

    def test_locks_are_asked_for_unless_it_is_said(self, log: str, key: str) -> None:
        """A directory locks nothing, and is proven only for those who know."""
        done = _interlock("verify", log, "--max-age", "0", "--key", key, "--forget")

        assert (done.exit_code, "expected an object locked in mode COMPLIANCE" in done.stdout) == (1, True)

    def test_stale_log_is_incomplete(self, log: str, key: str) -> None:
        """The newest cut is from long ago: nothing is known of what came after."""
        done = _interlock("verify", log, "--unlocked", "--key", key, "--forget", "-o", "json")
        report = orjson.loads(done.stdout)["log"]

        assert (done.exit_code, [fault["evidence"] for fault in report["faults"]]) == (2, ["the heartbeat"])


async def _shipped(directory: Path) -> None:
    async with running(Ledger()) as ledger:
        outside = DirectoryStore(directory, clock=ledger.clock)
        whole = Whole(ledger, outside=outside, required=False)
        for name in ("a", "b", "c"):
            await whole.record(name)
        await whole.archive.turn()
