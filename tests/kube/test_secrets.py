"""The Secrets by which guards serve: made once, rotated in time, never quietly replaced by something else."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from interlock.errors import BadInput, Conflict
from interlock.kube import pathsecret, pki
from interlock.kube.pathsecret import PathSecrets
from interlock.kube.secrets import SecretKeeper, authorities_in
from interlock.kube.secretstore import SecretStore
from tests.fakes.kube_api import SECRETS
from tests.kube.conftest import Cluster

HOME = "interlock-system"
START = datetime(2026, 11, 25, 12, tzinfo=UTC)
NAMES = ["interlock-ca", "interlock-digest-key", "interlock-guard", "interlock-prover"]


@dataclass
class Time:
    """A clock that a test moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The present."""
        return self.now


@pytest.fixture
def time() -> Time:
    """It stands at START."""
    return Time()


@pytest.fixture
def keeper(cluster: Cluster, time: Time) -> SecretKeeper:
    """Of an empty namespace."""
    return SecretKeeper(cluster.api, namespace=HOME, guard_service="interlock-guard", clock=time)


def _data(cluster: Cluster, name: str) -> dict[str, bytes]:
    """What a Secret holds; empty if there is none."""
    found = cluster.fake.object(SECRETS, name, HOME) or {}
    return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}


async def test_everything_is_made_once(cluster: Cluster, keeper: SecretKeeper) -> None:
    """The first look makes four Secrets; later ones change none of them and give the same material."""
    first = await keeper.keep()
    made = {name: _data(cluster, name) for name in NAMES}
    version = cluster.fake.version
    again = await keeper.keep()

    assert sorted(cluster.fake.names(SECRETS)) == NAMES
    assert {name: sorted(data) for name, data in made.items()} == {
        "interlock-ca": ["ca.crt", "ca.key"],
        "interlock-digest-key": ["key"],
        "interlock-guard": ["ca.crt", "path-secrets", "tls.crt", "tls.key"],
        "interlock-prover": ["key"],
    }
    assert len(made["interlock-digest-key"]["key"]) == 32
    assert (first.ca_bundle, first.path_secret) == (
        made["interlock-guard"]["ca.crt"],
        made["interlock-guard"]["path-secrets"].decode(),
    )
    assert len(bytes.fromhex(first.path_secret)) == 32
    assert (again, cluster.fake.version) == (first, version)


async def test_two_at_once_agree(cluster: Cluster) -> None:
    """Whoever loses the race to create uses what the winner made."""
    store = SecretStore(cluster.api, namespace=HOME)
    winner = await store.create("interlock-digest-key", {"key": b"w" * 32})
    loser = await store.create("interlock-digest-key", {"key": b"l" * 32})

    assert (winner.data, loser.data) == ({"key": b"w" * 32}, {"key": b"w" * 32})


async def test_replacing_needs_the_state_that_was_read(cluster: Cluster) -> None:
    """A rotation never overwrites what somebody else has written since."""
    store = SecretStore(cluster.api, namespace=HOME)
    read = await store.create("interlock-ca", {"ca.crt": b"1"})
    await store.replace(read, {"ca.crt": b"2"})
    with pytest.raises(Conflict):
        await store.replace(read, {"ca.crt": b"3"})

    assert _data(cluster, "interlock-ca") == {"ca.crt": b"2"}


async def test_serving_certificate_is_renewed(cluster: Cluster, keeper: SecretKeeper, time: Time) -> None:
    """After two thirds of its life the certificate is a new one by the same authority; the path secret has moved on."""
    first = await keeper.keep()
    before = _data(cluster, "interlock-guard")
    time.now += pki.LEAF_LIFE * 0.7
    second = await keeper.keep()
    after = _data(cluster, "interlock-guard")

    assert (after["tls.crt"] != before["tls.crt"], after["ca.crt"]) == (True, before["ca.crt"])
    assert second.ca_bundle == first.ca_bundle


async def test_path_secret_rotates_with_overlap(cluster: Cluster, keeper: SecretKeeper, time: Time) -> None:
    """A new path secret is known to guards before it is used, and the old one stays known after."""
    old = (await keeper.keep()).path_secret
    time.now += pathsecret.LIFE
    announced = (await keeper.keep()).path_secret
    newest, *rest = _data(cluster, "interlock-guard")["path-secrets"].decode().split()
    time.now += pathsecret.SETTLES
    used = (await keeper.keep()).path_secret

    assert (announced, rest) == (old, [old])
    assert used == newest != old
    assert _data(cluster, "interlock-guard")["path-secrets"].decode().split() == [newest, old]


async def test_authority_rotates_through_the_secrets(cluster: Cluster, keeper: SecretKeeper, time: Time) -> None:
    """Announced, promoted, retired: the bundle holds both authorities while either may have signed."""
    first = (await keeper.keep()).ca_bundle
    time.now += pki.AUTHORITY_LIFE * 0.7
    both = (await keeper.keep()).ca_bundle
    time.now += pki.ANNOUNCED
    promoted = await keeper.keep()
    serving = _data(cluster, "interlock-guard")
    time.now += pki.ANNOUNCED + pki.RETIRED
    last = (await keeper.keep()).ca_bundle
    secret = await SecretStore(cluster.api, namespace=HOME).find("interlock-ca")

    assert secret is not None
    assert both.endswith(first)
    assert set(_parts(promoted.ca_bundle)) == set(_parts(both))
    assert both == last + first
    assert (serving["ca.crt"], authorities_in(secret).bundle) == (promoted.ca_bundle, last)


async def test_nonsense_is_named(cluster: Cluster, keeper: SecretKeeper) -> None:
    """A Secret that holds no certificates is an error that names it, and is not overwritten."""
    cluster.fake.put(
        SECRETS, {"metadata": {"name": "interlock-ca", "namespace": HOME}, "data": {"ca.crt": "eA==", "ca.key": "eA=="}}
    )
    with pytest.raises(BadInput, match="Secret interlock-ca"):
        await keeper.keep()

    assert _data(cluster, "interlock-ca") == {"ca.crt": b"x", "ca.key": b"x"}


async def test_a_deleted_secret_is_made_anew(cluster: Cluster, keeper: SecretKeeper) -> None:
    """Deleting what guards serve is repaired, under the same authority."""
    before = await keeper.keep()
    cluster.fake.remove(SECRETS, "interlock-guard", HOME)
    after = await keeper.keep()

    assert (after.ca_bundle, after.path_secret != before.path_secret) == (before.ca_bundle, True)


def test_secrets_do_not_show() -> None:
    """Neither path secrets nor keys appear where a value is printed."""
    path_secrets = PathSecrets.new(START)
    pair = pki.found(START).signer

    assert path_secrets.values[0] not in repr(path_secrets)
    assert "PRIVATE KEY" not in repr(pair)


def test_kept_path_secrets_are_bounded() -> None:
    """However often it rotates, the list holds the newest and the one before."""
    path_secrets, now = PathSecrets.new(START), START
    for _ in range(5):
        now += pathsecret.LIFE + timedelta(seconds=1)
        path_secrets = path_secrets.advanced(now)

    assert len(path_secrets.values) == pathsecret.KEPT


def _parts(bundle: bytes) -> list[bytes]:
    return bundle.split(b"-----BEGIN CERTIFICATE-----\n")
