"""The notary: its key is made once and never where records would be orphaned, and only guards' pods are certified."""

import base64
from datetime import UTC, datetime

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.core.audit import certificate
from interlock.core.audit.certificate import Certificate, lane_of
from interlock.core.audit.keyring import Keyring
from interlock.core.audit.notekey import VerifierKey
from interlock.core.types import JsonObject
from interlock.errors import BadInput, Conflict
from interlock.kube import notary
from interlock.kube.client import ApiClient
from interlock.kube.notary import Notary
from interlock.kube.notarykey import NotaryKey, NotaryKeyStore
from interlock.kube.session import ApiTarget, open_session
from tests.fakes.kube_api import CONFIG_MAPS, SECRETS
from tests.kube.conftest import Cluster

HOME = "interlock-system"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LANE_KEY = b"\x07" * 32
LANE: JsonObject = {
    "metadata": {"name": "interlock-lane-00", "namespace": HOME, "labels": {"interlock.dev/ledger": "lane"}}
}
USER: JsonObject = {
    "username": f"system:serviceaccount:{HOME}:interlock-guard",
    "extra": {
        "authentication.kubernetes.io/pod-name": ["interlock-guard-0"],
        "authentication.kubernetes.io/pod-uid": ["a-pod"],
    },
}
VOUCHED: JsonObject = {"authenticated": True, "audiences": ["interlock-notary"], "user": USER}


@pytest.fixture
def keys(cluster: Cluster) -> NotaryKeyStore:
    """Of an empty namespace."""
    return _store(cluster, count=1)


def _store(cluster: Cluster, *, count: int) -> NotaryKeyStore:
    return NotaryKeyStore(cluster.api, namespace=HOME, cluster="cluster-uid", clock=lambda: NOW, count=count)


# ------------------------------------------------------------------------------------------ the key


async def test_key_is_made_once_and_published(cluster: Cluster, keys: NotaryKeyStore) -> None:
    """The first look makes the key and publishes its public line; later ones find the same."""
    made, again = await keys.keep(), await keys.keep()
    published = cluster.fake.object(CONFIG_MAPS, "interlock-notary", HOME)

    assert published is not None
    assert (again.public, made.public.name) == (made.public, "interlock.dev/cluster-uid")
    assert VerifierKey.parse(published["data"]["notary.pub"]) == made.public
    assert cluster.fake.names(SECRETS) == ["interlock-notary"]


async def test_no_new_key_where_records_exist(cluster: Cluster, keys: NotaryKeyStore) -> None:
    """With stored lanes and no key nothing is made, and the error says what to do."""
    cluster.fake.put(CONFIG_MAPS, LANE)
    with pytest.raises(Conflict, match="Restore the Secret from a backup"):
        await keys.keep()

    assert (cluster.fake.names(SECRETS), cluster.fake.names(CONFIG_MAPS)) == ([], ["interlock-lane-00"])


async def test_records_are_no_obstacle_to_an_existing_key(cluster: Cluster, keys: NotaryKeyStore) -> None:
    """A key that exists goes on being used beside its records."""
    made = await keys.keep()
    cluster.fake.put(CONFIG_MAPS, LANE)

    assert (await keys.keep()).public == made.public


async def test_key_is_rotated_once_for_each_key_asked_for(cluster: Cluster) -> None:
    """The old key says who follows, and is gone; the new one is published in its place, and found again as it is."""
    made = await _store(cluster, count=1).keep()
    rotated = await _store(cluster, count=3).keep()
    again = await _store(cluster, count=2).keep()
    published = cluster.fake.object(CONFIG_MAPS, "interlock-notary", HOME)
    secret = cluster.fake.object(SECRETS, "interlock-notary", HOME)

    assert published is not None
    assert secret is not None
    assert (len(rotated.ring.keys), rotated.ring.keys[0], rotated.ring.replaced) == (3, made.public, (NOW, NOW))
    assert again.ring == rotated.ring
    assert VerifierKey.parse(published["data"]["notary.pub"]) == rotated.public
    assert sorted(secret["data"]) == ["key", "rotations"]


async def test_a_key_that_is_not_the_last_of_its_rotations_is_named(cluster: Cluster) -> None:
    """A Secret put together from two backups signs nothing."""
    await _store(cluster, count=1).keep()
    old = cluster.fake.object(SECRETS, "interlock-notary", HOME)
    await _store(cluster, count=2).keep()
    new = cluster.fake.object(SECRETS, "interlock-notary", HOME)
    assert old is not None
    assert new is not None
    cluster.fake.put(SECRETS, new | {"data": new["data"] | {"key": old["data"]["key"]}})

    with pytest.raises(BadInput, match="the last of its rotations"):
        await _store(cluster, count=2).keep()


async def test_another_published_key_is_not_overwritten(cluster: Cluster, keys: NotaryKeyStore) -> None:
    """Where another public key stands already, a person has to say which is right."""
    cluster.fake.put(
        CONFIG_MAPS, {"metadata": {"name": "interlock-notary", "namespace": HOME}, "data": {"notary.pub": "another"}}
    )
    with pytest.raises(Conflict, match="publishes another key"):
        await keys.keep()


async def test_a_stored_key_of_another_kind_is_named(cluster: Cluster, keys: NotaryKeyStore) -> None:
    """Nonsense in the Secret is an error that names it."""
    cluster.fake.put(SECRETS, {"metadata": {"name": "interlock-notary", "namespace": HOME}, "data": {"key": "eA=="}})
    with pytest.raises(BadInput, match="Secret interlock-notary, key"):
        await keys.find()


# ------------------------------------------------------------------------------------------ the counter


def _key() -> NotaryKey:
    private = Ed25519PrivateKey.generate()
    public = VerifierKey(name="interlock.dev/c", public_key=private.public_key().public_bytes_raw())
    return NotaryKey(private=private, ring=Keyring.of(public))


def _ask(lane: str = lane_of(LANE_KEY), public_key: bytes = LANE_KEY) -> bytes:
    return orjson.dumps({"lane": lane, "publicKey": base64.b64encode(public_key).decode()})


async def _posted(
    key: NotaryKey | None, status: JsonObject, *, body: bytes, authorization: str = "Bearer t", code: int = 201
) -> tuple[int, bytes, list[JsonObject]]:
    """POST to a notary whose API server answers every TokenReview with `status`; the reviews it was asked as well."""
    asked: list[JsonObject] = []

    async def review(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"status": status}, status=code)

    app = web.Application()
    app.router.add_post("/apis/authentication.k8s.io/v1/tokenreviews", review)
    async with TestServer(app) as server:
        target = ApiTarget(server=f"http://{server.host}:{server.port}")
        async with open_session(target) as session:
            counter = Notary(ApiClient(target, session), namespace=HOME, key=lambda: key, clock=lambda: NOW)
            async with TestClient(TestServer(counter.application())) as client:
                headers = {"Authorization": authorization} if authorization else {}
                answer = await client.post(notary.PATH, data=body, headers=headers)
                return answer.status, await answer.read(), asked


async def test_a_guards_lane_is_certified() -> None:
    """A guard gets a certificate over its lane, its pod and the notary's time, signed by the notary's key."""
    key = _key()
    status, body, asked = await _posted(key, VOUCHED, body=_ask())

    assert status == 200
    assert certificate.check(orjson.loads(body), [key.public]) == Certificate(
        lane=lane_of(LANE_KEY),
        public_key=LANE_KEY,
        namespace=HOME,
        service_account="interlock-guard",
        pod_name="interlock-guard-0",
        pod_uid="a-pod",
        not_before=NOW,
    )
    assert [review["spec"] for review in asked] == [{"token": "t", "audiences": ["interlock-notary"]}]


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        pytest.param({"authenticated": False}, 403, "does not vouch", id="a token that nobody vouches for"),
        pytest.param(VOUCHED | {"audiences": ["other"]}, 403, "does not vouch", id="a token for somebody else's ears"),
        pytest.param(
            VOUCHED | {"user": USER | {"username": "system:serviceaccount:shop:interlock-guard"}},
            403,
            "is not the guards' ServiceAccount",
            id="the same account name in another namespace",
        ),
        pytest.param(
            VOUCHED | {"user": USER | {"username": "alice"}}, 403, "is not the guards'", id="a person with the audience"
        ),
        pytest.param(VOUCHED | {"user": USER | {"extra": {}}}, 403, "not bound to one pod", id="a token of no pod"),
    ],
)
async def test_who_is_refused(status: JsonObject, code: int, why: str) -> None:
    """Nobody but a pod of the guards' account gets a certificate."""
    found, body, _ = await _posted(_key(), status, body=_ask())

    assert (found, why in body.decode()) == (code, True), body


@pytest.mark.parametrize(
    ("body", "authorization", "code"),
    [
        pytest.param(_ask(), "", 401, id="no token"),
        pytest.param(_ask(), "Basic dDp0", 401, id="another scheme"),
        pytest.param(b"{", "Bearer t", 400, id="no JSON"),
        pytest.param(_ask(public_key=b"short"), "Bearer t", 400, id="a key of another size"),
        pytest.param(b"x" * (notary.MAX_BODY_BYTES + 1), "Bearer t", 413, id="more than a request can be"),
    ],
)
async def test_bad_requests_cost_no_review(body: bytes, authorization: str, code: int) -> None:
    """What is no request is refused without asking the API server."""
    found, _, asked = await _posted(_key(), VOUCHED, body=body, authorization=authorization)

    assert (found, asked) == (code, [])


async def test_a_lane_of_another_key_is_refused() -> None:
    """A lane is certified only under the name of its own key."""
    found, body, _ = await _posted(_key(), VOUCHED, body=_ask(lane="00" * 8))

    assert (found, b"named after its key" in body) == (400, True)


async def test_not_now_is_said_as_such() -> None:
    """Without a key, or without the API server's answer, a guard is told to ask again."""
    keyless, _, _ = await _posted(None, VOUCHED, body=_ask())
    unanswered, _, _ = await _posted(_key(), {}, body=_ask(), code=500)

    assert (keyless, unanswered) == (503, 503)
