"""Which of the built-in resources live in namespaces; what custom ones do only their definitions say."""

BUILT_IN = frozenset({"", "apps", "batch", "autoscaling", "policy"})
"""API groups of Kubernetes whose resources are all in namespaces, unless they are listed below."""

CLUSTER_SCOPED = {
    "": {"namespaces", "nodes", "persistentvolumes", "componentstatuses"},
    "rbac.authorization.k8s.io": {"clusterroles", "clusterrolebindings"},
    "apiextensions.k8s.io": {"customresourcedefinitions"},
    "apiregistration.k8s.io": {"apiservices"},
    "certificates.k8s.io": {"certificatesigningrequests", "clustertrustbundles"},
    "storage.k8s.io": {"storageclasses", "volumeattachments", "csidrivers", "csinodes", "volumeattributesclasses"},
    "scheduling.k8s.io": {"priorityclasses"},
    "networking.k8s.io": {"ingressclasses", "ipaddresses", "servicecidrs"},
    "node.k8s.io": {"runtimeclasses"},
    "admissionregistration.k8s.io": {
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    },
    "authentication.k8s.io": {"tokenreviews", "selfsubjectreviews"},
    "authorization.k8s.io": {"subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"},
    "resource.k8s.io": {"deviceclasses", "resourceslices"},
    "internal.apiserver.k8s.io": {"storageversions"},
    "flowcontrol.apiserver.k8s.io": {"flowschemas", "prioritylevelconfigurations"},
}
"""Built-in resources without a namespace, by API group."""


def needs_namespace(group: str, resource: str) -> bool:
    """Whether it is certain that every object of this resource is in a namespace."""
    known = group in BUILT_IN or group in CLUSTER_SCOPED
    return known and resource not in CLUSTER_SCOPED.get(group, ())
