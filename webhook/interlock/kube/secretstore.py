"""Secrets as bytes by key: read, made once, replaced only by who has read what it replaces."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import BadInput, NameTaken, NotFound
from interlock.kube import paths
from interlock.kube.client import ApiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A Secret as the API server holds it.

    Attributes:
        data: decoded.
        annotations: of the object.
        raw: the object, whose resourceVersion lets `SecretStore.replace` replace just this state.
    """

    name: str
    data: Mapping[str, bytes] = field(repr=False)
    annotations: Mapping[str, str]
    raw: JsonObject = field(repr=False)

    def value(self, key: str) -> bytes:
        """One entry.

        Raises:
            BadInput: there is none.
        """
        try:
            return self.data[key]
        except KeyError as error:
            raise BadInput(field=f"Secret {self.name}, {key}", got="nothing", expected="a value") from error


class SecretStore:
    """The Secrets of one namespace."""

    def __init__(self, api: ApiClient, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def find(self, name: str) -> StoredSecret | None:
        """Read a Secret; None if there is none.

        Raises:
            ClusterError: the API server did not answer as needed.
        """
        try:
            return secret_of(await self._api.get(paths.named("", "v1", "secrets", name, namespace=self._namespace)))
        except NotFound:
            return None

    async def create(
        self, name: str, data: Mapping[str, bytes], annotations: Mapping[str, str] | None = None
    ) -> StoredSecret:
        """Make a Secret; if somebody else has just made it, theirs is used.

        Raises:
            ClusterError: the API server did not do what was asked.
        """
        body = self._body(name, data, annotations or {})
        path = paths.collection("", "v1", "secrets", namespace=self._namespace)
        try:
            return secret_of(await self._api.create(path, body))
        except NameTaken:
            return secret_of(await self._api.get(paths.named("", "v1", "secrets", name, namespace=self._namespace)))

    async def replace(
        self, stored: StoredSecret, data: Mapping[str, bytes], annotations: Mapping[str, str] | None = None
    ) -> StoredSecret:
        """Replace what a Secret holds, unless it has changed since it was read; its labels and annotations stay.

        Raises:
            Conflict: it has changed.
            ClusterError: the API server did not do what was asked.
        """
        metadata = stored.raw["metadata"] | {"annotations": {**stored.annotations, **(annotations or {})}}
        path = paths.named("", "v1", "secrets", stored.name, namespace=self._namespace)
        return secret_of(await self._api.replace(path, stored.raw | {"metadata": metadata, "data": _encoded(data)}))

    def _body(self, name: str, data: Mapping[str, bytes], annotations: Mapping[str, str]) -> JsonObject:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self._namespace, "annotations": dict(annotations)},
            "type": "Opaque",
            "data": _encoded(data),
        }


def _encoded(data: Mapping[str, bytes]) -> JsonObject:
    return {key: base64.b64encode(value).decode() for key, value in data.items()}


def secret_of(obj: JsonObject) -> StoredSecret:
    """Read a Secret; the API server has checked that its values are base64."""
    return StoredSecret(
        name=obj["metadata"]["name"],
        data={key: base64.b64decode(value) for key, value in unstructured.mapping(obj, "data").items()},
        annotations=unstructured.mapping(obj, "metadata", "annotations"),
        raw=obj,
    )
