"""URL paths of the Kubernetes API, built in one place so that no name is ever pasted into a path unescaped.

>>> collection("", "v1", "configmaps", namespace="shop")
'/api/v1/namespaces/shop/configmaps'
>>> named("interlock.dev", "v1alpha1", "dangerpolicies", "a/b", subresource="status")
'/apis/interlock.dev/v1alpha1/dangerpolicies/a%2Fb/status'
"""

from urllib.parse import quote


def collection(group: str, version: str, resource: str, *, namespace: str = "") -> str:
    """Path of all objects of a resource, in one namespace if one is given, else of the whole cluster."""
    root = f"/apis/{quote(group, safe='')}" if group else "/api"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}/{quote(version, safe='')}{scope}/{quote(resource, safe='')}"


def named(group: str, version: str, resource: str, name: str, *, namespace: str = "", subresource: str = "") -> str:
    """Path of one object, or of one of its subresources.

    Raises:
        ValueError: the name is empty; the path would be that of the whole collection, and a DELETE on it a disaster.
    """
    if not name:
        raise ValueError(f"{resource}: a path to one object needs its name")
    tail = f"/{quote(subresource, safe='')}" if subresource else ""
    return f"{collection(group, version, resource, namespace=namespace)}/{quote(name, safe='')}{tail}"
