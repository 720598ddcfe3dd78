"""The ways around a deletion: each has its effect and is none, and each is denied by what it does."""

import json

from devtools.demo.stage import Stage

NAMESPACE = "prod-shop"
IN = f"-n {NAMESPACE}"

SHOP = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: prod-shop, labels: {env: production}}}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: prod-shop}
  spec:
    replicas: 2
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: web}]}
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: db, namespace: prod-shop}
  spec:
    serviceName: db
    replicas: 1
    persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}
    selector: {matchLabels: {app: db}}
    template:
      metadata: {labels: {app: db}}
      spec: {containers: [{name: db, image: db}]}
- apiVersion: v1
  kind: PersistentVolume
  metadata: {name: shop-data}
  spec:
    capacity: {storage: 1Gi}
    accessModes: [ReadWriteOnce]
    persistentVolumeReclaimPolicy: Retain
    storageClassName: none
    claimRef: {namespace: prod-shop, name: data}
    nfs: {server: nfs.example, path: /shop}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: data, namespace: prod-shop, annotations: {helm.sh/resource-policy: keep}}
  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: none}
- apiVersion: v1
  kind: Secret
  metadata: {name: db-password, namespace: prod-shop}
  stringData: {password: correct-horse}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: web, namespace: prod-shop}
  spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: default-deny, namespace: prod-shop}
  spec: {podSelector: {}, policyTypes: [Ingress]}
"""

POLICIES = """\
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: keep-production}
spec:
  description: Nothing of production is destroyed, opened or loosened, by whatever way.
  severity: Critical
  mode: Enforce
  match:
    actions: [destruction, interactive, defence]
    namespaces: {selector: {matchLabels: {env: production}}}
  exclude: [{systemIdentities: Ordinary}]
  verdict: Deny
  message: "Ask in #prod-change."
---
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: keep-nodes}
spec:
  description: Nobody goes through a node.
  severity: Critical
  mode: Enforce
  match: {actions: [node-proxy, debug-node, drain-node]}
  verdict: Deny
  message: "Ask in #platform."
"""

SCALED_BY_APPLY = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod-shop}
spec: {replicas: 0}
"""


def play(stage: Stage) -> None:
    """Show it."""
    _prepare(stage)
    for scene in (_running, _data, _endings, _nets, _inside):
        scene(stage)
    _ordinary(stage)


def _prepare(stage: Stage) -> None:
    stage.tell("A shop in production, and a policy by which nothing of it is destroyed, opened or loosened.")
    stage.run("kubectl apply -f -", stdin=SHOP, says="statefulset.apps/db created")
    stage.run("kubectl apply -f -", stdin=POLICIES, says="created")
    for policy in ("keep-production", "keep-nodes"):
        stage.in_force(policy)
    for pod in ("db-0",):
        stage.wait(f"{pod} runs", f"kubectl {IN} get pod {pod} -o jsonpath={{.status.phase}}", "Running", 30)


def _denied(stage: Stage, command: str, action: str, *, stdin: str = "") -> None:
    stage.run(command, stdin=stdin, fails=True, says=f"({action})")


def _running(stage: Stage) -> None:
    stage.tell("The front door is closed.")
    _denied(stage, f"kubectl {IN} delete deployment web", "delete-workload")
    stage.tell("Scaling to zero is the same outage, by the scale subresource, a patch or a server-side apply.")
    _denied(stage, f"kubectl {IN} scale deployment web --replicas=0", "scale-to-zero")
    _denied(stage, f"kubectl {IN} patch deployment web -p '{_json(spec={'replicas': 0})}'", "scale-to-zero")
    apply = f"kubectl {IN} apply --server-side --force-conflicts --field-manager=gitops -f -"
    _denied(stage, apply, "scale-to-zero", stdin=SCALED_BY_APPLY)
    stage.tell("Evicting a pod, or deleting one by force before its node has let go of the volume.")
    eviction = _json(apiVersion="policy/v1", kind="Eviction", metadata={"name": "db-0", "namespace": NAMESPACE})
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/db-0/eviction"
    _denied(stage, f"kubectl create --raw {path} -f -", "evict-pod", stdin=f"{eviction}\n")
    _denied(stage, f"kubectl {IN} delete pod db-0 --grace-period=0 --force", "force-delete-pod")


def _data(stage: Stage) -> None:
    stage.tell("Data that would go later: with its claim, with its StatefulSet, or key by key.")
    reclaim = _json(spec={"persistentVolumeReclaimPolicy": "Delete"})
    _denied(stage, f"kubectl patch pv shop-data -p '{reclaim}'", "arm-deletion")
    retention = _json(spec={"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}})
    _denied(stage, f"kubectl {IN} patch statefulset db -p '{retention}'", "arm-deletion")
    _denied(stage, f"kubectl {IN} patch secret db-password -p '{_json(data=None)}'", "empty-data")
    stage.tell("The mark by which Helm keeps the claim when the release goes.")
    _denied(stage, f"kubectl {IN} annotate pvc data helm.sh/resource-policy-", "remove-keeping-mark")


def _endings(stage: Stage) -> None:
    stage.tell("What a deletion waits for, and whom it leaves behind.")
    _denied(stage, f"kubectl {IN} patch pvc data -p '{_json(metadata={'finalizers': None})}'", "remove-finalizer")
    labels = {"env": "production"}  # else this would be leaving the policy's protection as well
    finalized = _json(
        apiVersion="v1", kind="Namespace", metadata={"name": NAMESPACE, "labels": labels}, spec={"finalizers": []}
    )
    path = f"/api/v1/namespaces/{NAMESPACE}/finalize"
    _denied(stage, f"kubectl replace --raw {path} -f -", "finalize-namespace", stdin=f"{finalized}\n")
    _denied(stage, f"kubectl {IN} delete replicaset -l app=web --cascade=orphan", "delete-workload")
    _denied(stage, f"kubectl delete --raw /api/v1/namespaces/{NAMESPACE}/secrets", "delete-collection")


def _nets(stage: Stage) -> None:
    stage.tell("What keeps mistakes small, and the label by which the policy knows the namespace.")
    budget = _json(spec={"minAvailable": 0})
    _denied(stage, f"kubectl {IN} patch pdb web --type=merge -p '{budget}'", "loosen-safety-net")
    _denied(stage, f"kubectl {IN} delete networkpolicy default-deny", "loosen-network-policy")
    _denied(stage, f"kubectl label namespace {NAMESPACE} env-", "leave-protection")


def _inside(stage: Stage) -> None:
    stage.tell("Inside, by another door: a container put in, a command that reads the token, files copied, a kubelet.")
    _denied(stage, f"kubectl {IN} debug db-0 --image=busybox --target=db", "debug-container")
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  where one is, not one
    _denied(stage, f"kubectl {IN} exec db-0 -- cat {token}", "exec-credentials")
    _denied(stage, f"kubectl cp {NAMESPACE}/db-0:/var/lib/data {stage.scratch}/data", "copy-files")
    node = stage.read(f"kubectl {IN} get pod db-0 -o jsonpath={{.spec.nodeName}}")
    _denied(stage, f"kubectl get --raw /api/v1/nodes/{node}/proxy/pods", "node-proxy")
    _denied(stage, f"kubectl debug node/{node} --image=busybox", "debug-node")


def _ordinary(stage: Stage) -> None:
    stage.tell("Ordinary life goes on: more replicas, a rollout, and the controllers that carry it out.")
    stage.run(f"kubectl {IN} scale deployment web --replicas=3", says="scaled")
    stage.run(f"kubectl {IN} rollout restart deployment web", says="restarted")
    stage.run(f"kubectl {IN} rollout status deployment web --timeout=60s", says="successfully rolled out")
    stage.run("kubectl get dangerpolicies", says="keep-production")


def _json(**fields: object) -> str:
    return json.dumps(fields)
