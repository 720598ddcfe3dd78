"""The volumes of a pod as directories: tokens, ConfigMaps, Secrets, the downward API, empty directories.

As a kubelet does it, with a kubelet's rights: tokens by TokenRequest, bound to the pod, with the audience and lifetime
that the pod asks for, renewed after four fifths of their life; objects read again now and then; files replaced in one
step, so that no reader sees half of one. A missing object that is not optional holds the pod back until it is there.
"""

import base64
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools.cluster import podspec
from devtools.cluster.api import NOT_FOUND, Api, ApiError, Object
from devtools.cluster.podspec import Surroundings

TOKEN_LIFE = 0.8  # of its lifetime, after which a token is renewed; as the kubelet
TOKEN_SECONDS = 3600  # lifetime where the pod names none; the API's default
FILE_MODE = 0o644  # where the volume names none; the API's default

Files = dict[str, bytes]


class MissingError(Exception):
    """A ConfigMap or Secret that the pod needs is not there (yet); the message names it."""


@dataclass(slots=True)
class Volumes:
    """The volumes of one pod.

    Attributes:
        api: the API as the node.
        pod: the pod.
        around: its surroundings.
        tokens: those asked for, by audience and lifetime, each with the time at which to renew it.
    """

    api: Api
    pod: Object
    around: Surroundings
    tokens: dict[tuple[str, int], tuple[bytes, float]] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Bring every file up to date.

        Raises:
            MissingError: an object that is not optional does not exist.
            ApiError: the server refused.
            aiohttp.ClientError: it could not be reached.
        """
        for volume in self.pod["spec"].get("volumes") or []:
            directory = self._directory(volume["name"])
            directory.mkdir(parents=True, exist_ok=True)
            kind = next(key for key in volume if key != "name")
            if kind != "emptyDir":
                mode = volume[kind].get("defaultMode", FILE_MODE)
                _replace(directory, await self._files(kind, volume[kind]), mode)

    def link(self, container: Object, home: Path) -> None:
        """Put the mounts of a container in their places."""
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        for mount in container.get("volumeMounts") or []:
            place = podspec.mounted(home, mount["mountPath"])
            if place.is_dir() and not place.is_symlink():
                place.rmdir()  # the temporary directory made above, where the pod mounts one of its own
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_symlink():
                place.symlink_to(self._directory(mount["name"]) / mount.get("subPath", ""))

    def _directory(self, volume: str) -> Path:
        return self.around.root / "volumes" / volume

    async def _files(self, kind: str, source: dict[str, Any]) -> Files:
        match kind:
            case "projected":
                parts = [await self._files(key, part[key]) for part in source["sources"] for key in part]
                return {name: content for part in parts for name, content in part.items()}
            case "serviceAccountToken":
                return {source["path"]: await self._token(source)}
            case "downwardAPI":
                return {
                    item["path"]: podspec.field(self.pod, item["fieldRef"]["fieldPath"], self.around).encode()
                    for item in source["items"]
                }
            case "configMap":
                return _selected(source, await self._object("configmaps", source["name"], source))
            case _:  # a Secret, whose name has another key where it is a volume of its own
                name = source.get("secretName") or source["name"]
                return _selected(source, await self._object("secrets", name, source))

    async def _object(self, resource: str, name: str, source: dict[str, Any]) -> Files:
        """The content of a ConfigMap or Secret."""
        try:
            found = await self.api.get(f"/api/v1/namespaces/{self.pod['metadata']['namespace']}/{resource}/{name}")
        except ApiError as error:
            if error.code == NOT_FOUND and source.get("optional"):
                return {}
            if error.code == NOT_FOUND:
                raise MissingError(f"{resource.removesuffix('s')} {name!r} not found") from error
            raise
        encoded = found.get("data", {}) if resource == "secrets" else found.get("binaryData", {})
        plain = {} if resource == "secrets" else found.get("data", {})
        return {
            **{key: value.encode() for key, value in plain.items()},
            **{key: base64.b64decode(value) for key, value in encoded.items()},
        }

    async def _token(self, source: dict[str, Any]) -> bytes:
        audience, seconds = source.get("audience", ""), source.get("expirationSeconds", TOKEN_SECONDS)
        token, renew = self.tokens.get((audience, seconds), (b"", 0.0))
        if time.monotonic() >= renew:
            token = await self._request_token(audience, seconds)
            self.tokens[audience, seconds] = token, time.monotonic() + TOKEN_LIFE * seconds
        return token

    async def _request_token(self, audience: str, seconds: int) -> bytes:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        pod = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        request = {"audiences": [audience] if audience else [], "expirationSeconds": seconds, "boundObjectRef": pod}
        account = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{spec['serviceAccountName']}"
        answer = await self.api.create(f"{account}/token", {"spec": request})
        token: str = answer["status"]["token"]
        return token.encode()


def _selected(source: dict[str, Any], content: Files) -> Files:
    """All keys, or those listed under the paths that they are to have."""
    if "items" not in source:
        return content
    return {item["path"]: content[item["key"]] for item in source["items"] if item["key"] in content}


def _replace(directory: Path, files: Files, mode: int) -> None:
    """Make the directory hold exactly these files, touching only what differs."""
    for present in [path for path in directory.rglob("*") if path.is_file()]:
        if str(present.relative_to(directory)) not in files:
            present.unlink()
    for name, content in files.items():
        path = directory / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f".{path.name}.new")
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
                file.write(content)
            scratch.replace(path)
