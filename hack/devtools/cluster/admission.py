"""How an API server proves itself to admission webhooks: its configuration, and the client certificate in it."""

from pathlib import Path

from devtools.cluster import kubeconfig
from devtools.cluster.pki import Pair

USER = "kube-apiserver-admission"
PLUGINS = ("ValidatingAdmissionWebhook", "MutatingAdmissionWebhook")


def credentials(client: Pair) -> dict[str, object]:
    """The kubeconfig of the API server as a client; "*" is every webhook, whatever its Service.

    See "Authenticate API servers" in the documentation of dynamic admission control.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": "*", "user": kubeconfig.credentials(client)}],
    }


def configuration(credentials: Path) -> dict[str, object]:
    """The file of --admission-control-config-file.

    Args:
        credentials: where the API server finds its kubeconfig.
    """
    webhooks = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "WebhookAdmissionConfiguration",
        "kubeConfigFile": str(credentials),
    }
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [{"name": plugin, "configuration": webhooks} for plugin in PLUGINS],
    }
