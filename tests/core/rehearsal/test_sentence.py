"""One line that says who does what."""

import pytest

from interlock.core.rehearsal import sentence
from interlock.core.rehearsal.sentence import Sentence
from interlock.core.types import User
from interlock.errors import BadInput

EVERYBODY = "system:authenticated"
ALICE = User(name="alice", groups=(EVERYBODY,))

READ = {
    "delete namespaces/shop as alice": Sentence(verb="delete", resource="namespaces", name="shop", user=ALICE),
    "delete deployments.apps/web -n shop as alice --group dev": Sentence(
        verb="delete",
        resource="deployments.apps",
        name="web",
        flags={"--namespace": "shop"},
        user=User(name="alice", groups=("dev", EVERYBODY)),
    ),
    "exec pods/web-0 --namespace=shop -it -c app -- sh -c 'rm -rf /' as alice": Sentence(
        verb="exec",
        resource="pods",
        name="web-0",
        flags={"--namespace": "shop", "--stdin": "", "--tty": "", "--container": "app"},
        command=("sh", "-c", "rm -rf /"),
        user=ALICE,
    ),
    "exec pods/web-0 -- echo as as alice": Sentence(
        verb="exec", resource="pods", name="web-0", command=("echo", "as"), user=ALICE
    ),
    "label namespaces/shop env- team=a as alice": Sentence(
        verb="label", resource="namespaces", name="shop", words=("env-", "team=a"), user=ALICE
    ),
    "apply -f web.yaml as system:serviceaccount:ci:deployer": Sentence(
        verb="apply",
        flags={"--filename": "web.yaml"},
        user=User(
            name="system:serviceaccount:ci:deployer",
            groups=(EVERYBODY, "system:serviceaccounts", "system:serviceaccounts:ci"),
        ),
    ),
}


@pytest.mark.parametrize(("line", "expected"), READ.items(), ids=READ.keys())
def test_a_line_is_read_whole(line: str, expected: Sentence) -> None:
    """Every word of a line has its place, and a user is in the groups that the API server puts everybody in."""
    assert sentence.read(line) == expected


REFUSED = {
    "": "request: got nobody who does it, expected as USER [--group GROUP]... at the end",
    "delete namespaces/shop": "request: got nobody who does it, expected as USER [--group GROUP]... at the end",
    "delete shop as alice": "request: got shop, expected RESOURCE/NAME, such as deployments.apps/web",
    "delete pods/a/b as alice": "request: got pods/a/b, expected RESOURCE/NAME, such as deployments.apps/web",
    "delete pods/a pods/b as alice": f"request: got pods/b, expected {sentence.FORM}",
    "scale deployments/web --replicas as alice": "request: got --replicas and nothing after it, "
    "expected a value for --replicas",
    "evict pods/a --force as alice": "request: got flag --force, expected one of --dry-run, --grace-period, "
    "--namespace with evict",
    "evict pods/a -- sh as alice": "request: got a command after evict, expected -- COMMAND only after exec",
    "erase pods/a as alice": f"request: got verb erase, expected one of {', '.join(sentence.VERBS)}",
    "delete 'pods/a as alice": "request: got No closing quotation, expected quotes that are closed",
    "apply web.yaml as alice": "request: got web.yaml, expected apply -f FILE as USER",
    "x" * 4097: "request: got 4097 characters, expected at most 4096",
}


@pytest.mark.parametrize(("line", "says"), REFUSED.items(), ids=[line[:40] for line in REFUSED])
def test_refused_is(line: str, says: str) -> None:
    """A line that cannot be read is refused, saying what was there and what would do."""
    with pytest.raises(BadInput) as caught:
        sentence.read(line)

    assert str(caught.value) == says


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "2147483648", "9" * 400])
def test_numbers_are_those_of_kubernetes(value: str) -> None:
    """A number that no field of Kubernetes holds is refused."""
    read = sentence.read(f"scale deployments/web --replicas={value} as alice")

    with pytest.raises(BadInput, match="expected --replicas from 0 to 2147483647"):
        read.number("--replicas")
