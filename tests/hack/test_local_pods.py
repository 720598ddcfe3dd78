"""Pods of Interlock's own image in a local cluster: started, probed, restarted, reached and ended as on a real node.

The pods run a small web server in place of Interlock, so that these tests tell failures of the tooling from its own.
"""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.hack.clusters import Home, eventually

pytestmark = pytest.mark.cluster

NAMESPACE = "interlock-system"
SERVER = """
import http.server, json, os, pathlib, signal, sys, threading
address, token, unready = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        ready = not pathlib.Path(unready).exists()
        body = json.dumps({"env": dict(os.environ), "token": pathlib.Path(token).read_text()}).encode()
        self.send_response(200 if ready or self.path == "/" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer((address, 9080), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with one bare cluster, `one`."""
    made = Home(directory=tmp_path_factory.mktemp("state"))
    up = made.run("up", "--bare", "--provider", "local", "--name", "one")
    assert up.returncode == 0, up.stderr
    must(made, "create", "namespace", NAMESPACE)
    yield made
    made.run("down", "--name", "one")


@pytest.fixture(scope="module")
def address(home: Home) -> str:
    """The URL of a Service with two ready pods."""
    must(home, "apply", "-f", "-", stdin=orjson.dumps(manifests()).decode())
    must(home, "-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=60s")
    service = read(home, "service", "web")["spec"]
    return f"http://{service['clusterIP']}:{service['ports'][0]['port']}"


def must(home: Home, *arguments: str, stdin: str = "") -> str:
    """Run kubectl where only success makes sense."""
    done = home.kubectl("one", *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(home: Home, *what: str) -> dict[str, Any]:
    """An object, or a list of them."""
    found: dict[str, Any] = orjson.loads(must(home, "-n", NAMESPACE, "get", *what, "-o", "json"))
    return found


def pods(home: Home) -> list[dict[str, Any]]:
    """The pods of the Deployment that are not on their way out, oldest first."""
    items = read(home, "pods", "-l", "app=web", "--sort-by=.metadata.creationTimestamp")["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def restarts(home: Home) -> int:
    """How often containers of the Deployment have been started again."""
    return sum(pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods(home))


def ask(url: str) -> dict[str, Any]:
    """What a pod says of itself."""
    done = subprocess.run(["curl", "--silent", "--fail", url], capture_output=True, check=True)
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def manifests() -> dict[str, Any]:
    """A Deployment with probes, a token, an empty directory and a hook, and its Service."""
    token = {"serviceAccountToken": {"audience": "somebody", "expirationSeconds": 600, "path": "token"}}
    container = {
        "name": "main",
        "image": "interlock:dev",
        "command": ["python", "-c", SERVER],
        "args": ["$(POD_IP)", "/var/run/secrets/somebody/token", "/run/web/unready"],
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "ports": [{"name": "web", "containerPort": 9080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "web"}, "periodSeconds": 1, "failureThreshold": 1},
        "livenessProbe": {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
        "volumeMounts": [
            {"name": "token", "mountPath": "/var/run/secrets/somebody"},
            {"name": "run", "mountPath": "/run/web"},
        ],
    }
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
            "volumes": [{"name": "token", "projected": {"sources": [token]}}, {"name": "run", "emptyDir": {}}],
        },
    }
    selector = {"matchLabels": {"app": "web"}}
    deployment = {"replicas": 2, "selector": selector, "template": template}
    service = {"selector": {"app": "web"}, "ports": [{"port": 8443, "targetPort": "web"}]}
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named("web"), "spec": deployment},
            {"apiVersion": "v1", "kind": "Service", "metadata": named("web"), "spec": service},
        ],
    }


def named(name: str) -> dict[str, str]:
    """The metadata of an object."""
    return {"name": name, "namespace": NAMESPACE}


def test_pod_has_its_own_environment_and_a_token_bound_to_it(home: Home, address: str) -> None:
    """What the pod spec gives and nothing of the user's; the API server takes the token for that pod's."""
    told = ask(address)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    spec = {"token": told["token"], "audiences": ["somebody"]}
    answer = orjson.loads(
        must(home, "create", "-f", "-", "-o", "json", stdin=orjson.dumps({**review, "spec": spec}).decode())
    )
    user = answer["status"]["user"]

    assert user["username"] == f"system:serviceaccount:{NAMESPACE}:default"
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == [told["env"]["POD_NAME"]]
    assert user["extra"]["authentication.kubernetes.io/node-name"] == ["node-1"]
    assert set(told["env"]) - {"LANG", "LC_CTYPE", "TZ"} == {
        "HOME",
        "INTERLOCK_CLUSTER",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "PATH",
        "POD_IP",
        "POD_NAME",
        "TMPDIR",
    }


def test_service_takes_turns_between_ready_pods(home: Home, address: str) -> None:
    """Two requests reach two pods; one that says it is not ready gets none until it is again."""
    names = {pod["metadata"]["name"] for pod in pods(home)}
    both = {ask(address)["env"]["POD_NAME"] for _ in range(2)}
    unready = ask(address)["env"]["POD_NAME"]
    mark = home.state("one") / "pods" / f"{NAMESPACE}.{unready}" / "main" / "run" / "web" / "unready"
    mark.touch()
    eventually(lambda: {ask(address)["env"]["POD_NAME"] for _ in range(4)} == names - {unready}, "only the other one")
    mark.unlink()
    eventually(lambda: {ask(address)["env"]["POD_NAME"] for _ in range(2)} == names, "both again")

    assert both == names


def test_container_that_ends_is_started_again(home: Home, address: str) -> None:
    """A crash is seen in the pod's status: one restart, the exit code of the last run, ready again."""
    before = restarts(home)
    subprocess.run(["curl", "--silent", f"{address}/crash"], check=False)
    eventually(lambda: restarts(home) == before + 1, "one restart is counted")
    must(home, "-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=60s")
    codes = [pod["status"]["containerStatuses"][0]["lastState"] for pod in pods(home)]

    assert sorted(each["terminated"]["exitCode"] for each in codes if each) == [3]


def test_rolling_restart_loses_no_request(home: Home, address: str) -> None:
    """New pods answer before old ones stop; old ones go from Service and API, with processes and files."""
    old = {pod["metadata"]["name"] for pod in pods(home)}
    with ThreadPoolExecutor(max_workers=4) as pool:
        going = [True]
        asked = [pool.submit(_ask_while, going, address) for _ in range(4)]
        must(home, "-n", NAMESPACE, "rollout", "restart", "deployment/web")
        must(home, "-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=60s")
        gone = lambda: not old & {each["metadata"]["name"] for each in read(home, "pods")["items"]}  # noqa: E731
        eventually(gone, "the old pods are gone")
        going.clear()
        failures = [failure for each in asked for failure in each.result()]
    left = [each for each in (home.state("one") / "pods").iterdir() if each.name.partition(".")[2] in old]

    assert (failures, left) == ([], [])


def _ask_while(going: list[bool], address: str) -> list[str]:
    """Ask again and again; what went wrong is returned."""
    failures = []
    while going:
        try:
            ask(address)
        except subprocess.CalledProcessError as error:
            failures.append(f"{time.monotonic()}: {error}")
    return failures


def test_pod_that_asks_for_too_much_waits_and_says_why(home: Home) -> None:
    """What the tooling cannot do shows in the pod, field by field, and in no endless row of new pods."""
    container = {"name": "main", "image": "interlock:dev", "envFrom": [{"configMapRef": {"name": "x"}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": named("greedy"), "spec": {"containers": [container]}}
    must(home, "create", "-f", "-", stdin=orjson.dumps(pod).decode())
    eventually(lambda: "containerStatuses" in read(home, "pod", "greedy")["status"], "its status is written")
    status = read(home, "pod", "greedy")["status"]
    must(home, "-n", NAMESPACE, "delete", "pod", "greedy", "--timeout=20s")

    assert (status["phase"], status["containerStatuses"][0]["state"]) == (
        "Pending",
        {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": "the local cluster cannot do this: spec.containers[0].envFrom",
            }
        },
    )


def test_missing_secret_holds_the_pod_back_until_it_is_there(home: Home) -> None:
    """A pod waits for what it mounts, saying so, and starts when it comes."""
    volume = {"name": "key", "secret": {"secretName": "late"}}
    mount = {"name": "key", "mountPath": "/etc/key"}
    show = ["python", "-c", "import pathlib, sys; sys.exit(pathlib.Path(sys.argv[1]).read_text() != 'x')", "/etc/key/k"]
    container = {"name": "main", "image": "interlock:dev", "command": show, "volumeMounts": [mount]}
    spec = {"containers": [container], "volumes": [volume], "restartPolicy": "Never"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": named("patient"), "spec": spec}
    must(home, "create", "-f", "-", stdin=orjson.dumps(pod).decode())
    eventually(
        lambda: "secret 'late' not found" in str(read(home, "pod", "patient")["status"]), "it says what is missing"
    )
    must(home, "-n", NAMESPACE, "create", "secret", "generic", "late", "--from-literal=k=x")
    eventually(lambda: read(home, "pod", "patient")["status"]["phase"] == "Succeeded", "it has run")


def test_simulated_pod_really_runs_what_exec_asks(home: Home) -> None:
    """An allowed `kubectl exec` ends in a real process on this machine, without the user's credentials."""
    must(home, "run", "box", "--image=busybox")
    must(home, "wait", "--for=condition=Ready", "pod/box", "--timeout=20s")
    script = 'read line; echo "$line, ${KUBECONFIG:-nobody} in $PWD"'
    said = must(home, "exec", "-i", "box", "--", "sh", "-c", script, stdin="hello\n")
    must(home, "delete", "pod", "box", "--timeout=20s")

    assert said == f"hello, nobody in {home.state('one') / 'pods' / 'simulated'}\n"


def test_audit_log_knows_the_stand_ins_by_their_kubernetes_names(home: Home) -> None:
    """Who bound a pod and who removed it: the scheduler's and the node's identities, as in any cluster."""
    must(home, "run", "seen", "--image=busybox")
    must(home, "wait", "--for=condition=Ready", "pod/seen", "--timeout=20s")
    must(home, "delete", "pod", "seen", "--timeout=20s")
    log = Path(home.state("one") / "audit.log").read_bytes().splitlines()
    events = [orjson.loads(line) for line in log]
    changes = {
        (event["user"]["username"], event["verb"], event["objectRef"].get("subresource", ""))
        for event in events
        if event.get("objectRef", {}).get("name") == "seen" and event["verb"] not in {"get", "list", "watch"}
    }

    assert changes == {
        ("kubernetes-admin", "create", ""),
        ("system:kube-scheduler", "create", "binding"),
        ("system:node:node-1", "patch", "status"),
        ("kubernetes-admin", "delete", ""),
        ("system:node:node-1", "delete", ""),
    }
