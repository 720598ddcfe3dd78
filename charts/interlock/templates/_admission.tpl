{{- /* What the ValidatingAdmissionPolicies share: their bindings, and conditions in CEL. */ -}}

{{- /* The binding that puts a policy in force: (dict "root" $ "name" NAME). */ -}}
{{- define "interlock.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "interlock.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}

{{- /* The names of Interlock's accounts. */ -}}
{{- define "interlock.accounts" -}}
["interlock-guard", "interlock-controller", "interlock-records", "interlock-prover"]
{{- end }}

{{- /* The names of the Secrets that hold Interlock's keys. */ -}}
{{- define "interlock.keys" -}}
["interlock-ca", "interlock-guard", "interlock-digest-key", "interlock-notary", "interlock-prover", "interlock-records"]
{{- end }}

{{- /* A member of breakGlassGroups asks. */ -}}
{{- define "interlock.by-break-glass" -}}
{{- with .Values.breakGlassGroups -}}
request.userInfo.?groups.orValue([]).exists(group, group in {{ toJson . }})
{{- else -}}
false
{{- end }}
{{- end }}

{{- /* The controller of Kubernetes with this name asks: under an account of its own or, where the controller manager
       runs all controllers under one credential, under that. */ -}}
{{- define "interlock.by-kubernetes" -}}
(request.userInfo.username in ["system:serviceaccount:kube-system:{{ . }}", "system:kube-controller-manager"])
{{- end }}

{{- /* A namespace that terminates is emptied, which must always be possible. */ -}}
{{- define "interlock.emptying" -}}
(request.operation == "DELETE" && has(namespaceObject.metadata.deletionTimestamp) &&
{{ include "interlock.by-kubernetes" "namespace-controller" }})
{{- end }}

{{- /* An object is written as it is, which is how all are encrypted anew once the API server has another key. */ -}}
{{- define "interlock.unchanged" -}}
(request.operation == "UPDATE" &&
object.?data == oldObject.?data &&
dyn(object).?binaryData == dyn(oldObject).?binaryData &&
object.?immutable == oldObject.?immutable &&
object.metadata.?labels == oldObject.metadata.?labels &&
object.metadata.?annotations == oldObject.metadata.?annotations &&
object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences &&
object.metadata.?finalizers == oldObject.metadata.?finalizers)
{{- end }}
