"""YAML and JSON files, read the strict way: no key twice, no text that turns into a date."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from interlock.core import jsonbytes
from interlock.core.rehearsal.objects import is_manifest
from interlock.core.types import JsonObject
from interlock.errors import BadInput

MAX_FILE_BYTES = 4 * 2**20
"""4 MiB: more than any object in etcd; a mistaken path should not fill memory."""

SUFFIXES = (".yaml", ".yml", ".json")

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """Refuses what two readers could read two ways."""

    yaml_implicit_resolvers = {  # noqa: RUF012  a class attribute by PyYAML's design
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        """A mapping whose keys are texts, each once.

        Raises:
            MarkedYAMLError: they are not.
        """
        seen = set[str]()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def documents(path: Path) -> list[Any]:
    """Every document of a file that holds something.

    Raises:
        BadInput: it cannot be read, or is no YAML; names file and line.
    """
    try:
        text = _text(path)
        if path.suffix == ".json":
            return [_json(path, text)]
        found = [document for document in yaml.load_all(text, _Loader) if document is not None]
        orjson.dumps(found)  # what JSON cannot say, no API server takes
    except TypeError as error:
        raise BadInput(field=str(path), got=str(error), expected="what JSON can say as well") from error
    except OSError as error:
        raise BadInput(field=str(path), got=error.strerror or str(error), expected="a file that can be read") from error
    except UnicodeDecodeError as error:
        raise BadInput(field=str(path), got="bytes that are no text", expected="YAML in UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _refused(path, error) from error
    return found


def below(directory: Path, word: str) -> list[Path]:
    """Files below a directory that can be read here and have a word in them, in order.

    So a directory may hold what is no YAML but looks like it, templates of a chart for example.
    """
    found = sorted(each for each in directory.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    return [each for each in found if _mentions(each, word.encode())]


def _mentions(path: Path, word: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return word in file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return True  # whoever reads it says why it cannot be


def manifests(path: Path) -> list[JsonObject]:
    """Every object of a file, the items of lists one by one.

    Raises:
        BadInput: it cannot be read, or holds something else than objects with apiVersion, kind and a name.
    """
    found = [item for document in documents(path) for item in _items(document)]
    for index, item in enumerate(found):
        if not is_manifest(item):
            raise BadInput(
                field=f"{path}[{index}]",
                got="something else",
                expected="an object with apiVersion, kind, metadata.name",
            )
    return found


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"more than {MAX_FILE_BYTES} bytes")
    return data.decode()


def _json(path: Path, text: str) -> Any:  # noqa: ANN401  a JSON document can be anything
    """Read JSON as JSON: YAML reads some of its numbers as texts, and no tabs.

    Raises:
        BadInput: it is none, or has a key twice.
    """
    data = text.encode()
    try:
        value = jsonbytes.loads(data)
    except BadInput as error:
        raise BadInput(field=str(path), got=error.got, expected=error.expected) from error
    if (repeated := jsonbytes.duplicate_key(data, value)) is not None:
        raise BadInput(field=str(path), got=f"the key {repeated} twice", expected="every key once")
    return value


def _items(document: object) -> Iterator[Any]:
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
        yield from document["items"] or []
    else:
        yield document


def _refused(path: Path, error: Exception) -> BadInput:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return BadInput(field=where, got=getattr(error, "problem", None) or str(error), expected="YAML, every key once")
