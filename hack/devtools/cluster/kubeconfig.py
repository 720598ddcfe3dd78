"""Kubeconfig files that carry everything they need: one cluster, one user, certificates inside."""

import base64
import os
from pathlib import Path
from typing import Any

import yaml

from devtools.cluster.pki import Pair


def write(path: Path, *, server: str, authority: Path, user: str, client: Pair, cluster: str) -> None:
    """Write a kubeconfig for a client certificate, readable by its owner only.

    Args:
        path: the file.
        server: URL of the API server.
        authority: certificate that its serving certificate is checked against.
        user: what to call the user; the certificate decides who it is.
        client: the user's certificate and key.
        cluster: what to call the cluster and the context.
    """
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _data(authority)}}],
        "users": [{"name": user, "user": credentials(client)}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
    }
    save(path, content)


def credentials(client: Pair) -> dict[str, str]:
    """The user part of a kubeconfig for a client certificate."""
    return {"client-certificate-data": _data(client.certificate), "client-key-data": _data(client.key)}


def nobody(server: str) -> dict[str, Any]:
    """A kubeconfig for a server that asks nobody for a name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "default",
        "clusters": [{"name": "default", "cluster": {"server": server}}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": ""}}],
    }


def save(path: Path, content: dict[str, Any]) -> None:
    """Write YAML, readable by its owner only."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        yaml.safe_dump(content, file, sort_keys=False)


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
