"""Waiting for Interlock's own kind: Helm starts processes while the API server may still be taking the CRD in."""

import asyncio

import structlog

from interlock.errors import ClusterError, NotFound
from interlock.kube.client import ApiClient
from interlock.kube.reading import Kind

LOG = structlog.get_logger(__name__)

POLL_SECONDS = 0.5


async def served(api: ApiClient, kind: Kind) -> None:
    """Return once the API server serves a kind; what is missing is said once."""
    said = ""
    while True:
        try:
            found = await api.get(f"/apis/{kind.group}/{kind.version}")
            if any(resource.get("name") == kind.plural for resource in found.get("resources") or ()):
                return
            why = f"{kind.group}/{kind.version} has no {kind.plural}"
        except NotFound:
            why = f"no {kind.group}/{kind.version}: is the CRD installed?"
        except ClusterError as error:
            why = str(error)
        if why != said:
            LOG.warning("waiting for the kind to be served", kind=kind.plural, why=why)
            said = why
        await asyncio.sleep(POLL_SECONDS)
