"""CONNECT: exec, attach, port-forward by websocket and by SPDY, and the three proxies."""

from tests.vectors.objects import NAMESPACE, pod, thing
from tests.vectors.scenario import Command, Scenario, Wanted

IN = ("-n", NAMESPACE)
READY = ("wait", "pod/web-0", *IN, "--for=condition=Ready", "--timeout=30s")
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def _connects(vector: str, what: str, *act: str) -> Scenario:
    """The review is sent before the API server looks for the pod or speaks to its kubelet, so failing is fine."""
    setup = (pod("web-0"), READY)
    return Scenario(setup=setup, act=act, may_fail=True, kept=(Wanted(vector, f"CONNECT {what}"),))


def _posts(subresource: str, query: str) -> Command:
    """The request of a SPDY client, as far as the review goes: POST instead of GET."""
    return ("create", "--raw", f"{PODS}/web-0/{subresource}?{query}", "-f", "-")


def _post(vector: str, subresource: str, query: str) -> Scenario:
    nothing = thing("v1", "Pod", "ignored")
    kept = (Wanted(vector, f"CONNECT pods/{subresource}"),)
    return Scenario(
        setup=(pod("web-0"), READY), act=_posts(subresource, query), stdin=nothing, may_fail=True, kept=kept
    )


CONNECTIONS = (
    _connects("exec-websocket", "pods/exec", "exec", "web-0", *IN, "--", "echo", "hunter2", "--token=s3cr3t"),
    _connects("exec-interactive", "pods/exec", "exec", "-i", "-t", "web-0", "-c", "app", *IN, "--", "true"),
    _post("exec-spdy", "exec", "container=app&command=sh&command=-c&command=id&stdout=true&stderr=true"),
    _connects("exec-missing-pod", "pods/exec", "get", "--raw", f"{PODS}/nobody/exec?command=id&stdout=true"),
    _connects("attach-get", "pods/attach", "get", "--raw", f"{PODS}/web-0/attach?container=app&stdout=true"),
    _post("attach-spdy", "attach", "container=app&stdin=true&stdout=true&tty=true"),
    _connects("port-forward-get", "pods/portforward", "get", "--raw", f"{PODS}/web-0/portforward"),
    _post("port-forward-spdy", "portforward", "ports=5432"),
    _connects("pod-proxy", "pods/proxy", "get", "--raw", f"{PODS}/http:web-0:8080/proxy/healthz"),
    _connects(
        "service-proxy", "services/proxy", "get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/services/shop/proxy/a/b"
    ),
    _connects("node-proxy", "nodes/proxy", "get", "--raw", "/api/v1/nodes/node-1/proxy/pods"),
)
