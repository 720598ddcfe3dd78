"""Bounded reads of objects of any kind, as a decision needs them: is the owner of this object really going?

A kind's resource name comes from discovery, which is kept: reading an owner costs one request, not two.
"""

import asyncio
from dataclasses import dataclass

from interlock.core import unstructured
from interlock.core.types import JsonObject
from interlock.errors import ClusterError, Forbidden, NotFound, Unavailable
from interlock.kube import paths
from interlock.kube.client import ApiClient

KNOWN_SECONDS = 600.0  # a group's resources change when somebody installs or upgrades an operator
UNKNOWN_SECONDS = 10.0  # a kind that was not there is looked for again after this, not for every review


@dataclass(frozen=True, slots=True)
class _Discovered:
    resources: dict[str, tuple[str, bool]]  # kind -> (resource, namespaced)
    at: float


class KubeReader:
    """Implements `core.ports.ClusterReader`."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._groups: dict[str, _Discovered] = {}

    async def get_by_kind(
        self, *, api_version: str, kind: str, namespace: str, name: str, seconds: float
    ) -> JsonObject:
        """Read one object.

        Raises:
            NotFound: it does not exist.
            Forbidden: our account may not read it, or the kind is unknown.
            Unavailable: no answer within `seconds`; nothing is known.
        """
        try:
            async with asyncio.timeout(seconds):
                path = await self._path(api_version, kind, namespace, name)
                return await self._api.get(path, seconds=seconds)
        except TimeoutError as error:
            raise Unavailable(f"{kind} {name}: no answer in {seconds} s") from error
        except (NotFound, Forbidden, Unavailable):
            raise
        except ClusterError as error:  # a request that the server does not understand: we cannot read such a thing
            raise Forbidden(str(error)) from error

    async def _path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """The object's path.

        Raises:
            Forbidden: no such kind, or a name that no object has.
        """
        resource, namespaced = await self._resource(api_version, kind)
        if not name:
            raise Forbidden(f"{kind}: an owner without a name")
        group, _, version = api_version.rpartition("/")
        return paths.named(group, version, resource, name, namespace=namespace if namespaced else "")

    async def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        now = asyncio.get_running_loop().time()
        known = self._groups.get(api_version)
        if known is None or now - known.at > (KNOWN_SECONDS if kind in known.resources else UNKNOWN_SECONDS):
            known = self._groups[api_version] = _Discovered(await self._discover(api_version), now)
        try:
            return known.resources[kind]
        except KeyError:
            raise Forbidden(f"{api_version} {kind}: no such kind") from None

    async def _discover(self, api_version: str) -> dict[str, tuple[str, bool]]:
        group, _, version = api_version.rpartition("/")
        path = paths.collection(group, version, "").rstrip("/")
        try:
            answer = await self._api.get(path)
        except NotFound:
            return {}
        return {
            unstructured.text(resource, "kind"): (resource["name"], unstructured.flag(resource, "namespaced"))
            for resource in unstructured.items(answer, "resources")
            if "/" not in resource["name"]  # a subresource
        }
