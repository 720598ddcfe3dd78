"""The cluster's authorisation, asked by SubjectAccessReviews and remembered for a moment.

`kubectl get -w`, a page after the other and fifty dashboards ask the same again and again; a right that was given or
taken away is in force here within `REMEMBERED_SECONDS`. Questions that are alike and under way are one question.
"""

import asyncio
from collections import OrderedDict
from dataclasses import asdict, dataclass

from interlock.core import unstructured
from interlock.core.ports import Access
from interlock.core.types import JsonObject, User
from interlock.kube import paths
from interlock.kube.client import ApiClient

REMEMBERED_SECONDS = 10.0
"""As the API server's own delegated authorisers remember a denial by default."""

REMEMBERED_ANSWERS = 4096
"""Some hundred bytes each; beyond that the oldest goes."""

_PATH = paths.collection("authorization.k8s.io", "v1", "subjectaccessreviews")

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    allowed: bool
    at: float


class AccessReviews:
    """`core.ports.AccessReviewer` by the Kubernetes API."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._answers: OrderedDict[_Key, _Answer] = OrderedDict()
        self._asking: dict[_Key, asyncio.Task[bool]] = {}

    async def allows(self, user: User, access: Access) -> bool:
        """Whether a user may; the answer may be `REMEMBERED_SECONDS` old.

        Raises:
            ClusterError: nobody knows.
        """
        key = _key(user, access)
        known = self._answers.get(key)
        if known and asyncio.get_running_loop().time() - known.at < REMEMBERED_SECONDS:
            return known.allowed
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, user, access))
            asking.add_done_callback(lambda task: self._done(key, task))
        return await asyncio.shield(asking)  # whoever leaves must not take the answer from others

    async def _ask(self, key: _Key, user: User, access: Access) -> bool:
        found = await self._api.create(_PATH, _review(user, access))
        allowed = unstructured.flag(found, "status", "allowed") and not unstructured.flag(found, "status", "denied")
        self._answers.pop(key, None)
        self._answers[key] = _Answer(allowed, asyncio.get_running_loop().time())
        if len(self._answers) > REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)
        return allowed

    def _done(self, key: _Key, task: asyncio.Task[bool]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever asked has it; if all of them left, nobody misses it


def _key(user: User, access: Access) -> _Key:
    return (user.name, user.uid, user.groups, tuple(sorted(user.extra.items())), access)


def _review(user: User, access: Access) -> JsonObject:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user.name,
            "uid": user.uid,
            "groups": user.groups,
            "extra": user.extra,
            "resourceAttributes": {name: value for name, value in asdict(access).items() if value},
        },
    }
