"""The ways to more power: what a write newly gives is told in a sentence, and where it leads step by step."""

from devtools.demo.stage import Stage

CLUSTER = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: prod-shop, labels: {env: production}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: tools}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: installer, namespace: tools}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: deployer, namespace: prod-shop}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: tools-installer}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
  subjects: [{kind: ServiceAccount, namespace: tools, name: installer}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: waiting, namespace: prod-shop}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: on-call}
  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: contractors}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: viewers}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: everybody}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: secret-reader}
  rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: runner}
  rules: [{apiGroups: [apps], resources: [deployments], verbs: [create, patch]}]
"""

POLICY = """\
apiVersion: interlock.dev/v1alpha1
kind: DangerPolicy
metadata: {name: no-new-power}
spec:
  description: Power comes from the platform's repository only.
  severity: Critical
  mode: Enforce
  match: {actions: [privilege], minSeverity: High}
  exclude:
  - {subjects: {serviceAccounts: [platform/pipeline]}}
  - {systemIdentities: Ordinary}
  verdict: Deny
  message: "Open a pull request against platform/access."
"""

PIPELINE = "--as system:serviceaccount:platform:pipeline --as-group system:masters"


def play(stage: Stage) -> None:
    """Show it."""
    stage.tell("A cluster with a few roles and bindings, and a policy by which power comes from the pipeline only.")
    stage.run("kubectl apply -f -", stdin=CLUSTER, says="created")
    stage.run("kubectl apply -f -", stdin=POLICY, says="created")
    stage.in_force("no-new-power")
    for scene in (_given, _unseen, _identities, _way, _ordinary):
        scene(stage)


def _given(stage: Stage) -> None:
    stage.tell("What a binding newly gives, to whom and where, in one sentence.")
    _denied(
        stage,
        "kubectl create clusterrolebinding leak --clusterrole=secret-reader --serviceaccount=prod-shop:deployer",
        "gives system:serviceaccount:prod-shop:deployer get on all secrets in all namespaces",
    )
    _denied(stage, "kubectl create clusterrolebinding oops --clusterrole=cluster-admin --user=eve", "cluster-admin")
    stage.tell("Reading a kubelet through the API server is running commands in any pod of its node.")
    _denied(stage, "kubectl create clusterrole nodes --verb=get --resource=nodes/proxy", "get on all nodes/proxy")
    _denied(stage, "kubectl create clusterrole climb --verb=escalate,bind --resource=clusterroles", "escalate")


def _unseen(stage: Stage) -> None:
    stage.tell("No binding is written here: one has waited for a role of this name, for the group contractors.")
    _denied(
        stage,
        "kubectl -n prod-shop create role on-call --verb=get --resource=secrets",
        "gives group contractors get on all secrets in prod-shop",
    )
    stage.tell("Nor here: a label lets a ClusterRole flow into view, and so to everybody.")
    _denied(
        stage,
        "kubectl label clusterrole secret-reader rbac.authorization.k8s.io/aggregate-to-view=true",
        "gives group everybody get on all secrets in all namespaces",
    )


def _identities(stage: Stage) -> None:
    stage.tell("A token of an account that is cluster-admin, and a change of what Kubernetes relies on.")
    _denied(stage, "kubectl -n tools create token installer --duration=48h", "cluster-admin in effect")
    annotate = "kubectl annotate clusterrole system:node rbac.authorization.kubernetes.io/autoupdate=false --overwrite"
    _denied(stage, annotate, "which Kubernetes itself relies on")


def _way(stage: Stage) -> None:
    stage.tell(
        "To write Deployments in tools looks harmless. They run under any account there, and one is cluster-admin."
    )
    grant = "kubectl -n tools create rolebinding eve --clusterrole=runner --user=eve"
    stage.run("interlock paths --from User/eve", says="no way")
    _denied(stage, grant, "(open-path)")
    stage.tell("Once the pipeline has let her in, everybody can see the way.")
    stage.run(f"{grant} {PIPELINE}", says="created")
    stage.run("interlock paths --from User/eve", fails=True, says="can become cluster-admin in 1 step")


def _ordinary(stage: Stage) -> None:
    stage.tell("What gives no power is nobody's business.")
    stage.run("kubectl -n prod-shop create rolebinding readers --clusterrole=view --group=readers", says="created")
    stage.run("kubectl get dangerpolicies", says="no-new-power")


def _denied(stage: Stage, command: str, says: str) -> None:
    stage.run(command, fails=True, says=says)
