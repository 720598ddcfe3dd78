"""Family `interactive`: a person inside a running pod, or a tunnel into it.

Admission sees the request to connect, before the pod is even looked up, and nothing of what then flows. Evidence names
the container, the program and how many arguments it has; never the arguments, which may be secrets.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import target
from interlock.core.catalogue.entry import Entry, RoleBook, Rule, Seen
from interlock.core.types import Operation, Request, Severity

FAMILY = "interactive"
SYSTEM_NAMESPACE = "kube-system"
MAX_PROGRAM_RUNES = 64
"""Enough for a path; more may be a whole command line in one argument."""


def _connects(subresource: str) -> tuple[Rule, ...]:
    return (Rule(operations=(Operation.CONNECT,), groups=("",), resources=(f"pods/{subresource}",)),)


def _exec(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    evidence = f"exec {_command(request)} in pod {target.named(request)}, {_container(request)}{_streams(request)}"
    yield _seen(request, evidence, Severity.CRITICAL)


def _attach(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield _seen(
        request, f"attach to pod {target.named(request)}, {_container(request)}{_streams(request)}", Severity.CRITICAL
    )


def _port_forward(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield _seen(request, f"forward ports of pod {target.named(request)}", Severity.HIGH)


def _seen(request: Request, evidence: str, in_system_namespace: Severity) -> Seen:
    severity = in_system_namespace if request.namespace == SYSTEM_NAMESPACE else None
    return Seen(evidence, target.reach(request), severity)


def _command(request: Request) -> str:
    argv = unstructured.items(request.object, "command")
    # A whole command line in the first argument may hold secrets, and so may `NAME=value` before a program.
    words = argv[0].split(maxsplit=1) if argv and isinstance(argv[0], str) else []
    program = words[0].partition("=")[0] if words else ""
    if not program:
        return "an unknown program"
    return f"{text.printable(program, MAX_PROGRAM_RUNES)} with {text.counted(len(argv) - 1, 'argument')}"


def _container(request: Request) -> str:
    container = unstructured.text(request.object, "container")
    return f"container {text.printable(container)}" if container else "its default container"


def _streams(request: Request) -> str:
    return "".join(f", {stream}" for stream in ("stdin", "tty") if unstructured.flag(request.object, stream))


INTERACTIVE = (
    Entry(
        id="exec",
        family=FAMILY,
        title="Run a program in a container (also kubectl cp)",
        severity=Severity.HIGH,
        raised="Critical in kube-system.",
        rules=_connects("exec"),
        misses="What is typed and sent afterwards; whether the pod exists, how privileged it is; the kubelet's port.",
        example="kubectl exec -it web-0 -n prod-shop -- sh",
        references=("T1609",),
        detect=_exec,
    ),
    Entry(
        id="attach",
        family=FAMILY,
        title="Attach to a running container's main process",
        severity=Severity.HIGH,
        raised="Critical in kube-system.",
        rules=_connects("attach"),
        misses="What is typed and sent afterwards; whether the pod exists and how privileged it is.",
        example="kubectl attach -it web-0 -n prod-shop",
        references=("T1609",),
        detect=_attach,
    ),
    Entry(
        id="port-forward",
        family=FAMILY,
        title="Open a tunnel to a pod's ports",
        severity=Severity.MEDIUM,
        raised="High in kube-system.",
        rules=_connects("portforward"),
        misses="Which ports: kubectl names them only inside the tunnel; everything that flows.",
        example="kubectl port-forward web-0 5432 -n prod-shop",
        references=("T1572",),
        detect=_port_forward,
    ),
)
