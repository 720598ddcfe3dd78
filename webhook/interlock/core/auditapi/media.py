"""Which form of an answer a client takes: the Accept header, as the API server reads it.

Everything here is JSON. What differs is the kind of the object (`as`, `g` and `v` in the media type): the resource
itself, a Table for people, or metadata only; and for `/apis` the aggregated discovery document. A client that takes
protobuf or CBOR and nothing else gets 406, as from the API server for custom resources.
"""

from collections.abc import Sequence
from enum import StrEnum

JSON = "application/json"


class Form(StrEnum):
    """What an answer can be, as the media type that says so."""

    OBJECT = JSON
    TABLE = f"{JSON};as=Table;g=meta.k8s.io;v=v1"
    METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    DISCOVERY = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


_SHAPES = {
    (): Form.OBJECT,
    ("Table", "meta.k8s.io", "v1"): Form.TABLE,
    ("PartialObjectMetadata", "meta.k8s.io", "v1"): Form.METADATA,
    ("PartialObjectMetadataList", "meta.k8s.io", "v1"): Form.METADATA_LIST,
    ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2"): Form.DISCOVERY,
}
_RANGES = frozenset({"*/*", "application/*", JSON})


def chosen(accept: str, offered: Sequence[Form]) -> Form | None:
    """The form that a client likes best; None if it takes none of those offered.

    Args:
        accept: the header; several of them joined by commas; empty takes anything.
        offered: what there is, the plain object first.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    for quality, form in sorted(ranges, key=lambda each: -each[0]):
        if quality > 0 and form in offered:
            return form
    return None


def _range(text: str) -> tuple[float, Form | None]:
    """One media range: how much it is liked, and what it asks for; None for what is not spoken here."""
    media, *rest = (part.strip() for part in text.split(";"))
    parameters = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
    if media.lower() not in _RANGES:
        return 0.0, None
    shape = tuple(parameters[name] for name in ("as", "g", "v") if name in parameters)
    return _quality(parameters.get("q", "1")), _SHAPES.get(shape)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
