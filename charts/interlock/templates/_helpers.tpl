{{- /* Named templates. Those that need to know which process they are for take it in a dict:
       (dict "root" $ "component" "guard"), where component is guard or controller. */ -}}

{{- /* Labels of every object. */ -}}
{{- define "interlock.labels" -}}
app.kubernetes.io/name: interlock
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* What selects one component's pods; immutable in a Deployment, so nothing that an upgrade changes. */ -}}
{{- define "interlock.selector" -}}
app.kubernetes.io/name: interlock
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* metadata of one component's objects: its name, its labels, and its namespace where "namespaced" is true. */ -}}
{{- define "interlock.metadata" -}}
name: interlock-{{ .component }}
{{- if .namespaced }}
namespace: {{ .root.Release.Namespace }}
{{- end }}
labels:
  {{- include "interlock.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* The image by digest if there is one, else by tag. */ -}}
{{- define "interlock.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* The user name of a component's account, as the API server spells it. */ -}}
{{- define "interlock.account" -}}
system:serviceaccount:{{ .root.Release.Namespace }}:interlock-{{ .component }}
{{- end }}

{{- /* What both pods have in common, from their account to where they may run. */ -}}
{{- define "interlock.pod" -}}
{{- $values := get .root.Values .component -}}
serviceAccountName: interlock-{{ .component }}
automountServiceAccountToken: false # a bound, short-lived one is mounted by name below
enableServiceLinks: false # no variables named after Services: configuration is what the arguments say
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with .root.Values.runAsUser }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
nodeSelector:
  kubernetes.io/os: linux
  {{- with $values.nodeSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- /* Both are wishes: on a cluster of one node every replica starts there. */}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "interlock.selector" . | nindent 12 }}
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash] # the old pods of a rolling update do not count
  labelSelector:
    matchLabels:
      {{- include "interlock.selector" . | nindent 6 }}
{{- end }}

{{- /* What both containers have in common, apart from arguments and mounts. */ -}}
{{- define "interlock.container" -}}
{{- $values := get .root.Values .component -}}
name: {{ .component }}
image: {{ include "interlock.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- /* /readyz is every named check; /healthz only whether the process still answers, so that an API server that is
       away never restarts it. */}}
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /healthz, port: health}
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
resources:
  {{- toYaml $values.resources | nindent 2 }}
{{- end }}

{{- /* Who and where the pod is, for its arguments; then what the values add. */ -}}
{{- define "interlock.env" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- with (get .root.Values .component).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The account's token for the API server, bound to the pod, and the authority that signed the API server. */ -}}
{{- define "interlock.api-volume" -}}
name: api
projected:
  sources:
  - serviceAccountToken:
      path: token
      expirationSeconds: 3600 # the kubelet renews it at 80 %; the process reads it again
  - configMap:
      name: kube-root-ca.crt
      items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
