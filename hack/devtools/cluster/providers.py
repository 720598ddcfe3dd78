"""Which kind of cluster `up` makes, and why."""

import os
from dataclasses import dataclass
from typing import Literal

from devtools.cluster import kind
from devtools.cluster.state import Provider

GIVEN = "INTERLOCK_KUBECONFIG"
NODE = "INTERLOCK_NODE"

Asked = Literal["auto", "local", "node", "kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What it will be.

    Attributes:
        provider: of the cluster.
        why: half a sentence, for people.
        given: the kubeconfig that was given; empty where the cluster is made here.
    """

    provider: Provider
    why: str
    given: str = ""


def for_programs() -> Asked:
    """What tests and demonstrations ask for: as `auto`, but never kind, which has no audit log that they could read."""
    return "auto" if any(map(os.environ.get, (GIVEN, NODE))) else "local"


def choose(asked: Asked) -> Choice:
    """Decide.

    Args:
        asked: `auto` takes the cluster that INTERLOCK_KUBECONFIG names, if any, and else makes one: `node`, a real node
            that changes the machine, if INTERLOCK_NODE is 1; else `kind` where that can be had; else `local`.
    """
    if asked != "auto":
        return Choice(provider=asked, why="asked for by name")
    given = os.environ.get(GIVEN, "")
    if given:
        return Choice(provider="given", why=f"{GIVEN} names a cluster", given=given)
    if os.environ.get(NODE) == "1":
        return Choice(provider="node", why=f"{NODE} is 1")
    lacking = kind.lacking()
    if not lacking:
        return Choice(provider="kind", why="Docker and kind are here")
    return Choice(
        provider="local",
        why=f"{GIVEN} names no cluster, {NODE} is not 1, which would make a real node of this machine, and kind cannot "
        f"be had: {lacking}",
    )
