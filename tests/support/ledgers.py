"""What the ledger of a cluster under test holds, read as a user reads it."""

import subprocess
from dataclasses import dataclass

import orjson

from interlock.core.types import JsonObject
from tests.support.kubectl import Kubectl

SYSTEM = "interlock-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denials:
    """How often one policy denied, as records tell.

    Attributes:
        decisions: denials with a record of their own.
        repeats: denials that were counted to one of those.
    """

    decisions: int
    repeats: int

    @property
    def total(self) -> int:
        """Denials."""
        return self.decisions + self.repeats


def records(kubectl: Kubectl) -> list[JsonObject]:
    """Every record, oldest first, as `interlock ledger show` prints it."""
    command = ["interlock", "ledger", "show", "--from-cluster", "--all", "-o", "json", "--kubeconfig"]
    done = subprocess.run([*command, kubectl.kubeconfig], check=True, capture_output=True, timeout=60)
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def about(kubectl: Kubectl, policy: str, kind: str) -> list[JsonObject]:
    """Records of one kind in which this policy applies."""
    return [one for one in records(kubectl) if one["kind"] == kind and _names(one) == [policy]]


def denials(kubectl: Kubectl, policy: str) -> Denials:
    """How often this policy, and no other, denied."""
    found = records(kubectl)
    own = [one for one in found if _names(one) == [policy]]
    return Denials(
        decisions=sum(one["kind"] == "Decision" for one in own),
        repeats=sum(one["added"] for one in own if one["kind"] == "SeriesCount"),
    )


def commits(kubectl: Kubectl) -> int:
    """How many commits all lanes have."""
    listed = kubectl.must("get", "configmaps", "-n", SYSTEM, "-l", "interlock.dev/ledger=lane", "-o", "name")
    return len(listed.out.splitlines())


def _names(one: JsonObject) -> list[str]:
    return [policy["name"] for policy in one.get("policies", [])]
