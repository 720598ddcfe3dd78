"""Where the proof that a store locks is kept: ConfigMap `interlock-store-proof`.

An admission policy of the chart lets the prover's account write it and nobody else; and it is signed by a key that the
controller has made for the prover.
"""

from interlock import settings
from interlock.core import unstructured
from interlock.core.audit import storeproof
from interlock.core.audit.storeproof import StoreProof
from interlock.errors import NotFound
from interlock.kube import ed25519keys, paths
from interlock.kube.client import ApiClient
from interlock.kube.secretstore import SecretStore

KEY = "proof"


class ProofStore:
    """Reads and writes it in one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._secrets = SecretStore(api, namespace=namespace)
        self._collection = paths.collection("", "v1", "configmaps", namespace=namespace)
        self._path = paths.named("", "v1", "configmaps", settings.STORE_PROOF_CONFIG_MAP, namespace=namespace)

    async def load(self) -> StoreProof | None:
        """The newest proof; None if there is none.

        Raises:
            BadInput: what is stored is none, or not signed by the prover.
            ClusterError: the API server does not answer as needed.
        """
        try:
            found = await self._api.get(self._path)
        except NotFound:
            return None
        secret = await self._secrets.find(settings.PROVER_SECRET)
        if secret is None:
            return None
        key = ed25519keys.read(secret.value("key"), field=f"Secret {secret.name}, key")
        sealed = unstructured.text(found, "data", KEY).encode()
        return storeproof.opened(sealed, key.public_key().public_bytes_raw())

    async def save(self, sealed: bytes) -> None:
        """Store a signed proof in the place of the one before.

        Raises:
            ClusterError: the API server did not do it.
        """
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings.STORE_PROOF_CONFIG_MAP, "namespace": self._namespace},
            "data": {KEY: sealed.decode()},
        }
        try:
            await self._api.replace(self._path, body)
        except NotFound:
            await self._api.create(self._collection, body)
