"""Does a store really lock? What whoever holds its credentials could try is tried, on an object made for it.

That a request was refused proves nothing: a policy of the account may have refused it, or the server may have said no
and done it all the same. So a check counts only if afterwards the version is still there, with the same bytes, the same
mode, and a date that is no earlier. Servers differ in how they refuse (AWS says 403 where MinIO says 400), and that
does not matter. Run it with a credential that *may* delete versions, not with the shipper's, which may never.

It writes below `selftest/`, under a lock of one day, and leaves two small objects there. Nothing else is touched, but
that versioning is asked to be suspended; where that is allowed it is switched on again at once. A lifecycle rule, for
the object alone, is tried only on a bucket that has none: a bucket has one set of them, and it is the owner's.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock.core.ports import LockedObject
from interlock.errors import Forbidden, InterlockError, NameTaken, NotFound
from interlock.ledger.stores.address import Address
from interlock.ledger.stores.s3 import COMPLIANCE, S3Store, checksum, told

PREFIX = "selftest"
LOCK = timedelta(days=1)
BODY_LIMIT = 1024
ENABLED = "Enabled"
ALLOWED = "allowed"

Attempt = Callable[["_Target"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One attempt and what became of it.

    Attributes:
        name: what was tried.
        holds: whether the object is afterwards what it was.
        text: what the store said, and what is wrong with the object if it does not hold.
    """

    name: str
    holds: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The object that everything is tried on."""

    client: Any
    bucket: str
    key: str
    version: str

    @property
    def whole(self) -> dict[str, str]:
        """Bucket, key and version, as requests name them."""
        return {"Bucket": self.bucket, "Key": self.key, "VersionId": self.version}


async def prove(client: object, address: Address, *, run: str) -> AsyncIterator[Check]:
    """Try everything, one after another.

    Args:
        client: an S3 client whose credentials may do all that is tried.
        address: bucket and prefix.
        run: unlike that of any other run; part of the key.

    Raises:
        InterlockError: the object could not even be stored and locked; nothing is known then.
    """
    store = S3Store(client, address)
    key = f"{PREFIX}/{run}"
    body = f"A proof that this store locks what it holds: {run}\n".encode()
    until = (await store.now()).replace(microsecond=0) + LOCK
    version = await store.put(key, body, retain_until=until)
    target = _Target(client=client, bucket=address.bucket, key=address.key(key), version=version)
    before = await store.head(key, version=version)
    yield _stored(before, body, until)
    yield await _created_once(store, key, body, until)
    for name, attempt in ATTEMPTS.items():
        said = await _said(attempt, target, name)
        yield Check(name=name, **await _judged(store, key, before, body, said))
    if await _has_no_rules(target):
        said = await _expired(target)
        yield Check(name="have a lifecycle rule expire it", **await _judged(store, key, before, body, said))
    yield await _versioned(target)


def _stored(found: LockedObject, body: bytes, until: datetime) -> Check:
    faults = [
        *([] if found.version else ["the bucket keeps no versions"]),
        *([] if found.mode == COMPLIANCE else [f"its mode is {found.mode or 'none'}"]),
        *([] if found.retain_until and found.retain_until >= until else [f"it is locked until {found.retain_until}"]),
        *([] if found.sha256 in {"", hashlib.sha256(body).hexdigest()} else ["its digest is another"]),
    ]
    return Check(name="store under COMPLIANCE", holds=not faults, text="; ".join(faults) or f"locked until {until}")


async def _created_once(store: S3Store, key: str, body: bytes, until: datetime) -> Check:
    try:
        await store.put(key, body, retain_until=until)
    except NameTaken as refusal:
        return Check(name="create it again", holds=True, text=f"refused: {refusal}")
    except InterlockError as error:
        return Check(name="create it again", holds=False, text=str(error))
    return Check(name="create it again", holds=False, text="allowed: If-None-Match is not heeded")


async def _versioned(target: _Target) -> Check:
    """Whether versioning goes on when it is asked to be suspended; it does again afterwards, whatever happened."""
    said = await _said(_suspend_versioning, target, "suspend versioning")
    with told("read versioning"):
        status = (await target.client.get_bucket_versioning(Bucket=target.bucket)).get("Status", "")
    if status != ENABLED:
        await _versioning(target, ENABLED)
    return Check(name="suspend versioning", holds=status == ENABLED, text=said)


async def _has_no_rules(target: _Target) -> bool:
    """Whether it is known that the bucket has no lifecycle rules."""
    try:
        with told("read lifecycle rules"):
            return not (await target.client.get_bucket_lifecycle_configuration(Bucket=target.bucket)).get("Rules")
    except NotFound:
        return True
    except InterlockError:
        return False


async def _expired(target: _Target) -> str:
    """What is said to a lifecycle rule that expires every version of the object; it is gone again afterwards."""
    said = await _said(_expire, target, "put a lifecycle rule")
    if said == ALLOWED:
        with told("delete the lifecycle rule"):
            await target.client.delete_bucket_lifecycle(Bucket=target.bucket)
    return said


async def _said(attempt: Attempt, target: _Target, name: str) -> str:
    try:
        with told(name):
            await attempt(target)
    except Forbidden as refusal:
        return f"refused: {refusal}"
    except InterlockError as error:
        return str(error)
    return ALLOWED


async def _judged(store: S3Store, key: str, before: LockedObject, body: bytes, said: str) -> dict[str, Any]:
    """Whether the version is what it was, whatever was said."""
    try:
        after = await store.head(key, version=before.version)
        held = await store.get(key, version=before.version, limit=BODY_LIMIT)
    except InterlockError as error:
        return {"holds": False, "text": f"{said}; afterwards it cannot be read: {error}"}
    if held != body or after.mode != before.mode:
        return {"holds": False, "text": f"{said}; afterwards its bytes or its mode ({after.mode or 'none'}) are others"}
    if after.retain_until is None or before.retain_until is None or after.retain_until < before.retain_until:
        return {"holds": False, "text": f"{said}; afterwards it is locked until {after.retain_until} only"}
    return {"holds": True, "text": said}


# ------------------------------------------------------------------------------------------------------ attempts


async def _delete(target: _Target) -> None:
    await target.client.delete_object(**target.whole)


async def _delete_bypassing(target: _Target) -> None:
    await target.client.delete_object(**target.whole, BypassGovernanceRetention=True)


async def _delete_in_a_batch(target: _Target) -> None:
    listed = {"Objects": [{"Key": target.key, "VersionId": target.version}], "Quiet": False}
    answer = await target.client.delete_objects(Bucket=target.bucket, Delete=listed)
    for error in answer.get("Errors", ()):  # a batch answers 200, and refuses by object
        raise Forbidden(f"delete_objects: {error.get('Code', '')} {error.get('Message', '')}".rstrip())


async def _shorten(target: _Target) -> None:
    held = await target.client.get_object_retention(**target.whole)
    until = held["Retention"]["RetainUntilDate"] - timedelta(hours=12)
    await _retain(target, {"Mode": COMPLIANCE, "RetainUntilDate": until})


async def _downgrade(target: _Target) -> None:
    held = await target.client.get_object_retention(**target.whole)
    await _retain(target, {"Mode": "GOVERNANCE", "RetainUntilDate": held["Retention"]["RetainUntilDate"]})


async def _unlock(target: _Target) -> None:
    await _retain(target, {})


async def _retain(target: _Target, retention: dict[str, object]) -> None:
    await target.client.put_object_retention(**target.whole, Retention=retention, BypassGovernanceRetention=True)


async def _overwrite(target: _Target) -> None:
    body = b"other"
    await target.client.put_object(Bucket=target.bucket, Key=target.key, Body=body, ChecksumSHA256=checksum(body))


async def _suspend_versioning(target: _Target) -> None:
    await _versioning(target, "Suspended")


async def _versioning(target: _Target, status: str) -> None:
    await target.client.put_bucket_versioning(Bucket=target.bucket, VersioningConfiguration={"Status": status})


async def _expire(target: _Target) -> None:
    rule = {
        "ID": "interlock-selftest",
        "Status": ENABLED,
        "Filter": {"Prefix": target.key},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    await target.client.put_bucket_lifecycle_configuration(
        Bucket=target.bucket, LifecycleConfiguration={"Rules": [rule]}
    )


async def _hide(target: _Target) -> None:
    await target.client.delete_object(Bucket=target.bucket, Key=target.key)


ATTEMPTS: dict[str, Attempt] = {
    "delete the version": _delete,
    "delete it, bypassing governance": _delete_bypassing,
    "delete it in a batch": _delete_in_a_batch,
    "shorten its lock": _shorten,
    "downgrade its lock to governance": _downgrade,
    "take its lock away": _unlock,
    "overwrite it": _overwrite,
    "hide it behind a delete marker": _hide,
    "delete the version behind the marker": _delete,
}
"""Every attempt by name, in this order: some prepare the ground for those after them."""
