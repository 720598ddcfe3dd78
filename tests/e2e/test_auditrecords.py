"""AuditRecords as users see them: the real kubectl, through the real aggregator, with rights as RBAC gives them."""

import http.client
import os
import secrets
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import kubernetes.config
import kubernetes.dynamic
import orjson
import pytest

from interlock.core import unstructured
from interlock.core.types import JsonObject
from tests.e2e import policies
from tests.e2e.conftest import SYSTEM
from tests.support.api import Api
from tests.support.kubectl import Kubectl, eventually
from tests.support.watches import watch

pytestmark = pytest.mark.cluster

BASE = "/apis/audit.interlock.dev/v1alpha1"
HEARD_SECONDS = 10.0  # for a right that was given, or a record, to be known to every replica
COLUMNS = ["NAME", "AGE", "VERDICT", "SEVERITY", "USER", "ACTION", "TARGET", "POLICY", "COUNT"]
WIDE = [*COLUMNS, "MODE", "REASON", "VERIFIED", "CHECKPOINT", "TIME"]

Deny = Callable[..., str]


@pytest.fixture
def deny(kubectl: Kubectl, apply: policies.Apply, namespace: str) -> Deny:
    """Attempt a deletion that is denied, by whom is told; returns the record's name, once it can be read."""
    apply(policies.no_configmap_delete(f"e2e-{namespace[-4:]}", namespace))

    def _deny(name: str = "", *, user: str = "") -> str:
        name = name or f"c-{secrets.token_hex(3)}"
        acting = ("--as", user, "--as-group", "system:masters") if user else ()
        kubectl.must("create", "configmap", name, "-n", namespace)
        refused = kubectl("delete", "configmap", name, "-n", namespace, *acting)
        assert not refused.ok
        record = refused.err.rpartition("record ")[2].strip()
        eventually(
            lambda: kubectl("get", "auditrecord", record, "-n", namespace).ok,
            seconds=HEARD_SECONDS,
            what=f"record {record}",
        )
        return record

    return _deny


def _shown(kubectl: Kubectl, *arguments: str) -> list[list[str]]:
    """The table that `kubectl get` prints, header first, cells as far as they hold no blank."""
    return [line.split() for line in kubectl.must("get", "auditrecords", *arguments).out.splitlines()]


def _named(kubectl: Kubectl, *arguments: str) -> list[str]:
    """The names that `kubectl get -o name` prints."""
    return [line.partition("/")[2] for line in kubectl.must("get", "ar", *arguments, "-o", "name").out.splitlines()]


def test_get(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """Every way of printing works, and tells who did what, with which verdict, by which policy."""
    record = deny("guarded", user="ada")
    policy = f"e2e-{namespace[-4:]}"
    header, row = _shown(kubectl, "-n", namespace)
    wide, wide_row = _shown(kubectl, "-n", namespace, "-o", "wide")

    assert header == COLUMNS
    assert [row[0], *row[2:]] == [record, "Deny", "Critical", "ada", "delete", "configmaps", "guarded", policy, "1"]
    assert (wide, wide_row[10:13]) == (WIDE, ["Enforce", "Policy", "true"])
    assert _shown(kubectl, "-A")[0] == ["NAMESPACE", *COLUMNS]
    assert _named(kubectl, "-n", namespace) == [record]

    found = kubectl.get("auditrecord", record, "-n", namespace)
    [listed] = kubectl.get("auditrecords", "-n", namespace)["items"]
    assert found == listed | {"kind": "AuditRecord", "apiVersion": "audit.interlock.dev/v1alpha1"}
    assert (found["user"]["name"], found["target"]["name"], found["ledger"]["verified"]) == ("ada", "guarded", True)
    assert f"name: {record}" in kubectl.must("get", "ar", record, "-n", namespace, "-o", "yaml").out

    described = kubectl.must("describe", "auditrecord", record, "-n", namespace).out
    assert (f"Name:          {record}" in described, "Verdict:" in described) == (True, True)


def test_discovery(kubectl: Kubectl) -> None:
    """It is a resource like any other: listed, explained, and asked about."""
    row = kubectl.must("api-resources", "--api-group=audit.interlock.dev", "--no-headers").out.split()
    explained = kubectl.must("explain", "auditrecords.user").out
    both = kubectl.must("explain", "auditrecords.ledger", "--recursive").out

    assert row == ["auditrecords", "ar", "audit.interlock.dev/v1alpha1", "true", "AuditRecord"]
    assert "user as authenticated; under impersonation the impersonated one" in explained
    assert "checkpoint" in both
    assert kubectl.must("auth", "can-i", "list", "auditrecords").out == "yes\n"
    assert not kubectl("auth", "can-i", "list", "auditrecords", "-A", "--as", "nobody").ok
    assert kubectl.must("get", "--raw", f"{BASE}").out.count('"auditrecords') == 2


def test_selectors(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """Fields and labels choose, and the order can be chosen."""
    ada, bob = deny("a", user="ada"), deny("b", user="bob")
    here = ("-n", namespace)

    assert _named(kubectl, *here, "--field-selector", "verdict=Deny,user=ada") == [ada]
    assert _named(kubectl, *here, "--field-selector", "user!=ada,target.name=b") == [bob]
    assert _named(kubectl, *here, "-l", "severity=Critical,verdict in (Deny)") == [ada, bob]
    assert _named(kubectl, *here, "-l", "!severity") == []
    ordered = kubectl.must("get", "ar", *here, "--sort-by", ".target.name", "-o", "name").out.split()
    assert [name.partition("/")[2] for name in ordered] == [ada, bob]
    refused = kubectl("get", "ar", *here, "--field-selector", "colour=red")
    assert (refused.ok, "expected one of metadata.name" in refused.err) == (False, True)


def test_nothing_is_written(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """No verb changes a record, and each says so as Kubernetes does; nothing of a record is in etcd."""
    record = deny()
    attempts = [
        kubectl("delete", "auditrecord", record, "-n", namespace),
        kubectl("delete", "auditrecords", "--all", "-n", namespace),
        kubectl("annotate", "auditrecord", record, "-n", namespace, "a=b"),
        kubectl("replace", "-f", "-", stdin=kubectl.must("get", "ar", record, "-n", namespace, "-o", "json").out),
    ]

    assert ["(MethodNotAllowed)" in attempt.err for attempt in attempts] == [True] * 4
    assert "(NotFound)" in kubectl("get", "auditrecord", "nobody", "-n", namespace).err


def test_forms_that_are_not_spoken(kubectl: Kubectl) -> None:
    """Protobuf and CBOR are declined through the aggregator as Kubernetes declines them."""
    for accept in ("application/vnd.kubernetes.protobuf", "application/cbor"):
        with watch(kubectl.kubeconfig, f"{BASE}/auditrecords", accept=accept) as answer:
            assert (answer.status, answer.rest()[0]["reason"]) == (406, "NotAcceptable")


def test_watch(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """`kubectl get -w` prints what is there, then each denial as it is made, and a repeated one again."""
    first = deny("guarded")
    command = [kubectl.program, "--kubeconfig", kubectl.kubeconfig, "get", "auditrecords", "-n", namespace, "-w"]
    with subprocess.Popen([*command, "--no-headers"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split()]
        kubectl("delete", "configmap", "guarded", "-n", namespace)  # by the same user: the series counts on
        lines.append(process.stdout.readline().split())
        second = deny("other", user="ada")
        lines.append(process.stdout.readline().split())
        process.terminate()

    assert [(line[0], line[-1]) for line in lines] == [(first, "1"), (first, "2+"), (second, "1")]


def test_watch_resumes(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """A watch whose connection was dropped goes on at any replica, without a gap and without a repeat."""
    names = [deny(user="ada")]
    path = f"{BASE}/namespaces/{namespace}/auditrecords?watch=true&timeoutSeconds=20"
    seen, version = list[str](), "0"
    for _ in range(4):
        with watch(kubectl.kubeconfig, f"{path}&resourceVersion={version}") as lines:
            while len(seen) < len(names):
                event = lines.next()
                seen.append(event["object"]["metadata"]["name"])
                version = event["object"]["metadata"]["resourceVersion"]
        names.append(deny(user=f"user-{secrets.token_hex(2)}"))

    assert seen == names[: len(seen)]


def test_from_the_past(kubectl: Kubectl) -> None:
    """What is too old is 410 Expired, for a list, a page and a watch, so that clients list again."""
    with Api(kubectl.kubeconfig) as api:
        code, answer = api.call("GET", f"{BASE}/auditrecords?resourceVersion=1&resourceVersionMatch=Exact")
    with watch(kubectl.kubeconfig, f"{BASE}/auditrecords?watch=true&resourceVersion=1") as lines:
        [event] = lines.rest()

    assert (code, answer["reason"]) == (410, "Expired")
    assert (event["type"], event["object"]["reason"]) == ("ERROR", "Expired")


def test_paging_while_records_arrive(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """Pages of one list, answered by whichever replica, hold together just what was there at its beginning."""
    for _ in range(6):
        deny(user=f"user-{secrets.token_hex(2)}")
    path = f"{BASE}/namespaces/{namespace}/auditrecords"
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            deny(user=f"user-{secrets.token_hex(2)}")

    writer = threading.Thread(target=write)
    with Api(kubectl.kubeconfig) as api:
        whole = [item["metadata"]["name"] for item in api.call("GET", path)[1]["items"]]
        writer.start()
        try:
            for limit in (1, 2, 3, 5):
                pages, version = _pages(api, f"{path}?limit={limit}")
                names = [name for page in pages for name in page]
                exact = api.call("GET", f"{path}?resourceVersion={version}&resourceVersionMatch=Exact")[1]
                assert names == [item["metadata"]["name"] for item in exact["items"]]
                assert names[: len(whole)] == whole
        finally:
            over.set()
            writer.join()


def _pages(api: Api, path: str) -> tuple[list[list[str]], str]:
    """The names of each page of a list, each over a connection of its own, and the list's version."""
    pages, version, token = list[list[str]](), "", ""
    while True:
        code, page = api.call("GET", f"{path}{f'&continue={token}' if token else ''}")
        assert code == 200, page
        pages.append([item["metadata"]["name"] for item in page["items"]])
        version, token = page["metadata"]["resourceVersion"], page["metadata"].get("continue", "")
        if not token:
            return pages, version


@pytest.fixture
def bind(kubectl: Kubectl) -> Iterator[Callable[..., None]]:
    """Give a user a role in a namespace; taken away at the end."""
    given: list[tuple[str, str]] = []

    def _bind(user: str, role: str, namespace: str) -> None:
        name = f"e2e-{secrets.token_hex(3)}"
        kubectl.must("create", "rolebinding", name, f"--clusterrole={role}", f"--user={user}", "-n", namespace)
        given.append((name, namespace))

    yield _bind
    for name, namespace in given:
        kubectl("delete", "rolebinding", name, "-n", namespace, "--ignore-not-found")


def test_who_sees_what(kubectl: Kubectl, deny: Deny, bind: Callable[..., None], namespace: str) -> None:
    """A viewer of one namespace sees what happened there, without evidence, and no other namespace."""
    record = deny()
    viewer, auditor = f"viewer-{namespace[-4:]}", f"auditor-{namespace[-4:]}"
    bind(viewer, "view", namespace)
    bind(auditor, "interlock-auditor", namespace)

    def _as(user: str, *arguments: str) -> JsonObject:
        outcome = kubectl("get", "ar", *arguments, "-o", "json", "--as", user)
        return outcome.json() if outcome.ok else {"refused": outcome.err}

    def _seen_by(user: str) -> list[JsonObject]:
        return eventually(
            lambda: unstructured.items(_as(user, "-n", namespace), "items"),
            seconds=HEARD_SECONDS,
            what=f"the right of {user}",
        )

    seen, full = _seen_by(viewer), _seen_by(auditor)
    assert [each["metadata"]["name"] for each in seen] == [record]
    assert (seen[0]["evidence"], seen[0]["user"]["name"], "digests" in seen[0]) == (
        "Withheld",
        "kubernetes-admin",
        False,
    )
    assert "digests" in full[0]
    for elsewhere in (("-A",), ("-n", SYSTEM), ("-n", "default")):
        assert "(Forbidden)" in _as(viewer, *elsewhere)["refused"]
    assert kubectl.must("auth", "can-i", "list", "auditrecords", "-n", namespace, "--as", viewer).out == "yes\n"


def test_cluster_scoped_targets(kubectl: Kubectl, bind: Callable[..., None], apply: policies.Apply) -> None:
    """What happened to cluster-scoped objects is read in Interlock's own namespace, by who may read there."""
    user, name = f"viewer-{secrets.token_hex(3)}", f"e2e-{secrets.token_hex(3)}"
    apply(policies.no_namespace_delete(name, f"prod-none-{name}"))
    bind(user, "view", SYSTEM)
    chosen = ("-n", SYSTEM, "--field-selector", f"policy={name},about=PolicyChange", "--as", user)

    eventually(lambda: kubectl("get", "ar", *chosen).ok, seconds=HEARD_SECONDS, what="the viewer's right")
    [change] = kubectl.get("ar", *chosen)["items"]
    assert (change["action"], change["operation"], change["evidence"]) == ("change-policy", "CREATE", "Withheld")


def test_proof(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """A record says what is proven of it, and its proof is one of the trees that the notary signs."""
    record = deny()
    path = f"{BASE}/namespaces/{namespace}/auditrecords/{record}/proof"
    proof = orjson.loads(kubectl.must("get", "--raw", path).out)
    notary = kubectl.get("configmap", "interlock-notary", "-n", SYSTEM)["data"]["notary.pub"]

    assert (proof["kind"], proof["metadata"]["name"], proof["ledger"]["verified"]) == ("AuditRecordProof", record, True)
    assert proof["notary"] == notary.strip()
    assert "checkpoint" in proof["proof"] or "next checkpoint" in proof["proof"]["why"]


@pytest.mark.skipif(
    os.environ.get("INTERLOCK_TEST_PROVIDER") == "kind", reason="this machine does not reach the Services of kind"
)
def test_past_the_aggregator(kubectl: Kubectl) -> None:
    """Who calls the pods and not the API server is nobody, whoever he says he is."""
    service = kubectl.get("service", "interlock-records", "-n", SYSTEM)["spec"]
    address, port = service["clusterIP"], service["ports"][0]["port"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, port, context=context, timeout=10)
    forged = {"X-Remote-User": "kubernetes-admin", "X-Remote-Group": "system:masters"}
    for path in (f"{BASE}/auditrecords", BASE, "/apis"):
        connection.request("GET", path, headers=forged)
        answer = connection.getresponse()
        assert (answer.status, orjson.loads(answer.read())["reason"]) == (401, "Unauthorized")
    connection.close()


def test_official_client(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """The official Python client's dynamic client finds the resource by discovery, lists, pages, reads and watches."""
    names = [deny(user=f"user-{number}") for number in range(3)]
    official: Any = kubernetes  # it carries no types
    session = official.config.new_client_from_config(kubectl.kubeconfig)
    records = official.dynamic.DynamicClient(session).resources.get(
        api_version="audit.interlock.dev/v1alpha1", kind="AuditRecord"
    )
    first = records.get(namespace=namespace, limit=2)
    rest = records.get(namespace=namespace, limit=2, _continue=first.metadata["continue"])
    single = records.get(name=names[0], namespace=namespace)
    watched = records.watch(namespace=namespace, resource_version=single.metadata.resourceVersion, timeout=2)

    assert [each.metadata.name for each in (*first.items, *rest.items)] == names
    assert (single.user.name, single.verdict, single.ledger.verified) == ("user-0", "Deny", True)
    assert [(event["type"], event["object"].metadata.name) for event in watched] == [
        ("ADDED", name) for name in names[1:]
    ]
    session.close()


def test_timeline(kubectl: Kubectl, deny: Deny, namespace: str) -> None:
    """`kubectl interlock timeline` tells who did what in order, and follows."""
    deny("first", user="ada")
    deny("second", user="bob")
    command = ["interlock", "timeline", "--kubeconfig", kubectl.kubeconfig, "-n", namespace]
    grouped = subprocess.run(
        [*command, "--since", "10m"], check=True, text=True, capture_output=True, timeout=60
    ).stdout
    follow = [*command, "--by", "time", "--follow", "--user", "eve"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        deny("third", user="eve")
        told = next(line for line in process.stdout if "third" in line).split()  # listed or followed, as it falls out
        deny("fourth", user="mallory")
        deny("fifth", user="eve")
        followed = process.stdout.readline().split()
        process.terminate()

    people = [line for line in grouped.splitlines() if line and not line.startswith(" ")]
    assert people == ["ada   1 denied", "bob   1 denied"]
    assert told[told.index("Deny") :][:6] == ["Deny", "eve", namespace, "delete", "configmaps", "third"]
    assert (followed[7], followed[9]) == ("third", "x2+")  # the same user again: the series counts on
