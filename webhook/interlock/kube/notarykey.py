"""The notary's key: the root of trust of every record, so it is made once and never made again where records exist.

The private half is Secret `interlock-notary`. Where lanes are stored and the Secret is gone, nothing is made: records
signed under a new key would sit beside records that it cannot vouch for, and whoever had the old public key would see
forgeries. The way out is to restore the Secret, and that is what the error says.
The public half is ConfigMap `interlock-notary`, key `notary.pub`, one line for `interlock verify --key`.
"""

from dataclasses import dataclass, field

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock import settings
from interlock.core import unstructured
from interlock.core.audit.notekey import VerifierKey
from interlock.errors import BadInput, Conflict, NameTaken
from interlock.kube import paths
from interlock.kube.client import ApiClient
from interlock.kube.configmaps import LANE_SELECTOR
from interlock.kube.secretstore import SecretStore, StoredSecret

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryKey:
    """The private key and its public name."""

    private: Ed25519PrivateKey = field(repr=False)
    public: VerifierKey

    def sign(self, message: bytes) -> bytes:
        """Sign."""
        return self.private.sign(message)


class NotaryKeyStore:
    """Where the key is kept.

    Attributes:
        name: of the key: ``interlock.dev/`` and the uid of namespace kube-system.
    """

    def __init__(self, api: ApiClient, *, namespace: str, cluster: str) -> None:
        self._api = api
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
        key = await self.find() or await self._make()
        await self._publish(key.public)
        return key

    async def _publish(self, key: VerifierKey) -> None:
        """Have the public half stored.

        Raises:
            Conflict: another key is published.
        """
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
            published = unstructured.text(await self._api.get(path), "data", "notary.pub").strip()
            if published != str(key):
                raise Conflict(
                    f"ConfigMap {settings.NOTARY_CONFIG_MAP} publishes another key than {key.fingerprint} of Secret "
                    f"{settings.NOTARY_SECRET}: restore the Secret, or delete the ConfigMap if the Secret is right"
                ) from None

    async def _make(self) -> NotaryKey:
        await self._refuse_if_records_exist()
        key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made = self._read(await self._store.create(settings.NOTARY_SECRET, {"key": key}))
        LOG.info("made the notary key", fingerprint=made.public.fingerprint)
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
        try:
            private = serialization.load_pem_private_key(secret.value("key"), password=None)
        except ValueError as error:
            raise BadInput(field=f"Secret {secret.name}, key", got=str(error), expected="PKCS #8 PEM") from error
        if isinstance(private, Ed25519PrivateKey):
            raw = private.public_key().public_bytes_raw()
            return NotaryKey(private=private, public=VerifierKey(name=self.name, public_key=raw))
        raise BadInput(field=f"Secret {secret.name}, key", got=type(private).__name__, expected="an Ed25519 key")
