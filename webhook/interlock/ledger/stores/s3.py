"""S3 and what speaks its language, through aiobotocore, which is imported only when a store is opened.

- One PUT for each object, never in parts, with `If-None-Match: *`, a SHA-256 and the lock on the request itself:
  a bucket's default lock is not relied on, and several servers forget it.
- Nothing is retried here: whether a request may be repeated is known to whoever made it.
- 412 means that the key exists. 409 means that two writers met and nobody won, which is no answer yet.
- `If-None-Match: *` succeeds over a delete marker, so reading back lists versions, not keys. VersityGW says 412.
- A HEAD that names no lock is not believed: VersityGW's does not name that of a version under a newer one.
"""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Protocol

from interlock.core.ports import LockedObject
from interlock.errors import BadInput, Forbidden, InterlockError, NameTaken, NotFound, Unavailable
from interlock.ledger.stores.address import Address

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
"""Longest wait for an answer; a segment is a megabyte at most."""

COMPLIANCE = "COMPLIANCE"
PAGE_ITEMS = 1000
"""Versions in one page of a listing, the most that S3 gives."""


class _Stream(Protocol):
    async def read(self, amount: int) -> bytes:
        """Up to so many bytes; none at the end."""


class S3Store:
    """Implements `core.ports.ObjectStore` in one bucket, under one prefix."""

    def __init__(self, client: object, address: Address) -> None:
        """Prepare.

        Args:
            client: an S3 client of aiobotocore.
            address: which bucket and prefix.
        """
        self._client = client
        self._address = address

    @property
    def name(self) -> str:
        """What to call it."""
        return str(self._address)

    async def put(self, key: str, body: bytes, *, retain_until: datetime) -> str:
        """Store an object under COMPLIANCE until then; returns its version.

        Raises:
            NameTaken: an object of that key exists.
            Unavailable: it may or may not have been stored.
            Forbidden: the store refuses.
        """
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._address.kms} if self._address.kms else {}
        answer = await self._ask(
            "put_object",
            Key=self._address.key(key),
            Body=body,
            ChecksumSHA256=checksum(body),
            IfNoneMatch="*",
            ObjectLockMode=COMPLIANCE,
            ObjectLockRetainUntilDate=retain_until,
            **encryption,
        )
        return str(answer.get("VersionId", ""))

    async def head(self, key: str, *, version: str = "") -> LockedObject:
        """What is known of an object.

        Raises:
            NotFound: there is none.
            Unavailable: no answer.
            Forbidden: the store refuses.
        """
        answer = await self._ask("head_object", Key=self._address.key(key), ChecksumMode="ENABLED", **_version(version))
        found = str(answer.get("VersionId", ""))
        mode, until = str(answer.get("ObjectLockMode", "")), answer.get("ObjectLockRetainUntilDate")
        if not mode:
            mode, until = await self._retention(key, found)
        return LockedObject(
            key=key,
            version=found,
            size=int(answer["ContentLength"]),
            sha256=_hex(str(answer.get("ChecksumSHA256", ""))),
            mode=mode,
            retain_until=until,
            modified=answer["LastModified"],
            latest=not version,
            deleted=False,
        )

    async def get(self, key: str, *, version: str = "", limit: int) -> bytes:
        """Read an object.

        Raises:
            NotFound: there is none.
            BadInput: it has more than `limit` bytes.
            Unavailable: no answer, or one that broke off.
            Forbidden: the store refuses.
        """
        answer = await self._ask("get_object", Key=self._address.key(key), **_version(version))
        async with answer["Body"] as stream:
            with told(f"GET {key}"):
                body = await _all(stream, limit + 1)
        if len(body) > limit:
            raise BadInput(field=key, got=f"more than {limit} bytes", expected=f"at most {limit}")
        return body

    async def versions(self, prefix: str) -> AsyncIterator[LockedObject]:
        """Every version and delete marker below a prefix, by key; what a server repeats between pages comes once."""
        seen: set[tuple[str, str]] = set()
        markers: dict[str, str] = {}
        while True:
            page = await self._ask(
                "list_object_versions", Prefix=self._address.key(prefix), MaxKeys=PAGE_ITEMS, **markers
            )
            found = [*(page.get("Versions") or ()), *(page.get("DeleteMarkers") or ())]
            for each in sorted(found, key=lambda one: str(one["Key"])):
                if (each["Key"], each["VersionId"]) not in seen:
                    seen.add((each["Key"], each["VersionId"]))
                    yield self._listed(each)
            if not page.get("IsTruncated"):
                return
            markers = {"KeyMarker": page["NextKeyMarker"]}  # passed back untouched
            if page.get("NextVersionIdMarker"):
                markers["VersionIdMarker"] = page["NextVersionIdMarker"]

    async def now(self) -> datetime:
        """The store's clock, by the Date of an answer.

        Raises:
            Unavailable: no answer, or one without a date.
            Forbidden: the store refuses.
        """
        answer = await self._ask("head_bucket")
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(date).astimezone(UTC)
        except ValueError as error:
            raise Unavailable(f"{self.name}: an answer with date {date[:40]!r}") from error

    async def _retention(self, key: str, version: str) -> tuple[str, datetime | None]:
        """Mode and date of a lock, asked for by themselves; none where the account may not see them, as in a HEAD."""
        try:
            answer = await self._ask("get_object_retention", Key=self._address.key(key), **_version(version))
        except (NotFound, Forbidden):
            return "", None
        lock: dict[str, Any] = answer.get("Retention", {})
        return str(lock.get("Mode", "")), lock.get("RetainUntilDate")

    def _listed(self, each: dict[str, Any]) -> LockedObject:
        return LockedObject(
            key=str(each["Key"]).removeprefix(self._address.key("")),
            version=str(each["VersionId"]),
            size=int(each.get("Size", 0)),
            sha256="",
            mode="",
            retain_until=None,
            modified=each["LastModified"],
            latest=bool(each["IsLatest"]),
            deleted="Size" not in each,
        )

    async def _ask(self, operation: str, **parameters: object) -> dict[str, Any]:
        with told(f"{operation} {parameters.get('Key', '')}".strip()):
            answer: dict[str, Any] = await getattr(self._client, operation)(Bucket=self._address.bucket, **parameters)
        return answer


@asynccontextmanager
async def opened(address: Address) -> AsyncIterator[S3Store]:
    """A store, with a connection pool of its own for the length of the block."""
    async with client(address) as made:
        yield S3Store(made, address)


@asynccontextmanager
async def client(address: Address) -> AsyncIterator[object]:
    """An S3 client, for what `ObjectStore` does not offer.

    Raises:
        InterlockError: the extra `s3` is not installed.
    """
    try:
        from aiobotocore.config import AioConfig  # noqa: PLC0415  half a second and 30 MB, for those who need it
        from aiobotocore.session import get_session  # noqa: PLC0415
    except ImportError as error:
        raise InterlockError(
            f"{address}: S3 needs the extra s3: pip install 'interlock-webhook[s3]' ({error})"
        ) from error

    checksums = "when_required" if address.checksums == "required" else "when_supported"
    config = AioConfig(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": address.style},
        signature_version="s3v4",
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    options = {"endpoint_url": address.endpoint or None, "region_name": address.region or None, "config": config}
    async with get_session().create_client("s3", **options) as made:
        yield made


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell what the library raises in our own errors.

    Raises:
        InterlockError: the one that it means.
    """
    try:
        yield
    except InterlockError:
        raise
    except Exception as error:
        meaning = _meaning(what, error)
        if meaning is None:
            raise
        raise meaning from error


def checksum(body: bytes) -> str:
    """SHA-256 as S3 writes it, in base64."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def _meaning(what: str, error: Exception) -> InterlockError | None:
    from aiohttp import ClientError as ConnectionFailed  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415

    if isinstance(error, ClientError):
        status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
        said = error.response.get("Error", {})
        return _by_status(status)(f"{what}: {status} {said.get('Code', '')} {said.get('Message', '')}".rstrip())
    if isinstance(error, NoCredentialsError):
        return Forbidden(f"{what}: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    if isinstance(error, BotoCoreError | ConnectionFailed | OSError):  # a timeout is an OSError
        return Unavailable(f"{what}: {str(error) or type(error).__name__}")
    return None


def _by_status(status: int) -> type[InterlockError]:
    known: dict[int, type[InterlockError]] = {
        HTTPStatus.NOT_FOUND: NotFound,
        HTTPStatus.METHOD_NOT_ALLOWED: NotFound,  # a read of a delete marker
        HTTPStatus.PRECONDITION_FAILED: NameTaken,
        HTTPStatus.CONFLICT: Unavailable,
        HTTPStatus.TOO_MANY_REQUESTS: Unavailable,
    }
    if status in known:
        return known[status]
    return Forbidden if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else Unavailable


async def _all(stream: _Stream, limit: int) -> bytes:
    """Read to the end, or to the limit; one read gives no more than what has arrived."""
    body = bytearray()
    while len(body) < limit and (chunk := await stream.read(limit - len(body))):
        body += chunk
    return bytes(body)


def _version(version: str) -> dict[str, str]:
    return {"VersionId": version} if version else {}


def _hex(encoded: str) -> str:
    return base64.b64decode(encoded).hex() if encoded else ""
