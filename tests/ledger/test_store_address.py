"""Where a store is, as people write it."""

import pytest

from interlock.errors import BadInput
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
