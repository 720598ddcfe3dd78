"""Family `interactive`."""

from typing import Any

from interlock.core.types import Request
from tests.core.catalogue_cases.case import Case
from tests.support.policies import request


def connect(subresource: str, namespace: str = "shop", **options: Any) -> Request:
    """A CONNECT to pod web-0."""
    return request("CONNECT", f"pods/{subresource}", namespace=namespace, new=options)


INTERACTIVE: dict[str, Case] = {
    "a command, without its arguments": (
        "exec",
        connect("exec", container="app", command=["psql", "-c", "hunter2"]),
        ["High, reaches shop: exec psql with 2 arguments in pod web-0 in shop, container app"],
    ),
    "a shell": (
        "exec",
        connect("exec", command=["/bin/sh"], stdin=True, tty=True),
        ["High, reaches shop: exec /bin/sh with 0 arguments in pod web-0 in shop, its default container, stdin, tty"],
    ),
    "a command line in one argument shows its program only": (
        "exec",
        connect("exec", command=["curl -H 'Authorization: hunter2'", "x"]),
        ["High, reaches shop: exec curl with 1 argument in pod web-0 in shop, its default container"],
    ),
    "an assignment shows its name only": (
        "exec",
        connect("exec", command=["PGPASSWORD=hunter2 psql"]),
        ["High, reaches shop: exec PGPASSWORD with 0 arguments in pod web-0 in shop, its default container"],
    ),
    "a program that forges a line": (
        "exec",
        connect("exec", command=["sh\n"], container="\x1b[1mapp"),
        ["High, reaches shop: exec sh with 0 arguments in pod web-0 in shop, container \\x1b[1mapp"],
    ),
    "a command of another type": (
        "exec",
        connect("exec", command="sh", container=["app"]),
        ["High, reaches shop: exec an unknown program in pod web-0 in shop, its default container"],
    ),
    "a command where the cluster itself runs": (
        "exec",
        connect("exec", "kube-system", command=["id"], container="dns"),
        ["Critical, reaches kube-system: exec id with 0 arguments in pod web-0 in kube-system, container dns"],
    ),
    "attach": (
        "attach",
        connect("attach", container="app", stdin=True),
        ["High, reaches shop: attach to pod web-0 in shop, container app, stdin"],
    ),
    "port-forward": (
        "port-forward",
        connect("portforward"),
        ["Medium, reaches shop: forward ports of pod web-0 in shop"],
    ),
    "port-forward where the cluster itself runs": (
        "port-forward",
        connect("portforward", "kube-system"),
        ["High, reaches kube-system: forward ports of pod web-0 in kube-system"],
    ),
    "a proxy is no exec": ("exec", connect("proxy"), []),
    "attach is no exec": ("exec", connect("attach"), []),
    "exec is no attach": ("attach", connect("exec"), []),
    "a proxy is no port-forward": ("port-forward", connect("proxy"), []),
}
