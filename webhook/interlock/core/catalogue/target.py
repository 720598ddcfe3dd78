"""The object of a request: how a sentence names it, and which namespaces an action on it touches.

Reach of what is no namespaced object, decided once for every entry:

- a Namespace: itself;
- a PersistentVolume: the namespace of its claim, bound or released, since the data is that namespace's; none if it
  never had one; all if the review does not show the volume;
- a CustomResourceDefinition: all, since its objects may live anywhere, and controllers of every namespace rely on them;
- a Node: all, since admission does not see whose pods run there;
- a ClusterRole or ClusterRoleBinding: all;
- anything else without a namespace: none.
"""

from interlock.core import text, unstructured
from interlock.core.types import Reach, Request

CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")
NODES = ("", "nodes")
VOLUMES = ("", "persistentvolumes")
RBAC = "rbac.authorization.k8s.io"
_EVERYWHERE = frozenset({CRDS, NODES, (RBAC, "clusterroles"), (RBAC, "clusterrolebindings")})


def titled(request: Request) -> str:
    """The object by kind and name, for example ``Deployment web in prod-shop``."""
    return f"{text.printable(request.kind)} {named(request)}"


def named(request: Request) -> str:
    """The object by name, for example ``web in prod-shop``."""
    name = text.printable(request.name) or "without a name"
    return f"{name} in {text.printable(request.namespace)}" if request.namespace and not request.is_namespace else name


def reach(request: Request) -> Reach:
    """The namespaces that an action on the request's object touches."""
    if request.namespace:
        return Reach.of(request.namespace)
    if (request.group, request.resource) == VOLUMES:
        return _reach_of_volume(request)
    return Reach.everywhere() if (request.group, request.resource) in _EVERYWHERE else Reach.nowhere()


def _reach_of_volume(request: Request) -> Reach:
    volume = request.old_object or request.object
    if volume is None:
        return Reach.everywhere()
    namespace = unstructured.text(volume, "spec", "claimRef", "namespace")
    return Reach.of(namespace) if namespace else Reach.nowhere()
