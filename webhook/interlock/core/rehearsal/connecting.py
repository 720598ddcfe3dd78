"""Reviews of connections to pods, services and nodes: exec, attach, port-forward and the proxies.

They show the object's name and the options of the connection, so the object itself need not be described.
"""

from collections.abc import Mapping

from interlock.core.rehearsal import reviews
from interlock.core.rehearsal.objects import DEFAULT_NAMESPACE, Resource
from interlock.core.rehearsal.sentence import FIELD, Sentence, number
from interlock.core.text import printable
from interlock.core.types import JsonObject, Operation
from interlock.errors import BadInput

PROXY = "proxy"

_CONNECTIONS: Mapping[str, tuple[str, str]] = {
    "exec": ("exec", "PodExecOptions"),
    "attach": ("attach", "PodAttachOptions"),
    "port-forward": ("portforward", "PodPortForwardOptions"),
}
_PROXIES = {"pods": "PodProxyOptions", "services": "ServiceProxyOptions", "nodes": "NodeProxyOptions"}
_PLURALS = {"pod": "pods", "service": "services", "node": "nodes"}

VERBS = frozenset({*_CONNECTIONS, PROXY})


def review(sentence: Sentence) -> bytes:
    """The review of a CONNECT.

    Raises:
        BadInput: nobody connects to such a resource that way, or a flag makes no sense.
    """
    plural = _PLURALS.get(sentence.resource, sentence.resource)
    subresource, options_kind = _CONNECTIONS.get(sentence.verb) or (PROXY, _PROXIES.get(plural, ""))
    if not options_kind or (sentence.verb != PROXY and plural != "pods"):
        expected = " or ".join(f"{each}/NAME" for each in (_PROXIES if sentence.verb == PROXY else ("pods",)))
        raise BadInput(field=FIELD, got=f"{sentence.verb} {printable(sentence.resource)}", expected=expected)
    return reviews.review(
        operation=Operation.CONNECT,
        resource=Resource(group="", version="v1", kind=options_kind, plural=plural),
        subresource=subresource,
        name=sentence.name,
        namespace="" if plural == "nodes" else sentence.namespace or DEFAULT_NAMESPACE,
        user=sentence.user,
        new={"kind": options_kind, "apiVersion": "v1", **_connection_options(sentence)},
        dry_run="--dry-run" in sentence.flags,
    )


def _connection_options(sentence: Sentence) -> JsonObject:
    if sentence.verb == "port-forward":
        return {"ports": [number(word, "a port") for word in sentence.words]} if sentence.words else {}
    if sentence.verb == PROXY:
        return {"path": "/"}
    switches = {name: True for name in ("stdin", "tty") if f"--{name}" in sentence.flags}
    container = sentence.flags.get("--container", "")
    if sentence.verb == "exec" and not sentence.command:
        raise BadInput(field=FIELD, got="exec without a command", expected="-- COMMAND before as USER")
    return {
        **switches,
        "stdout": True,
        **({"container": container} if container else {}),
        **({"command": list(sentence.command)} if sentence.command else {}),
    }
