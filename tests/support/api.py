"""Raw calls to the API server, for what kubectl is too slow or too polite for."""

import base64
import http.client
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import yaml

CALL_SECONDS = 30.0  # longer than any webhook timeout, so that a failed call is seen as what it is


class Api:
    """One keep-alive connection to the API server as the kubeconfig's current user."""

    def __init__(self, kubeconfig: str, *, seconds: float = CALL_SECONDS) -> None:
        """Read the kubeconfig's first cluster and user; only client certificates are understood."""
        found: dict[str, Any] = yaml.safe_load(Path(kubeconfig).read_text())
        cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
        context = ssl.create_default_context(cadata=pem(cluster, "certificate-authority"))
        with tempfile.TemporaryDirectory() as scratch:
            pair = Path(scratch) / "pair.pem"
            pair.write_text(pem(user, "client-certificate") + "\n" + pem(user, "client-key"))
            context.load_cert_chain(pair)
        address = urlsplit(cluster["server"])
        self._connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=context, timeout=seconds
        )

    def __enter__(self) -> Self:
        """Nothing to open: the connection opens with the first call."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def call(
        self, method: str, path: str, body: object = None, *, acting_as: Sequence[str] = ()
    ) -> tuple[int, dict[str, Any]]:
        """One request; status and decoded body. A PATCH is a JSON merge patch.

        Args:
            method: HTTP method.
            path: of the request.
            body: what to send.
            acting_as: a user to impersonate, and then its groups.
        """
        payload = b"" if body is None else orjson.dumps(body)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        names = ("Impersonate-User", *("Impersonate-Group" for _ in acting_as[1:]))
        self._connection.putrequest(method, path)
        for name, value in (*zip(names, acting_as, strict=False), ("Content-Type", kind)):
            self._connection.putheader(name, value)
        self._connection.putheader("Content-Length", str(len(payload)))
        self._connection.endheaders(payload or None)
        answer = self._connection.getresponse()
        return answer.status, orjson.loads(answer.read())

    def stream(self, path: str, *, accept: str) -> http.client.HTTPResponse:
        """Begin a GET whose answer is read as it comes."""
        self._connection.request("GET", path, headers={"Accept": accept})
        return self._connection.getresponse()


def pem(entry: dict[str, str], key: str) -> str:
    """A PEM that a kubeconfig holds inline or by file name."""
    if inline := entry.get(f"{key}-data"):
        return base64.b64decode(inline).decode()
    return Path(entry[key]).read_text()
