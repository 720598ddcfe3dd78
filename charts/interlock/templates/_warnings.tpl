{{- /* What the values give away, one warning a line; NOTES.txt prints them. */ -}}
{{- define "interlock.warnings" -}}
{{- $guard := .Values.guard -}}
{{- if and (eq .Values.image.repository "localhost/interlock") (ne .Values.image.pullPolicy "Never") }}
WARNING image.repository is still localhost/interlock: nodes can only run it if it was loaded onto each of them.
{{- end }}
{{- if eq (int $guard.replicas) 1 }}
WARNING guard.replicas is 1: whenever that guard is updated, evicted or restarted, what enforcing policies cover is refused.
{{- else if not $guard.podDisruptionBudget.enabled }}
WARNING guard.podDisruptionBudget.enabled is false: one drain may evict all guards; what enforcing policies cover is refused until one is back.
{{- end }}
{{- if eq (int .Values.controller.replicas) 1 }}
WARNING controller.replicas is 1: a guard that starts while it is away writes records that are not certified until it is back.
{{- end }}
{{- if and .Values.records.enabled (eq (int .Values.records.replicas) 1) }}
WARNING records.replicas is 1: whenever that pod is updated, evicted or restarted, no namespace of the cluster can be deleted for up to half a minute.
{{- end }}
{{- if not $guard.priorityClassName }}
WARNING guard.priorityClassName is empty: under pressure a node may evict guards before what they guard.
{{- end }}
{{- if $guard.acceptUnprovenCallers }}
WARNING guard.acceptUnprovenCallers is true: whoever reaches the guards may ask them what policies would say.
{{- else if not $guard.callerCA }}
WARNING guard.callerCA is empty: a caller proves itself by the webhook's path alone, which whoever may read webhook configurations knows.
{{- end }}
{{- if .Values.breakGlassGroups }}
WARNING breakGlassGroups is set: members of {{ join ", " .Values.breakGlassGroups }} can replace the keys that prove records, enter Interlock's pods and act under its accounts.
{{- end }}
{{- if not .Values.store.address }}
WARNING store.address is empty: records stay in this cluster, where nothing locks them, and the oldest go when there is no room.
{{- else if .Values.store.unsafeUnlocked }}
WARNING store.unsafeUnlocked is true: whoever may write to {{ .Values.store.address }} can change what is recorded there.
{{- end }}
{{- if and .Values.store.address (hasPrefix "s3:" .Values.store.address) (not .Values.prover.credentialsSecret) }}
WARNING prover.credentialsSecret is empty: nobody tries whether {{ .Values.store.address }} really locks what it holds.
{{- end }}
{{- if not .Values.networkPolicy.enabled }}
WARNING networkPolicy.enabled is false: every pod reaches the controllers, where only a token of a guard protects the notary.
{{- end }}
{{- if not .Values.crds.enabled }}
WARNING crds.enabled is false: guards do not get ready until something else has installed the definitions of interlock.dev.
{{- else if not .Values.crds.keep }}
WARNING crds.keep is false: `helm uninstall` deletes every DangerPolicy of the cluster.
{{- end }}
{{- if .Values.controller.selfRepair }}
WARNING controller.selfRepair is true: deleting the webhook configuration disarms only while no controller runs.
{{- else }}
WARNING controller.selfRepair is false: once the webhook configuration is deleted, nothing is guarded until `helm upgrade`.
{{- end }}
{{- end }}
