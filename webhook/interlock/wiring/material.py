"""What a guard must be told before it can decide and serve: which cluster this is, and the content of two Secrets."""

import asyncio
import contextlib
import hmac
from dataclasses import dataclass, field

import structlog

from interlock.errors import BadInput, ClusterError
from interlock.kube import named, paths
from interlock.kube.client import ApiClient
from interlock.serve.admission import AdmissionServer
from interlock.serve.proof import PathSecrets
from interlock.serve.tls import ServerIdentity
from interlock.settings import DIGEST_KEY_SECRET, GUARD_SECRET

LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0  # until the API server can be asked which cluster this is


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What must be known before the first decision."""

    cluster: str
    digest_key: bytes = field(repr=False)

    def digest(self, data: bytes) -> str:
        """Keyed digest of what may be secret."""
        return hmac.digest(self.digest_key, data, "sha256").hex()


class Material:
    """What Secret `interlock-guard` holds, as it is now.

    Attributes:
        path_secrets: that prove a caller.
        authority: PEM of the product's own authority; empty at first.
        read: set when the Secret has been read for the first time.
    """

    def __init__(self) -> None:
        self.path_secrets = PathSecrets()
        self.authority = b""
        self.read = asyncio.Event()

    async def follow(self, api: ApiClient, namespace: str, admission: AdmissionServer) -> None:
        """Take every new state of the Secret; one that makes no sense is said, and the one before it stays."""
        async for obj in named.follow(api, "secrets", GUARD_SECRET, namespace=namespace):
            data = named.secret_data(obj)
            try:
                self.path_secrets.replace(data.get("path-secrets", b""))
                identity = ServerIdentity(certificate=data.get("tls.crt", b""), key=data.get("tls.key", b""))
                await admission.renew(identity)
            except BadInput as error:
                LOG.error("a Secret makes no sense and is not used", secret=GUARD_SECRET, why=str(error))
            else:
                self.authority = data.get("ca.crt", b"")
                self.read.set()
                LOG.info("certificate and path secrets read", secret=GUARD_SECRET)


async def learned(api: ApiClient, namespace: str) -> Known:
    """Wait until everything is known."""
    return Known(cluster=await _cluster(api), digest_key=await _digest_key(api, namespace))


async def _cluster(api: ApiClient) -> str:
    """Which cluster this is: the uid of namespace kube-system, which lives as long as the cluster."""
    while True:
        try:
            found = await api.get(paths.named("", "v1", "namespaces", "kube-system"))
        except ClusterError as error:
            LOG.warning("cannot read which cluster this is", why=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return str(found["metadata"]["uid"])


async def _digest_key(api: ApiClient, namespace: str) -> bytes:
    """The key of digests; it is made once and never changes."""
    async with contextlib.aclosing(named.follow(api, "secrets", DIGEST_KEY_SECRET, namespace=namespace)) as states:
        async for obj in states:
            key = named.secret_data(obj).get("key", b"")
            if key:
                return key
    raise RuntimeError("following an object never ends")
