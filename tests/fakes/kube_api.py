"""A Kubernetes API server in memory, over real HTTP: discovery, get, list, watch, create, patch, replace, delete.

It keeps to what our code relies on: resourceVersions are numbers that only grow, lists are consistent, a watch sends in
order what came after its resourceVersion, a name taken is a 409 and so is a uid or resourceVersion that is not the
stored one, applying creates unless it names a uid. A test changes objects with `put` and `remove`, makes a path fail
with `fail`, and breaks watches with `cut`, after which `forget` makes their resourceVersions too old.
It checks neither schemas nor rights.
"""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from interlock.core.types import JsonObject

Key = tuple[str, str]
Event = tuple[int, str, JsonObject]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that the server serves."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = False

    @property
    def api_version(self) -> str:
        """As objects spell it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


POLICIES = Kind("interlock.dev", "v1alpha1", "dangerpolicies", "DangerPolicy")
NAMESPACES = Kind("", "v1", "namespaces", "Namespace")
SECRETS = Kind("", "v1", "secrets", "Secret", namespaced=True)
SERVICES = Kind("", "v1", "services", "Service", namespaced=True)
CONFIG_MAPS = Kind("", "v1", "configmaps", "ConfigMap", namespaced=True)
CLUSTER_ROLES = Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole")
ROLES = Kind("rbac.authorization.k8s.io", "v1", "roles", "Role", namespaced=True)
CLUSTER_ROLE_BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding")
ROLE_BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced=True)
LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)
REPLICA_SETS = Kind("apps", "v1", "replicasets", "ReplicaSet", namespaced=True)
CRDS = Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
WEBHOOKS = Kind(
    "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"
)
ENDPOINT_SLICES = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", namespaced=True)
EVENTS = Kind("events.k8s.io", "v1", "events", "Event", namespaced=True)
API_SERVICES = Kind("apiregistration.k8s.io", "v1", "apiservices", "APIService")
ACCESS_REVIEWS = Kind("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview")

KINDS = (
    POLICIES, NAMESPACES, SECRETS, SERVICES, CONFIG_MAPS, CLUSTER_ROLES, ROLES,
    CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, LEASES, REPLICA_SETS, CRDS, WEBHOOKS,
    ENDPOINT_SLICES, EVENTS, API_SERVICES, ACCESS_REVIEWS,
)  # fmt: skip

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass
class _Store:
    objects: dict[Key, JsonObject] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    watchers: set[asyncio.Queue[Event | None]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Target:
    """What a request's path names."""

    kind: Kind
    namespace: str
    name: str


class KubeApi:
    """The server.

    Attributes:
        version: resourceVersion of the newest change.
        requests: method and path of everything asked, watches as WATCH.
        allowed: users to whom SubjectAccessReviews allow everything.
    """

    def __init__(self) -> None:
        self.version = 100
        self.requests: list[tuple[str, str]] = []
        self._stores = {kind: _Store() for kind in KINDS}
        self._uids = itertools.count(1)
        self.allowed: set[str] = set()
        self._failures: dict[str, int] = {}
        self._oldest = 0

    # ------------------------------------------------------------------------------------------ for tests

    def put(self, kind: Kind, obj: JsonObject) -> JsonObject:
        """Create or change an object; a changed spec raises its generation."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        before = self._stores[kind].objects.get(key)
        self.version += 1
        known: JsonObject = before["metadata"] if before else self._new_metadata()
        same = before is not None and before.get("spec") == obj.get("spec")
        stored = obj | {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": metadata
            | {
                "uid": known["uid"],
                "creationTimestamp": known["creationTimestamp"],
                "generation": known["generation"] + (0 if same else 1),
                "resourceVersion": str(self.version),
            },
        }
        self._tell(kind, "MODIFIED" if before else "ADDED", key, stored)
        return stored

    def _new_metadata(self) -> JsonObject:
        return {"uid": f"uid-{next(self._uids)}", "generation": 0, "creationTimestamp": "2026-11-25T12:00:00Z"}

    def remove(self, kind: Kind, name: str, namespace: str = "") -> None:
        """Delete an object."""
        key = (namespace, name)
        self.version += 1
        gone = self._stores[kind].objects[key]
        stored = gone | {"metadata": gone["metadata"] | {"resourceVersion": str(self.version)}}
        self._tell(kind, "DELETED", key, stored)

    def object(self, kind: Kind, name: str, namespace: str = "") -> JsonObject | None:
        """An object as it is stored."""
        return self._stores[kind].objects.get((namespace, name))

    def names(self, kind: Kind) -> list[str]:
        """Names of all objects of a kind."""
        return [name for _, name in self._stores[kind].objects]

    def fail(self, path: str, status: int) -> None:
        """Answer everything below this path with a status, 0 for as usual again."""
        self._failures[path] = status

    def cut(self) -> None:
        """End every watch."""
        for store in self._stores.values():
            for watcher in store.watchers:
                watcher.put_nowait(None)

    def upset(self) -> None:
        """End every watch with an error that no client expects."""
        error = {"kind": "Status", "code": 500, "message": "etcdserver: no leader", "metadata": {"name": ""}}
        for store in self._stores.values():
            for watcher in store.watchers:
                watcher.put_nowait((self.version + 1_000_000, "ERROR", error))

    def forget(self) -> None:
        """Have every resourceVersion so far be too old to watch from."""
        self._oldest = self.version

    def rewind(self, version: int) -> None:
        """Go back to an older history, as a restored etcd does."""
        self.version = version

    @asynccontextmanager
    async def serve(self, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Listen; gives the base URL."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        scheme = "https" if context else "http"
        server = TestServer(app, scheme=scheme)
        await server.start_server(shutdown_timeout=0.1, ssl=context)
        try:
            yield f"{scheme}://{server.host}:{server.port}"
        finally:
            self.cut()
            await server.close()

    def _tell(self, kind: Kind, event: str, key: Key, stored: JsonObject) -> None:
        store = self._stores[kind]
        if event == "DELETED":
            del store.objects[key]
        else:
            store.objects[key] = stored
        store.events.append((self.version, event, stored))
        for watcher in store.watchers:
            watcher.put_nowait(store.events[-1])

    # ------------------------------------------------------------------------------------------ answers

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch") == "true"
        self.requests.append(("WATCH" if watching else request.method, request.path))
        for path, status in self._failures.items():
            if status and request.path.startswith(path):
                return _status(status, "made to fail")
        if (found := self._discovery(request.path)) is not None:
            return web.json_response(found)
        target = self._target(request.path)
        if target is None:
            return _status(404, "no such resource")
        if watching:
            return await self._watch(request, target)
        body = await request.json() if request.can_read_body else {}
        return self._verb(request, target, body)

    def _verb(self, request: web.Request, target: _Target, body: JsonObject) -> web.Response:
        if not target.name:
            return self._create(target, body) if request.method == "POST" else self._list(request, target)
        stored = self.object(target.kind, target.name, target.namespace)
        if stored is None and _applies(request) and "uid" not in body["metadata"]:
            return self._create(target, body)
        if stored is None:
            return _status(404, f"{target.name} not found")
        if request.method in {"PATCH", "PUT", "DELETE"} and not _expected(stored, body):
            return _status(409, f"{target.name} is another one, or has changed", "Conflict")
        match request.method:
            case "PATCH":
                stored = self.put(target.kind, _merged(stored, body))
            case "PUT":
                stored = self.put(target.kind, body)
            case "DELETE":
                self.remove(target.kind, target.name, target.namespace)
            case _:
                pass
        return web.json_response(stored)

    def _create(self, target: _Target, body: JsonObject) -> web.Response:
        if target.kind is ACCESS_REVIEWS:  # answered, and not stored
            return web.json_response(body | {"status": {"allowed": body["spec"]["user"] in self.allowed}}, status=201)
        name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{self.version}"
        if body["metadata"].get("generateName", "").endswith("."):
            return _status(422, "metadata.generateName: must end with an alphanumeric character", "Invalid")
        body = body | {"metadata": body["metadata"] | {"name": name}}
        if self.object(target.kind, name, target.namespace) is not None:
            return _status(409, f"{name} exists", "AlreadyExists")
        metadata = body["metadata"] | ({"namespace": target.namespace} if target.namespace else {})
        return web.json_response(self.put(target.kind, body | {"metadata": metadata}), status=201)

    def _list(self, request: web.Request, target: _Target) -> web.Response:
        items = [
            {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
            for obj in self._stores[target.kind].objects.values()
            if _selected(request, target, obj)
        ]
        return web.json_response(
            {
                "apiVersion": target.kind.api_version,
                "kind": f"{target.kind.kind}List",
                "metadata": {"resourceVersion": str(self.version)},
                "items": items,
            }
        )

    async def _watch(self, request: web.Request, target: _Target) -> web.StreamResponse:
        store, queue = self._stores[target.kind], asyncio.Queue[Event | None]()
        asked = request.query.get("resourceVersion", "")
        since = int(asked or self.version)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for present in [] if asked else list(store.objects.values()):  # without a version: what is there, then changes
            if _selected(request, target, present):
                await _send(response, "ADDED", present)
        if since < self._oldest:
            await _send(response, "ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})
            return response
        for past in store.events:
            queue.put_nowait(past)
        store.watchers.add(queue)
        try:
            while (happened := await queue.get()) is not None:
                version, event, obj = happened
                if version > since and (event == "ERROR" or _selected(request, target, obj)):
                    await _send(response, event, obj)
        finally:
            store.watchers.discard(queue)
        return response

    # ------------------------------------------------------------------------------------------ paths

    def _discovery(self, path: str) -> JsonObject | None:
        groups = sorted({kind.group for kind in KINDS if kind.group})
        if path == "/api":
            return {"versions": ["v1"]}
        if path == "/apis":
            return {"groups": [_group(group) for group in groups]}
        kinds = [kind for kind in KINDS if kind.root == path]
        return {"resources": [_resource(kind) for kind in kinds]} if kinds else None

    def _target(self, path: str) -> _Target | None:
        for kind in KINDS:
            if path.startswith(f"{kind.root}/"):
                parts = path.removeprefix(f"{kind.root}/").split("/")
                namespace = ""
                if kind.namespaced and parts[0] == "namespaces" and len(parts) > 2:
                    namespace, parts = parts[1], parts[2:]
                if parts[0] == kind.plural and parts[2:] in ([], ["status"]):
                    return _Target(kind, namespace, "".join(parts[1:2]))
        return None


def _selected(request: web.Request, target: _Target, obj: JsonObject) -> bool:
    metadata: JsonObject = obj["metadata"]
    name = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
    namespace = target.namespace
    has: dict[str, str] = metadata.get("labels", {})
    wanted = [part.partition("=") for part in request.query.get("labelSelector", "").split(",") if part]
    labels = all(key in has and (not sign or has[key] == value) for key, sign, value in wanted)
    here = (not name or metadata["name"] == name) and (not namespace or metadata.get("namespace") == namespace)
    return here and labels


def _applies(request: web.Request) -> bool:
    return request.method == "PATCH" and request.content_type == "application/apply-patch+yaml"


def _expected(stored: JsonObject, body: JsonObject) -> bool:
    """Whether uid and resourceVersion are the stored ones, where the body names them."""
    wanted = body.get("metadata") or body.get("preconditions", {})
    return all(
        wanted.get(key, stored["metadata"][key]) == stored["metadata"][key] for key in ("uid", "resourceVersion")
    )


def _merged(stored: JsonObject, patch: JsonObject) -> JsonObject:
    """RFC 7386: objects are merged, null removes."""
    merged = {key: value for key, value in stored.items() if key not in patch}
    for key, value in patch.items():
        old = stored.get(key)
        if isinstance(value, dict):
            merged[key] = _merged(old if isinstance(old, dict) else {}, value)
        elif value is not None:
            merged[key] = value
    return merged


async def _send(response: web.StreamResponse, event: str, obj: JsonObject) -> None:
    await response.write(json.dumps({"type": event, "object": obj}).encode() + b"\n")


def _status(code: int, message: str, reason: str = "") -> web.Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code)


def _group(group: str) -> JsonObject:
    versions = [
        {"groupVersion": f"{group}/{version}", "version": version}
        for version in sorted({kind.version for kind in KINDS if kind.group == group})
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resource(kind: Kind) -> JsonObject:
    return {
        "name": kind.plural,
        "singularName": "",
        "kind": kind.kind,
        "namespaced": kind.namespaced,
        "verbs": VERBS,
    }
