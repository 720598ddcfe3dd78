"""Manifests in YAML files, read as kubectl reads them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import UsageError

STANDARD_INPUT = "-"


class _Loader(yaml.SafeLoader):
    """Leaves dates and instants the texts that they are in JSON, as kubectl does."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def objects(file: str, *, kind: str) -> list[JsonObject]:
    """The objects of one kind in a file of YAML documents or lists; ``-`` is standard input.

    Raises:
        UsageError: the file cannot be read, is no YAML, or has no object of this kind.
    """
    try:
        text = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
        documents = list(yaml.load_all(text, Loader=_Loader))
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{file}: cannot be read as YAML: {error}") from error
    found = [obj for document in documents for obj in _flat(document) if obj.get("kind") == kind]
    if not found:
        raise UsageError(f"{file}: got no {kind}, expected one at least")
    return found


def _flat(document: Any) -> Iterator[JsonObject]:  # noqa: ANN401  whatever the file holds
    if isinstance(document, dict):
        yield document
        yield from unstructured.items(document, "items")
