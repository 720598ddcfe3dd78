"""The notary's key: the root of trust of every record, so it is made once and never made again where records exist.

The private half is Secret `interlock-notary`. Where lanes are stored and the Secret is gone, nothing is made: records
signed under a new key would sit beside records that it cannot vouch for, and whoever had the old public key would see
forgeries. The way out is to restore the Secret, and that is what the error says.
The public half is ConfigMap `interlock-notary`, key `notary.pub`, one line for `interlock verify --key`.

A key is rotated when more keys are asked for than there have been: the old one signs who follows, and is gone.
"""

from dataclasses import dataclass, field

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock import settings
from interlock.core import typedjson, unstructured
from interlock.core.audit import keyring
from interlock.core.audit.keyring import Keyring, Rotation
from interlock.core.audit.notekey import VerifierKey
from interlock.core.ports import Clock
from interlock.errors import BadInput, Conflict, NameTaken
from interlock.kube import ed25519keys, paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LANE_SELECTOR
from interlock.kube.secretstore import SecretStore, StoredSecret

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryKey:
    """The private key.

    Attributes:
        private: it.
        ring: its public half, after those of the keys that it has replaced.
    """

    private: Ed25519PrivateKey = field(repr=False)
    ring: Keyring

    @property
    def public(self) -> VerifierKey:
        """The public half."""
        return self.ring.current

    def sign(self, message: bytes) -> bytes:
        """Sign."""
        return self.private.sign(message)


class NotaryKeyStore:
    """Where the key is kept.

    Attributes:
        name: of the key: ``interlock.dev/`` and the uid of namespace kube-system.
    """

    def __init__(self, api: ApiClient, *, namespace: str, cluster: str, clock: Clock, count: int = 1) -> None:
        """Wire it.

        Args:
            api: the Kubernetes API.
            namespace: where the key is.
            cluster: uid of namespace kube-system.
            clock: the present.
            count: how many keys there have to have been; `keep` rotates the key until there have.
        """
        self._api = api
        self._clock = clock
        self._count = count
        self._namespace = namespace
        self._store = SecretStore(api, namespace=namespace)
        self.name = f"{settings.GROUP}/{cluster}"

    async def find(self) -> NotaryKey | None:
        """The key if there is one.

        Raises:
            BadInput: what is stored is no Ed25519 key.
            ClusterError: the API server did not answer as needed.
        """
        secret = await self._store.find(settings.NOTARY_SECRET)
        return None if secret is None else self._read(secret)

    async def keep(self) -> NotaryKey:
        """The key, made if there is none, and its public half published; only the leader calls this.

        Raises:
            Conflict: records exist and the key does not.
            BadInput: what is stored is no Ed25519 key.
            ClusterError: the API server did not do what was asked.
        """
        secret = await self._store.find(settings.NOTARY_SECRET) or await self._make()
        key = self._read(secret)
        while len(key.ring.keys) < self._count:
            secret = await self._rotate(secret, key)
            key = self._read(secret)
        await self._publish(key.ring)
        return key

    async def _rotate(self, secret: StoredSecret, key: NotaryKey) -> StoredSecret:
        """Put a new key in the place of this one."""
        private = Ed25519PrivateKey.generate()
        new = VerifierKey(name=self.name, public_key=private.public_key().public_bytes_raw())
        rotation = Rotation(old=key.public, new=new, time=self._clock())
        ring = key.ring.extended(keyring.signed(rotation, old=key.sign, new=private.sign))
        replaced = await self._store.replace(
            secret, {"key": ed25519keys.written(private), "rotations": msgspec.json.encode(ring.notes)}
        )
        LOG.warning("rotated the notary key", fingerprint=new.fingerprint, replaced=key.public.fingerprint)
        return replaced

    async def _publish(self, ring: Keyring) -> None:
        """Have the public half stored, in the place of one that it has replaced.

        Raises:
            Conflict: another key is published.
        """
        key = ring.current
        public = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.NOTARY_CONFIG_MAP, "namespace": self._namespace},
            "data": {"notary.pub": f"{key}\n"},
        }
        try:
            await self._api.create(paths.collection("", "v1", "configmaps", namespace=self._namespace), public)
        except NameTaken:
            path = paths.named("", "v1", "configmaps", settings.NOTARY_CONFIG_MAP, namespace=self._namespace)
            stored = await self._api.get(path)
            published = unstructured.text(stored, "data", "notary.pub").strip()
            if published in map(str, ring.keys[:-1]):
                await self._api.replace(path, stored | {"data": public["data"]})
            elif published != str(key):
                raise Conflict(
                    f"ConfigMap {settings.NOTARY_CONFIG_MAP} publishes another key than {key.fingerprint} of Secret "
                    f"{settings.NOTARY_SECRET}: restore the Secret, or delete the ConfigMap if the Secret is right"
                ) from None

    async def _make(self) -> StoredSecret:
        await self._refuse_if_records_exist()
        made = await self._store.create(
            settings.NOTARY_SECRET, {"key": ed25519keys.written(Ed25519PrivateKey.generate())}
        )
        LOG.info("made the notary key", fingerprint=self._read(made).public.fingerprint)
        return made

    async def _refuse_if_records_exist(self) -> None:
        """Look for a single lane.

        Raises:
            Conflict: there is one.
        """
        path = paths.collection("", "v1", "configmaps", namespace=self._namespace)
        found = await self._api.get(path, params={"labelSelector": LANE_SELECTOR, "limit": "1"})
        if found.get("items"):
            raise Conflict(
                f"records exist, but Secret {settings.NOTARY_SECRET} does not: no new key is made, for it could not "
                "vouch for them. Restore the Secret from a backup; lanes stay uncertified until then."
            )

    def _read(self, secret: StoredSecret) -> NotaryKey:
        private = ed25519keys.read(secret.value("key"), field=f"Secret {secret.name}, key")
        public = VerifierKey(name=self.name, public_key=private.public_key().public_bytes_raw())
        ring = _ring(secret, public)
        if ring.current != public:
            got, expected = public.fingerprint, f"{ring.current.fingerprint}, the last of its rotations"
            raise BadInput(field=f"Secret {secret.name}, key", got=got, expected=expected)
        return NotaryKey(private=private, ring=ring)


def _ring(secret: StoredSecret, key: VerifierKey) -> Keyring:
    """The keys up to this one.

    Raises:
        BadInput: the Secret's rotations are none.
    """
    stored = secret.data.get("rotations")
    if stored is None:
        return Keyring.of(key)
    return Keyring.read(typedjson.read(stored, tuple[str, ...], field="rotations", expected="a list of signed notes"))
