"""Reading JSON of a known shape: the shape is a msgspec type, and whatever else the bytes are is bad input.

msgspec's decoder speaks of malformed documents in three ways, two of which (broken UTF-8, nesting without end) are not
its own errors. They become one here, for those who read what an attacker may have stored.
"""

from typing import TypeVar

import msgspec

from interlock.errors import BadInput

T = TypeVar("T")


def read(data: bytes, shape: type[T], *, field: str, expected: str) -> T:
    """Decode a document into its shape.

    Args:
        data: the document.
        shape: a msgspec.Struct type.
        field: what the document is, for the error.
        expected: what would have been accepted, for the error.

    Raises:
        BadInput: the bytes are no such document.
    """
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(field=field, got=str(error), expected=expected) from error
