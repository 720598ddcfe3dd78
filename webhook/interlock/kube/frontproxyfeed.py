"""Follows what the API server says of its front proxy: its ConfigMap in kube-system, which it keeps up to date."""

from collections.abc import AsyncIterator

import structlog

from interlock.core import unstructured
from interlock.core.auditapi.frontproxy import FrontProxy
from interlock.errors import BadInput
from interlock.kube import named
from interlock.kube.client import ApiClient

LOG = structlog.get_logger(__name__)

NAME, NAMESPACE = "extension-apiserver-authentication", "kube-system"


async def follow(api: ApiClient) -> AsyncIterator[FrontProxy]:
    """How the front proxy proves itself, now and at every change; what makes no sense is logged and left out."""
    async for obj in named.follow(api, "configmaps", NAME, namespace=NAMESPACE):
        try:
            found = FrontProxy.read(unstructured.mapping(obj, "data"))
        except BadInput as error:
            LOG.error("what the API server says of its front proxy is not used", why=str(error))
        else:
            yield found
