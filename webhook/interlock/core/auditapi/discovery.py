"""Discovery: what the API server's aggregator and kubectl ask before anything else, answered without any I/O.

Two forms: aggregated discovery (KEP-3352, `apidiscovery.k8s.io/v2`), which current servers and clients ask for at
`/apis`, and the older documents, one for the group list, one for the group and one for its version. A server that does
not answer these stops every namespace deletion of the cluster, so they are constants.
"""

from interlock.core.auditapi.resource import API_VERSION, GROUP, KIND, RESOURCE, SHORT_NAME, SINGULAR, VERSION
from interlock.core.types import JsonObject

CATEGORY = "interlock"
VERBS = ["get", "list", "watch"]
SUBRESOURCE_VERBS = ["get"]

AGGREGATED_MEDIA_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

_KIND_OF_RECORDS: JsonObject = {"group": GROUP, "version": VERSION, "kind": KIND}
_VERSION: JsonObject = {"groupVersion": API_VERSION, "version": VERSION}

AGGREGATED: JsonObject = {
    "kind": "APIGroupDiscoveryList",
    "apiVersion": "apidiscovery.k8s.io/v2",
    "metadata": {},
    "items": [
        {
            "metadata": {"name": GROUP, "creationTimestamp": None},
            "versions": [
                {
                    "version": VERSION,
                    "freshness": "Current",
                    "resources": [
                        {
                            "resource": RESOURCE,
                            "responseKind": _KIND_OF_RECORDS,
                            "scope": "Namespaced",
                            "singularResource": SINGULAR,
                            "verbs": VERBS,
                            "shortNames": [SHORT_NAME],
                            "categories": [CATEGORY],
                            "subresources": [
                                {
                                    "subresource": "proof",
                                    "responseKind": _KIND_OF_RECORDS | {"kind": "AuditRecordProof"},
                                    "verbs": SUBRESOURCE_VERBS,
                                },
                            ],
                        }
                    ],
                }
            ],
        }
    ],
}

GROUP_DOCUMENT: JsonObject = {
    "kind": "APIGroup",
    "apiVersion": "v1",
    "name": GROUP,
    "versions": [_VERSION],
    "preferredVersion": _VERSION,
}

GROUP_LIST: JsonObject = {
    "kind": "APIGroupList",
    "apiVersion": "v1",
    "groups": [{name: value for name, value in GROUP_DOCUMENT.items() if name not in {"kind", "apiVersion"}}],
}

RESOURCE_LIST: JsonObject = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": API_VERSION,
    "resources": [
        {
            "name": RESOURCE,
            "singularName": SINGULAR,
            "namespaced": True,
            "kind": KIND,
            "verbs": VERBS,
            "shortNames": [SHORT_NAME],
            "categories": [CATEGORY],
        },
        {
            "name": f"{RESOURCE}/proof",
            "singularName": "",
            "namespaced": True,
            "kind": "AuditRecordProof",
            "verbs": SUBRESOURCE_VERBS,
        },
    ],
}
