"""Where a store is, in one line that people write.

    s3://BUCKET/PREFIX?endpoint=https://minio.example:9000&region=eu-central-1&style=path&checksums=required&kms=KEY

    endpoint    an S3 that is not AWS; absent for AWS
    region      absent: what the environment says
    style       how the bucket stands in the URL: ``virtual`` (default without endpoint) or ``path`` (default with one)
    checksums   ``supported`` (default), or ``required``: only where S3 demands one, for servers that know no others
    kms         encrypt with this key of the server's key management, which the cluster does not hold

Credentials are not in it: they come as AWS's own tools take them, from variables, files, or an account's token (IRSA).
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

from interlock.errors import BadInput

SCHEME = "s3"
STYLES = ("virtual", "path")
CHECKSUMS = ("supported", "required")
OPTIONS = ("endpoint", "region", "style", "checksums", "kms")

EXPECTED = f"s3://BUCKET/PREFIX, with any of the options {', '.join(OPTIONS)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A bucket and what lies under a prefix of it.

    Attributes:
        bucket: its name.
        prefix: of every key, without slashes at its ends; may be empty.
        endpoint, region: empty where they are left to the environment.
        style: how the bucket stands in a URL.
        checksums: which requests carry one.
        kms: key to encrypt with; empty for none.
    """

    bucket: str
    prefix: str
    endpoint: str = ""
    region: str = ""
    style: str = "virtual"
    checksums: str = "supported"
    kms: str = ""

    def __str__(self) -> str:
        """Bucket and prefix, which is all that a message needs."""
        return f"{SCHEME}://{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name: str) -> str:
        """The bucket's key of what is called so below the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            BadInput: it is none.
        """
        parts = urlsplit(text)
        if parts.scheme != SCHEME or not parts.netloc or parts.fragment:
            raise BadInput(field="store", got=repr(text[:200]), expected=EXPECTED)
        options = _options(parts.query)
        endpoint = options.get("endpoint", "")
        return cls(
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=endpoint,
            region=options.get("region", ""),
            style=_one_of("style", options.get("style", "path" if endpoint else "virtual"), STYLES),
            checksums=_one_of("checksums", options.get("checksums", CHECKSUMS[0]), CHECKSUMS),
            kms=options.get("kms", ""),
        )


def _options(query: str) -> dict[str, str]:
    given = parse_qs(query, keep_blank_values=True)
    for name, values in given.items():
        if name not in OPTIONS or len(values) != 1 or not values[0]:
            raise BadInput(field=f"store option {name[:40]}", got=repr(values)[:80], expected=EXPECTED)
    return {name: values[0] for name, values in given.items()}


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise BadInput(field=f"store option {name}", got=repr(value[:40]), expected=" or ".join(known))
    return value
