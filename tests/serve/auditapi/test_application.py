"""The API of AuditRecords by its requests: who is let in, what is refused and how, what is answered."""

import pytest

from interlock.core.auditapi import discovery
from interlock.core.ports import Access
from interlock.serve.messages import Peer
from tests.fakes.access import FakeAccess
from tests.serve.auditapi.apis import EVIDENCE, PROOF, READS, RECORDS, TABLE, Start, names_in

BASE = "/apis/audit.interlock.dev/v1alpha1"


async def test_nobody_past_the_front_proxy(start: Start) -> None:
    """Who shows no certificate of the front proxy is nobody, whatever the headers say, discovery included."""
    api = await start("a")

    for target in (RECORDS, BASE, "/apis", "/openapi/v3", "/nothing"):
        reply = await api.ask(target, peer=Peer.UNKNOWN)
        assert (reply.status, reply.json()["kind"], reply.json()["reason"]) == (401, "Status", "Unauthorized")
    assert (await api.ask(RECORDS, user="")).status == 401
    assert api.access.asked == []


@pytest.mark.parametrize(
    ("method", "target", "verb"),
    [
        ("POST", RECORDS, "create"),
        ("DELETE", RECORDS, "deletecollection"),
        ("DELETE", f"{BASE}/namespaces/a/auditrecords/x", "delete"),
        ("PUT", f"{BASE}/namespaces/a/auditrecords/x", "update"),
        ("PATCH", f"{BASE}/namespaces/a/auditrecords/x", "patch"),
        ("HEAD", BASE, "head"),
    ],
)
async def test_writes(start: Start, method: str, target: str, verb: str) -> None:
    """Nothing can be written, and the answer says so as for any resource."""
    reply = await (await start()).ask(target, method=method)

    assert (reply.status, reply.json()["reason"], reply.headers) == (405, "MethodNotAllowed", (("Allow", "GET"),))
    assert reply.json()["message"] == (
        f'{verb} is not supported on resources of kind "auditrecords.audit.interlock.dev"'
    )


@pytest.mark.parametrize(
    "target",
    [
        "/", "/api", f"{BASE}/pods", f"{BASE}/namespaces", f"{BASE}/namespaces//auditrecords", f"{BASE}/auditrecords/x",
        f"{BASE}/namespaces/a/auditrecords/x/evidence", f"{BASE}/namespaces/a/auditrecords/x/proof/y", "/apis/apps/v1",
    ],
)  # fmt: skip
async def test_paths_that_lead_nowhere(start: Start, target: str) -> None:
    """What is not there is a Status of its own."""
    reply = await (await start()).ask(target)

    assert (reply.status, reply.json()["reason"]) == (404, "NotFound")


@pytest.mark.parametrize(
    "accept",
    [
        "application/vnd.kubernetes.protobuf",
        "application/cbor",
        "application/yaml;q=0.9, text/html",
        "application/json;as=Table;g=meta.k8s.io;v=v1beta1",
        "application/json;q=0",
    ],
)
@pytest.mark.parametrize("target", [RECORDS, BASE, f"{RECORDS}?watch=true"])
async def test_forms_that_are_not_spoken(start: Start, accept: str, target: str) -> None:
    """Protobuf and CBOR are declined as Kubernetes does it, saying what is spoken."""
    reply = await (await start()).ask(target, ("accept", accept))

    assert (reply.status, reply.json()["reason"]) == (406, "NotAcceptable")
    assert "application/json" in reply.json()["message"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x", "resourceVersion=abc", "resourceVersion=-1", "labelSelector=a%20b", "fieldSelector=nope=1",
        "continue=xyz", "resourceVersionMatch=Exact", "resourceVersionMatch=What&resourceVersion=1", "watch=maybe",
        "sendInitialEvents=true", "watch=1&sendInitialEvents=true", "watch=1&resourceVersionMatch=NotOlderThan",
        "includeObject=Everything", "&".join(["a=b"] * 99), "timeoutSeconds=9e9", "resourceVersion=" + "9" * 30,
        "resourceVersionMatch=Exact&resourceVersion=0",
    ],
)  # fmt: skip
async def test_queries_that_make_no_sense(start: Start, query: str) -> None:
    """Each is refused by the field that is wrong."""
    reply = await (await start()).ask(f"{RECORDS}?{query}")

    assert (reply.status, reply.json()["reason"]) == (400, "BadRequest")
    assert "expected" in reply.json()["message"]


async def test_access(start: Start) -> None:
    """Only who may list everywhere lists everywhere; each question is asked as RBAC knows it."""
    api = await start("a", "b", access=FakeAccess(("eve", "list", "auditrecords", "a")))
    everywhere = await api.ask(RECORDS, user="eve")
    own = await api.ask(f"{BASE}/namespaces/a/auditrecords", user="eve")
    single = await api.ask(f"{BASE}/namespaces/a/auditrecords/x", user="eve")

    assert (everywhere.status, everywhere.json()["reason"]) == (403, "Forbidden")
    assert everywhere.json()["message"] == (
        'auditrecords.audit.interlock.dev is forbidden: User "eve" cannot list resource "auditrecords" in API group '
        '"audit.interlock.dev" at the cluster scope'
    )
    assert names_in(own.json()) == ["a"]
    assert (
        'cannot get resource "auditrecords" in API group "audit.interlock.dev" in the namespace "a"'
        in (single.json()["message"])
    )
    resource = {"group": "audit.interlock.dev", "version": "v1alpha1", "resource": "auditrecords"}
    assert api.access.asked[1] == ("eve", Access(verb="list", namespace="a", **resource))


async def test_evidence(start: Start) -> None:
    """Without the right to evidence, lists, objects and watches have none; with it, all of it."""
    api = await start("a", access=FakeAccess(*READS))
    [record] = (await api.list())["items"]
    path = f"{BASE}/namespaces/a/auditrecords/{record['metadata']['name']}"
    single, watched = (await api.ask(path)).json(), (await api.ask(f"{RECORDS}?watch=1&timeoutSeconds=1")).lines()
    api.access.rules.add(EVIDENCE)
    full = (await api.ask(path)).json()

    for made in (record, single, watched[0]["object"]):
        assert (made["evidence"], "parameters" in made, set(made["findings"][0])) == (
            "Withheld",
            False,
            {"action", "family", "severity"},
        )
    assert (full["findings"][0]["evidence"], "evidence" in full) == ("deletes a namespace and everything in it", False)


async def test_objects(start: Start) -> None:
    """An object is found by namespace and name, in every form; its proof needs a right of its own."""
    api = await start("a", access=FakeAccess(*READS))
    [record] = (await api.list())["items"]
    name = record["metadata"]["name"]
    path = f"{BASE}/namespaces/a/auditrecords/{name}"
    metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    denied = await api.ask(f"{path}/proof")
    api.access.rules.add(PROOF)

    assert (await api.ask(path)).json() == record
    assert (await api.ask(path, ("accept", TABLE))).json()["rows"][0]["cells"][0] == name
    assert (await api.ask(path, ("accept", metadata))).json() == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": record["metadata"],
    }
    assert (await api.ask(path.replace("/a/", "/b/"))).json()["message"] == (
        f'auditrecords.audit.interlock.dev "{name}" not found'
    )
    assert (denied.status, 'resource "auditrecords/proof"' in denied.json()["message"]) == (403, True)
    assert (await api.ask(f"{path}/proof")).json()["ledger"] == record["ledger"]


async def test_nobody_knows_who_may(start: Start) -> None:
    """While the API server does not say who may read, nobody reads, and everybody may try again."""
    api = await start("a")
    api.access.away = True
    reply = await api.ask(RECORDS)

    assert (reply.status, reply.json()["reason"], reply.headers) == (503, "ServiceUnavailable", (("Retry-After", "1"),))
    assert (await api.ask(BASE)).status == 200


async def test_before_everything_was_read(start: Start) -> None:
    """Discovery is answered at once; records only once all of them are here."""
    api = await start()
    api.live.loaded = False

    assert ((await api.ask(BASE)).status, (await api.ask(RECORDS)).status) == (200, 503)


async def test_documents(start: Start) -> None:
    """Discovery and OpenAPI, each with an ETag by which it is not sent twice."""
    api = await start()
    aggregated = await api.ask("/apis", ("accept", f"{discovery.AGGREGATED_MEDIA_TYPE},application/json"))
    [path] = (await api.ask("/openapi/v3")).json()["paths"].values()

    assert aggregated.json() == discovery.AGGREGATED
    assert (await api.ask("/apis")).json() == discovery.GROUP_LIST
    assert (await api.ask("/apis/audit.interlock.dev/")).json() == discovery.GROUP_DOCUMENT
    assert (await api.ask(BASE)).json() == discovery.RESOURCE_LIST
    assert (await api.ask("/openapi/v2", ("accept", "application/json"))).json()["swagger"] == "2.0"
    assert (await api.ask(path["serverRelativeURL"])).json()["openapi"] == "3.0.0"
    again = await api.ask("/apis", ("if-none-match", dict((await api.ask("/apis")).headers)["Etag"]))
    assert (again.status, again.body) == (304, b"")


async def test_an_error_of_our_own(start: Start) -> None:
    """What nobody thought of is a Status with an id that the log has, too."""
    api = await start("a")
    api.live.trail.complete = None  # type: ignore[assignment, method-assign]
    reply = await api.ask(RECORDS)

    assert (reply.status, reply.json()["reason"], "an-id" in reply.json()["message"]) == (500, "InternalError", True)
