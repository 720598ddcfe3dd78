"""Where a store is, as people write it, and what it takes to reach it."""

import sys

import pytest

from interlock.errors import BadInput, InterlockError
from interlock.ledger.stores import s3
from interlock.ledger.stores.address import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://records", Address(bucket="records", prefix="")),
        ("s3://records/", Address(bucket="records", prefix="")),
        ("s3://records/a/b/", Address(bucket="records", prefix="a/b")),
        (
            "s3://records/a?endpoint=https://minio:9000",
            Address(bucket="records", prefix="a", endpoint="https://minio:9000", style="path"),
        ),
        (
            "s3://records?region=eu-central-1&style=path&checksums=required&kms=alias/audit",
            Address(
                bucket="records",
                prefix="",
                region="eu-central-1",
                style="path",
                checksums="required",
                kms="alias/audit",
            ),
        ),
    ],
)
def test_read(text: str, address: Address) -> None:
    """Bucket, prefix and options are what stands there, the rest is what most people mean."""
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "records", "https://records", "s3://", "s3:///a", "s3://b?host=x", "s3://b?style=other", "s3://b?kms=",
     "s3://b?region=a&region=b", "s3://b#f"],
)  # fmt: skip
def test_refused(text: str) -> None:
    """A mistake is told by its name."""
    with pytest.raises(BadInput, match="store"):
        Address.parse(text)


def test_name() -> None:
    """Messages name bucket and prefix, and nothing that came with them."""
    assert str(Address.parse("s3://records/a?endpoint=https://user:secret@minio")) == "s3://records/a"


@pytest.mark.parametrize(("prefix", "key"), [("", "a/1"), ("here/there", "here/there/a/1")])
def test_keys(prefix: str, key: str) -> None:
    """What lies below a prefix has it before its name."""
    assert Address(bucket="records", prefix=prefix).key("a/1") == key


async def test_extra_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the S3 library is not installed, the error says what to install."""
    monkeypatch.setitem(sys.modules, "aiobotocore.config", None)

    with pytest.raises(InterlockError, match=r"pip install 'interlock-webhook\[s3\]'"):
        async with s3.client(Address(bucket="records", prefix="")):
            pass
