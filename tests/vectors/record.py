"""Records the vectors: plays every scenario on a real cluster, with a webhook that allows all and keeps the bytes.

    python -m tests.vectors.record      # with KUBECONFIG and kubectl of a cluster made by `hack/cluster up --bare`

`hack/update vectors` does that with a cluster of its own. Nothing in a review is changed or left out; the file is what
the API server sent. It must reach the webhook on 127.0.0.1, so both run on one machine.
"""

import base64
import os
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import trustme

from interlock.core.types import JsonObject
from tests.support.kubectl import Kubectl, eventually
from tests.vectors import DIRECTORY
from tests.vectors.changes import CHANGES
from tests.vectors.connections import CONNECTIONS
from tests.vectors.deletions import DELETIONS
from tests.vectors.objects import NAMESPACE, thing
from tests.vectors.scenario import Scenario, Wanted

ARRIVAL_SECONDS = 30.0  # a controller's part may take that long
SETTLE_SECONDS = 20.0  # a new webhook configuration is in force within 2 s
NAME = "record-vectors"


class Recorder(ThreadingHTTPServer):
    """A webhook server that allows everything and keeps every review, in the order of arrival."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.reviews: list[bytes] = []

    def taken(self, wanted: tuple[Wanted, ...], since: int) -> dict[str, bytes]:
        """The reviews that are wanted, as far as they have arrived; each is taken once, in order."""
        waiting, found = list(wanted), {}
        for body in self.reviews[since:]:
            for one in waiting:
                if fits(one, orjson.loads(body)["request"]):
                    found[one.vector] = body
                    waiting.remove(one)
                    break
        return found


class Answering(BaseHTTPRequestHandler):
    """One review."""

    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_POST(self) -> None:
        """Keep it and allow it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reviews.append(body)
        answer = orjson.dumps(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {"uid": orjson.loads(body)["request"]["uid"], "allowed": True},
            }
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing."""


def fits(wanted: Wanted, request: JsonObject) -> bool:
    """Whether a review is one that is wanted."""
    subresource = request.get("subResource", "")
    what = f"{request['operation']} {request['resource']['resource']}{'/' if subresource else ''}{subresource}"
    return (
        what == wanted.what
        and wanted.user in request["userInfo"]["username"]
        and wanted.of in {"", request.get("name", "")}
    )


@contextmanager
def recorder() -> Iterator[tuple[Recorder, bytes]]:
    """A running recorder, and the certificate that it is checked against."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Recorder(context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, authority.cert_pem.bytes()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def configuration(port: int, authority: bytes) -> JsonObject:
    """The webhook configuration that sends everything but what goes on all the time anyway."""
    webhook = {
        "name": "record.vectors.example.org",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": base64.b64encode(authority).decode()},
        "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}],
        "matchConditions": [
            {"name": "no-noise", "expression": "!(request.resource.resource in ['events', 'leases', 'endpointslices'])"}
        ],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = "ValidatingWebhookConfiguration"
    return thing("admissionregistration.k8s.io/v1", kind, NAME, namespace="", webhooks=[webhook])


def play(kubectl: Kubectl, server: Recorder, scenario: Scenario) -> dict[str, bytes]:
    """Play one scenario and return what is to be kept of it."""
    for step in scenario.setup:
        if isinstance(step, dict):
            kubectl.must("apply", "-f", "-", stdin=orjson.dumps(step).decode())
        else:
            kubectl.must(*step)
    since = len(server.reviews)
    outcome = kubectl(*scenario.act, stdin=orjson.dumps(scenario.stdin).decode() if scenario.stdin else "")
    assert outcome.ok or scenario.may_fail, f"kubectl {' '.join(scenario.act)}: {outcome.err}"
    names = [wanted.vector for wanted in scenario.kept]
    found: dict[str, bytes] = {}

    def _complete() -> bool:
        found.update(server.taken(scenario.kept, since))
        return len(found) == len(names)

    eventually(_complete, seconds=ARRIVAL_SECONDS, what=f"reviews {names} of kubectl {' '.join(scenario.act)}")
    return found


def record(kubectl: Kubectl) -> dict[str, bytes]:
    """Play everything on a cluster; what is left there goes with the cluster."""
    vectors: dict[str, bytes] = {}
    with recorder() as (server, authority):
        kubectl.apply(thing("v1", "Namespace", NAMESPACE, namespace=""))
        kubectl.apply(configuration(server.server_address[1], authority))
        try:
            eventually(lambda: _listening(kubectl, server), seconds=SETTLE_SECONDS, what="the webhook being called")
            for scenario in (*CONNECTIONS, *CHANGES, *DELETIONS):
                vectors |= play(kubectl, server, scenario)
        finally:
            kubectl.must("delete", "validatingwebhookconfiguration", NAME)
    return vectors


def main() -> None:
    """Record every vector anew and remove those that no scenario names any more."""
    vectors = record(Kubectl(kubeconfig=os.environ["KUBECONFIG"]))
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    for name, body in sorted(vectors.items()):
        (DIRECTORY / f"{name}.json").write_bytes(body)
    sys.stdout.write(f"{len(vectors)} vectors, {sum(map(len, vectors.values()))} bytes\n")


def _listening(kubectl: Kubectl, server: Recorder) -> bool:
    kubectl("create", "configmap", "probe", "-n", NAMESPACE, "--dry-run=server")
    return bool(server.reviews)


if __name__ == "__main__":
    main()
