"""Family `interactive`: a person inside a running pod, or a tunnel into it.

Admission sees the request to connect, before the pod is even looked up, and nothing of what then flows. Evidence names
the container, the program and how many arguments it has; never the arguments, which may be secrets.
"""

from collections.abc import Iterator

from interlock.core import text, unstructured
from interlock.core.catalogue import argv, isolation, podspec, target
from interlock.core.catalogue.entry import Entry, RoleBook, Seen
from interlock.core.catalogue.needs import connects, updates
from interlock.core.types import JsonObject, Request, Severity

FAMILY = "interactive"
SYSTEM_NAMESPACE = "kube-system"
MAX_PROGRAM_RUNES = 64
"""Enough for a path; more may be a whole command line in one argument."""


def _exec(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    evidence = f"exec {_command(request)} in pod {target.named(request)}, {_container(request)}{_streams(request)}"
    yield _seen(request, evidence, Severity.CRITICAL)


def _attach(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield _seen(
        request, f"attach to pod {target.named(request)}, {_container(request)}{_streams(request)}", Severity.CRITICAL
    )


def _port_forward(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield _seen(request, f"forward ports of pod {target.named(request)}", Severity.HIGH)


def _credentials(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if named := list(argv.credentials(unstructured.items(request.object, "command"))):
        yield Seen(f"exec in pod {target.named(request)} that names {text.listed(named)}", target.reach(request))


def _network(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if done := list(argv.network(unstructured.items(request.object, "command"))):
        yield Seen(f"exec in pod {target.named(request)} that {' and '.join(done)}", target.reach(request))


def _shell(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    command = unstructured.items(request.object, "command")
    open_ended = unstructured.flag(request.object, "stdin") or unstructured.flag(request.object, "tty")
    if open_ended and argv.interactive_shell(command):
        yield _seen(request, f"open a shell in pod {target.named(request)}, {_container(request)}", Severity.CRITICAL)


def _copy(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if direction := argv.copies(unstructured.items(request.object, "command")):
        way = "into" if direction == "in" else "out of"
        yield _seen(request, f"copy files {way} pod {target.named(request)}, {_container(request)}", Severity.CRITICAL)


def _debug(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    known = {unstructured.text(each, "name") for each in _ephemeral(request.old_object)}
    for container in _ephemeral(request.object):
        if unstructured.text(container, "name") in known:
            continue
        pod = {"containers": [container]}
        aims = unstructured.text(container, "targetContainerName")
        powers = [*isolation.privileged(pod), *isolation.weakened(pod)]
        powers += [f"the processes of container {text.printable(aims)}"] if aims else []
        more = f", with {text.listed(powers)}" if powers else ""
        yield Seen(
            f"put {podspec.named(container)} into running pod {target.named(request)}{more}",
            target.reach(request),
            Severity.CRITICAL if powers else None,
        )


def _ephemeral(state: JsonObject | None) -> list[JsonObject]:
    return [each for each in unstructured.items(state, "spec", "ephemeralContainers") if isinstance(each, dict)]


def _debug_node(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    if podspec.brought(request, _node_itself):
        yield Seen(f"{podspec.written(request)} with processes and root directory of its node", target.reach(request))


def _node_itself(pod: JsonObject) -> Iterator[str]:
    if unstructured.flag(pod, "hostPID") and "/" in podspec.host_paths(pod):
        yield "node"


def _proxy(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    kind = request.resource.removesuffix("s")
    yield _seen(request, f"speak to {kind} {target.named(request)} through the API server", Severity.HIGH)


def _node_proxy(request: Request, _roles: RoleBook) -> Iterator[Seen]:
    yield Seen(
        f"speak to the kubelet of node {target.named(request)}, which runs commands in any of its pods",
        target.reach(request),
    )


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
        rules=connects("pods/exec"),
        misses="What is typed and sent afterwards; whether the pod exists, how privileged it is; the kubelet's port.",
        example="kubectl exec -it web-0 -n prod-shop -- sh",
        references=("T1609",),
        goes_round=("attach", "debug-container"),
        detect=_exec,
    ),
    Entry(
        id="attach",
        family=FAMILY,
        title="Attach to a running container's main process",
        severity=Severity.HIGH,
        raised="Critical in kube-system.",
        rules=connects("pods/attach"),
        misses="What is typed and sent afterwards; whether the pod exists and how privileged it is.",
        example="kubectl attach -it web-0 -n prod-shop",
        references=("T1609",),
        goes_round=("exec",),
        detect=_attach,
    ),
    Entry(
        id="port-forward",
        family=FAMILY,
        title="Open a tunnel to a pod's ports",
        severity=Severity.MEDIUM,
        raised="High in kube-system.",
        rules=connects("pods/portforward"),
        misses="Which ports: kubectl names them only inside the tunnel; everything that flows.",
        example="kubectl port-forward web-0 5432 -n prod-shop",
        references=("T1572",),
        goes_round=("exec", "proxy"),
        detect=_port_forward,
    ),
    Entry(
        id="exec-credentials",
        family=FAMILY,
        title="Run a command in a container that names credentials: tokens, keys, password files",
        severity=Severity.CRITICAL,
        rules=connects("pods/exec"),
        misses="What is typed into a shell; paths that are spelled in pieces or encoded.",
        example="kubectl exec web-0 -n prod-shop -- cat /var/run/secrets/kubernetes.io/serviceaccount/token",
        references=("T1552.007", "T1528"),
        detect=_credentials,
    ),
    Entry(
        id="exec-network",
        family=FAMILY,
        title="Run a command in a container that asks the metadata service, fetches, installs or opens a shell out",
        severity=Severity.CRITICAL,
        rules=connects("pods/exec"),
        misses="What is typed into a shell; tools under other names.",
        example="kubectl exec web-0 -n prod-shop -- curl http://169.254.169.254/latest/meta-data/",
        references=("T1552.005", "T1105", "T1059.004"),
        detect=_network,
    ),
    Entry(
        id="exec-shell",
        family=FAMILY,
        title="Open a shell in a container, of whose input nothing is seen",
        severity=Severity.HIGH,
        raised="Critical in kube-system.",
        rules=connects("pods/exec"),
        misses="Everything that is typed: only a recording proxy sees that.",
        example="kubectl exec -it web-0 -n prod-shop -- bash",
        references=("T1609", "T1059.004"),
        detect=_shell,
    ),
    Entry(
        id="copy-files",
        family=FAMILY,
        title="Copy files out of a container or into it, as kubectl cp does",
        severity=Severity.HIGH,
        raised="Critical in kube-system.",
        rules=connects("pods/exec"),
        misses="Which files, and how many bytes; copies by other programs than tar.",
        example="kubectl cp prod-shop/db-0:/var/lib/data ./data",
        references=("T1005",),
        detect=_copy,
    ),
    Entry(
        id="debug-container",
        family=FAMILY,
        title="Put an ephemeral container into a running pod",
        severity=Severity.HIGH,
        raised="Critical where it is privileged, confined less, or shares another container's processes.",
        rules=(updates("", "pods/ephemeralcontainers"),),
        misses="What is done in it.",
        example="kubectl debug web-0 -it --image=busybox --target=app -n prod-shop",
        references=("T1609", "T1610"),
        goes_round=("exec", "attach"),
        detect=_debug,
    ),
    Entry(
        id="debug-node",
        family=FAMILY,
        title="Start a pod that has the processes and the root directory of its node",
        severity=Severity.CRITICAL,
        rules=podspec.WRITES,
        misses="What is done on the node.",
        example="kubectl debug node/worker-7 -it --image=busybox",
        references=("T1611",),
        goes_round=("exec", "attach", "debug-container", "node-proxy"),
        detect=_debug_node,
    ),
    Entry(
        id="proxy",
        family=FAMILY,
        title="Speak to a pod or a service through the API server, past network policies",
        severity=Severity.MEDIUM,
        raised="High in kube-system.",
        rules=connects("pods/proxy", "services/proxy"),
        misses="Method and body: reading and deleting look the same.",
        example="kubectl get --raw /api/v1/namespaces/prod-shop/services/db:80/proxy/",
        references=("T1572",),
        goes_round=("exec", "port-forward"),
        detect=_proxy,
    ),
    Entry(
        id="node-proxy",
        family=FAMILY,
        title="Speak to a kubelet through the API server",
        severity=Severity.CRITICAL,
        rules=connects("nodes/proxy"),
        misses="What is asked of it: commands in any pod of the node, without admission; its port, directly.",
        example="kubectl get --raw /api/v1/nodes/worker-7/proxy/runningpods/",
        references=("T1609",),
        goes_round=("exec", "attach", "port-forward", "proxy"),
        detect=_node_proxy,
    ),
)
