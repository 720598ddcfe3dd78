"""The main job: what is denied, when it is allowed, and how one proves afterwards what happened."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from devtools.cluster import Cluster
from devtools.demo import outside
from devtools.demo.stage import Stage

GONE_SECONDS = 60  # how long the namespace controller may take for an empty namespace

NAMESPACES = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: prod-shop, labels: {env: production}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: dev-shop, labels: {env: development}}}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-0, namespace: prod-shop}
  spec: {containers: [{name: web, image: web}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-0, namespace: dev-shop}
  spec: {containers: [{name: web, image: web}]}
"""

GUARD_EXEC = """\
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: no-shell-in-production}
spec:
  description: Nobody opens a shell in a production pod.
  severity: High
  mode: Enforce
  match:
    actions: [interactive]
    namespaces: {selector: {matchLabels: {env: production}}}
  verdict: Deny
  message: "Use the read-only dashboards. Runbook: https://runbooks.example/prod-shell"
"""

GUARD_RBAC = """\
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: no-new-admins}
spec:
  description: Administrators are made by the platform team's pipeline only.
  severity: Critical
  mode: Enforce
  match: {actions: [grant-admin]}
  exclude: [{subjects: {serviceAccounts: [platform/pipeline]}}]
  verdict: Deny
  message: "Open a pull request against platform/access."
"""


def play(stage: Stage, up: Cluster) -> None:
    """Show everything."""
    for scene in (_installed, _policies, _delete, _window_and_freeze, _shell, _administrators, _proof):
        scene(stage)
    _play_outside(stage, up)


def _play_outside(stage: Stage, up: Cluster) -> None:
    """What takes an object store beside the cluster, at an address that its pods reach."""
    if up.etcd is None:
        stage.tell(
            "Left out with a given cluster: shipping to an object store, which would have to be reached from it."
        )
        return
    outside.play(stage, host=urlsplit(up.etcd).hostname or "", values=up.state / "config" / "values.yaml")


def _installed(stage: Stage) -> None:
    stage.tell("Interlock is installed by Helm. Without a policy it intercepts nothing but its own kinds.")
    stage.run("helm list -n interlock-system", says="deployed")
    stage.run("kubectl -n interlock-system get pods", says="interlock-guard")
    stage.run("kubectl get validatingwebhookconfiguration interlock -o jsonpath='{.webhooks[*].name}'", says="self.")
    stage.run("kubectl apply -f -", stdin=NAMESPACES)


def _policies(stage: Stage) -> None:
    stage.tell(
        "Production namespaces are deleted in the change window only, nobody gets a shell there, nobody an admin."
    )
    stage.run("kubectl apply -f -", stdin=_protect(allow=[_later()]), says="created")
    stage.run("kubectl apply -f -", stdin=GUARD_EXEC, says="created")
    stage.run("kubectl apply -f -", stdin=GUARD_RBAC, says="created")
    for policy in ("production-only-in-window", "no-shell-in-production", "no-new-admins"):
        stage.in_force(policy)
    stage.run("kubectl get dangerpolicies", says="production-only-in-window")
    stage.tell("A policy with a mistake is refused when it is written, with the field's path.")
    broken = GUARD_EXEC.replace("interactive", "interactiv").replace("no-shell-in-production", "typo")
    stage.run("kubectl apply -f -", stdin=broken, fails=True, says="spec.match.actions[0]")


def _delete(stage: Stage) -> None:
    stage.tell("The fatal command, at three in the morning, by somebody who may do everything.")
    stage.run("kubectl delete namespace prod-shop", fails=True, says="denied")
    stage.tell("Asked beforehand, it says the same and leaves no trace.")
    stage.run("kubectl delete namespace prod-shop --dry-run=server", fails=True, says="dry run")
    stage.tell("Impersonating somebody else makes no difference, and development is not concerned.")
    stage.run("kubectl delete namespace prod-shop --as root --as-group system:masters", fails=True, says="denied")
    stage.run("kubectl delete namespace dev-shop --dry-run=server", says="dev-shop")


def _window_and_freeze(stage: Stage) -> None:
    stage.tell("A change window is opened for the next hour, but a freeze lies over it: still denied.")
    freeze = _once("black-friday", hours=2)
    _change(stage, _protect(allow=[_later(), _once("change-4711", hours=1)], freeze=[freeze]))
    stage.run("kubectl delete namespace prod-shop", fails=True, says="black-friday")
    stage.tell("The freeze is lifted, the window is open: the very same command passes, and the record says why.")
    _change(stage, _protect(allow=[_later(), _once("change-4711", hours=1)]))
    stage.run("kubectl delete namespace prod-shop --wait=false", says="deleted")
    stage.wait("namespace gone", "kubectl get namespace prod-shop --ignore-not-found -o name", "", GONE_SECONDS)
    stage.run("kubectl apply -f -", stdin=NAMESPACES)


def _shell(stage: Stage) -> None:
    for pod in ("prod-shop", "dev-shop"):
        stage.wait(f"pod in {pod} runs", f"kubectl -n {pod} get pod web-0 -o jsonpath={{.status.phase}}", "Running", 30)
    stage.tell("A shell in production is denied; in development the command really runs.")
    stage.run("kubectl -n prod-shop exec web-0 -- cat /etc/hostname", fails=True, says="no-shell-in-production")
    stage.run("kubectl -n dev-shop exec web-0 -- echo hello from the pod", says="hello from the pod")


def _administrators(stage: Stage) -> None:
    grant = "kubectl create clusterrolebinding oops --clusterrole=cluster-admin --user=eve"
    stage.tell("Making an administrator is denied, also to system:masters, whom RBAC itself does not check.")
    stage.run(f"{grant} --as alice --as-group system:masters", fails=True, says="no-new-admins")
    stage.tell("The one account that the policy excludes may.")
    stage.run(f"{grant} --as system:serviceaccount:platform:pipeline --as-group system:masters", says="created")
    stage.run("kubectl delete clusterrolebinding oops", says="deleted")


def _proof(stage: Stage) -> None:
    stage.tell("Every decision that a policy had a part in is a signed record in an immutable ConfigMap.")
    stage.run("kubectl -n interlock-system get configmaps -l interlock.dev/ledger=lane", says="interlock-lane-")
    stage.tell("They are read like any resource, as far as RBAC lets one; and as a story.")
    stage.run("kubectl get auditrecords --all-namespaces --field-selector verdict=Deny", says="Deny")
    stage.run("kubectl interlock timeline --by person --since 10m", says="denied")
    stage.tell("The public key is pinned once; with it anybody who may read them can prove the records.")
    key = stage.scratch / "notary.pub"
    saved = stage.read("kubectl -n interlock-system get configmap interlock-notary -o jsonpath={.data.notary\\\\.pub}")
    key.write_text(f"{saved}\n")
    stage.run(f"interlock verify --from-cluster --key {key}", says="proven")
    stage.run("kubectl get dangerpolicies", says="no-new-admins")


def _change(stage: Stage, policy: str) -> None:
    stage.run("kubectl apply -f -", stdin=policy, says="configured")
    stage.in_force("production-only-in-window")


def _protect(*, allow: list[dict[str, object]], freeze: list[dict[str, object]] | None = None) -> str:
    windows = {"timeZone": "Europe/Berlin", "allow": allow, **({"freeze": freeze} if freeze else {})}
    return f"""\
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {{name: production-only-in-window}}
spec:
  description: Production namespaces are deleted in the change window only.
  severity: Critical
  mode: Enforce
  match:
    actions: [delete-namespace]
    namespaces: {{names: ["prod-*"]}}
  windows: {json.dumps(windows)}
  message: "Ask in #prod-change. Runbook: https://runbooks.example/ns-delete"
"""


def _later() -> dict[str, object]:
    """The weekly window, on the day after tomorrow, so that it is closed whenever this runs."""
    day = (datetime.now(UTC) + timedelta(days=2)).strftime("%a")
    return {"name": "weekly", "weekly": {"days": [day], "start": "02:00", "end": "04:00"}}


def _once(name: str, *, hours: int) -> dict[str, object]:
    """A dated entry that is active now."""
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now - timedelta(minutes=5), now + timedelta(hours=hours)
    return {"name": name, "once": {"start": start.isoformat(), "end": end.isoformat()}}
