"""The Secrets by which guards serve: made by whoever leads, and rotated in time.

    interlock-ca          ca.crt, ca.key, next.crt, next.key, previous.crt: see kube.pki
    interlock-guard       tls.crt, tls.key: what guards show; ca.crt: whom to trust; path-secrets: newest first
    interlock-digest-key  key: 32 bytes, for digests of what may be secret; made once
    interlock-prover      key: with which the prover signs what it has found out about the store; made once
    interlock-records     tls.crt, tls.key: what those show who serve AuditRecords, where anybody does

Guards read interlock-guard and interlock-digest-key through the API and watch the first for changes, and so do those
who serve AuditRecords theirs. A Secret that somebody has deleted is made anew; one that holds nonsense is an error that
says which.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock import settings
from interlock.core import times
from interlock.core.ports import Clock
from interlock.errors import BadInput
from interlock.kube import ed25519keys, pki
from interlock.kube.client import ApiClient
from interlock.kube.pathsecret import PathSecrets
from interlock.kube.pki import Authorities, Pair
from interlock.kube.secretstore import SecretStore, StoredSecret

LOG = structlog.get_logger(__name__)

DIGEST_KEY_BYTES = 32
SINCE_ANNOTATION = "interlock.dev/path-secret-since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the webhook configuration needs of the Secrets."""

    ca_bundle: bytes
    path_secret: str = field(repr=False)


class SecretKeeper:
    """Makes and rotates the Secrets of one namespace; only the leader calls it."""

    def __init__(
        self, api: ApiClient, *, namespace: str, guard_service: str, clock: Clock, records_service: str = ""
    ) -> None:
        self._store = SecretStore(api, namespace=namespace)
        self._names = pki.service_names(guard_service, namespace)
        self._records_names = pki.service_names(records_service, namespace) if records_service else ()
        self._clock = clock

    async def keep(self) -> Material:
        """Make what is missing and rotate what is due.

        Raises:
            BadInput: something stored cannot be read; deleting that Secret has it made anew.
            ClusterError: the API server did not do what was asked; try again.
        """
        if await self._store.find(settings.DIGEST_KEY_SECRET) is None:
            await self._store.create(settings.DIGEST_KEY_SECRET, {"key": secrets.token_bytes(DIGEST_KEY_BYTES)})
        if await self._store.find(settings.PROVER_SECRET) is None:
            await self._store.create(settings.PROVER_SECRET, {"key": ed25519keys.written(Ed25519PrivateKey.generate())})
        authorities = await self._authorities()
        path_secrets = await self._guard_secret(authorities)
        if self._records_names:
            await self._records_secret(authorities)
        return Material(ca_bundle=authorities.bundle, path_secret=path_secrets.current(self._clock()))

    async def _authorities(self) -> Authorities:
        secret = await self._store.find(settings.CA_SECRET)
        if secret is None:
            made = await self._store.create(settings.CA_SECRET, _authority_data(pki.found(self._clock())))
            return authorities_in(made)
        stored = authorities_in(secret)
        advanced = pki.advance(stored, self._clock())
        if advanced != stored:
            LOG.info("rotating the certificate authority", secret=secret.name)
            await self._store.replace(secret, _authority_data(advanced))
        return advanced

    async def _guard_secret(self, authorities: Authorities) -> PathSecrets:
        secret = await self._store.find(settings.GUARD_SECRET)
        if secret is None:
            first = PathSecrets.new(self._clock())
            data = self._guard_data({}, authorities, first)
            made = await self._store.create(settings.GUARD_SECRET, data, _since(first))
            return path_secrets_in(made)
        path_secrets = path_secrets_in(secret).advanced(self._clock())
        data = self._guard_data(secret.data, authorities, path_secrets)
        if data != secret.data:
            LOG.info("renewing what guards serve", secret=secret.name)
            await self._store.replace(secret, data, _since(path_secrets))
        return path_secrets

    def _guard_data(
        self, old: Mapping[str, bytes], authorities: Authorities, path_secrets: PathSecrets
    ) -> Mapping[str, bytes]:
        return self._leaf(old, authorities, self._names) | {
            "ca.crt": authorities.bundle,
            "path-secrets": path_secrets.encode(),
        }

    async def _records_secret(self, authorities: Authorities) -> None:
        secret = await self._store.find(settings.RECORDS_SECRET)
        data = self._leaf(secret.data if secret else {}, authorities, self._records_names)
        if secret is None:
            await self._store.create(settings.RECORDS_SECRET, data)
        elif data != secret.data:
            LOG.info("renewing what those serve who serve AuditRecords", secret=secret.name)
            await self._store.replace(secret, data)

    def _leaf(self, old: Mapping[str, bytes], authorities: Authorities, names: tuple[str, ...]) -> dict[str, bytes]:
        """A serving certificate and its key: those that there are, or new ones."""
        leaf = Pair(certificate=old.get("tls.crt", b""), key=old.get("tls.key", b""))
        if not pki.serves(leaf, authorities, names, self._clock()):
            leaf = pki.issue(authorities, names, self._clock())
        return {"tls.crt": leaf.certificate, "tls.key": leaf.key}


def authorities_in(secret: StoredSecret) -> Authorities:
    """Read Secret interlock-ca.

    Raises:
        BadInput: it does not hold authorities.
    """
    following = secret.data.get("next.crt")
    authorities = Authorities(
        signer=Pair(certificate=secret.value("ca.crt"), key=secret.value("ca.key")),
        next=Pair(certificate=following, key=secret.value("next.key")) if following else None,
        previous=secret.data.get("previous.crt", b""),
    )
    try:
        pki.check(authorities)
    except ValueError as error:
        raise BadInput(field=f"Secret {secret.name}", got=str(error), expected="PEM certificates and keys") from error
    return authorities


def path_secrets_in(secret: StoredSecret) -> PathSecrets:
    """Read the path secrets of Secret interlock-guard.

    Raises:
        BadInput: there are none, or it does not say since when.
    """
    values = tuple(secret.value("path-secrets").decode("ascii", errors="replace").split())
    if not values:
        raise BadInput(field=f"Secret {secret.name}, path-secrets", got="nothing", expected="a secret")
    return PathSecrets(values=values, since=times.read(secret.annotations.get(SINCE_ANNOTATION, "")))


def _since(path_secrets: PathSecrets) -> Mapping[str, str]:
    return {SINCE_ANNOTATION: times.write(path_secrets.since)}


def _authority_data(authorities: Authorities) -> Mapping[str, bytes]:
    data = {"ca.crt": authorities.signer.certificate, "ca.key": authorities.signer.key}
    if authorities.next is not None:
        data |= {"next.crt": authorities.next.certificate, "next.key": authorities.next.key}
    return data | ({"previous.crt": authorities.previous} if authorities.previous else {})
