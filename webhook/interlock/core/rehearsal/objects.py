"""The objects of a cluster that is only described: found by the names that kubectl takes.

Kinds are looked up nowhere. What a kind is called as a resource is what a CustomResourceDefinition among the objects
says, else what Kubernetes itself guesses (apimachinery, meta: UnsafeGuessKindToResource), which is right for every
built-in kind that webhooks are asked about.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from interlock.core import unstructured
from interlock.core.text import listed
from interlock.core.types import JsonObject
from interlock.errors import BadInput

DEFAULT_NAMESPACE = "default"
"""Where kubectl looks for what is named without a namespace."""

_UNCHANGED = frozenset({"endpoints"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a kind is called in requests.

    Attributes:
        plural: such as ``deployments``.
    """

    group: str
    version: str
    kind: str
    plural: str

    def called(self, word: str) -> bool:
        """Whether kubectl would take this word for it: the plural or the singular, with or without the group."""
        name, _, group = word.partition(".")
        return name.lower() in {self.plural, self.kind.lower()} and group in {"", self.group}

    def __str__(self) -> str:
        """As kubectl names it: ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True)
class Objects:
    """Objects, each with apiVersion, kind and a name; of one that is there twice the first counts."""

    items: tuple[JsonObject, ...] = ()

    def find(self, word: str, name: str, namespace: str) -> tuple[Resource, JsonObject]:
        """The object that kubectl would find.

        Args:
            word: such as ``deployments.apps``, ``deployment`` or ``namespaces``.
            name: of the object.
            namespace: where; empty for one without namespace, or in the namespace ``default``.

        Raises:
            BadInput: there is none, or there are several kinds of that name.
        """
        places = {namespace} if namespace else {"", DEFAULT_NAMESPACE}
        found = [
            (resource, item)
            for item in self.items
            if name_of(item) == name
            and (namespace_of(item) in places or not namespace_of(item))
            and (resource := self.resource_of(item)).called(word)
        ]
        where = f" in {namespace}" if namespace else ""
        if not found:
            raise BadInput(
                field="objects", got=f"no {word} {name}{where}", expected="the object, since the review shows it"
            )
        if len({resource for resource, _ in found}) > 1:
            raise BadInput(
                field="objects",
                got=f"several {word} {name}{where}: {listed([resource for resource, _ in found])}",
                expected="the group with the resource, such as deployments.apps",
            )
        return found[0]

    def has(self, obj: JsonObject) -> JsonObject | None:
        """The object of the same kind, name and namespace as this one; None if there is none."""
        return next((item for item in self.items if _identity(item) == _identity(obj)), None)

    def get(self, kind: str, name: str, namespace: str) -> JsonObject | None:
        """The object of this kind and name, in this namespace or in none; None if there is none."""
        return next(
            (
                item
                for item in self.items
                if (unstructured.text(item, "kind"), name_of(item)) == (kind, name)
                and namespace_of(item) in {"", namespace}
            ),
            None,
        )

    def of_kinds(self, kinds: Iterable[str]) -> Iterator[JsonObject]:
        """Every object of one of these kinds."""
        wanted = frozenset(kinds)
        return (item for item in self.items if item["kind"] in wanted)

    def resource_of(self, item: JsonObject) -> Resource:
        """What an object's kind is called in requests."""
        group, version = group_version(item)
        kind = unstructured.text(item, "kind")
        plural = self._defined.get((group, kind)) or _guessed(kind)
        return Resource(group=group, version=version, kind=kind, plural=plural)

    @cached_property
    def _defined(self) -> dict[tuple[str, str], str]:
        return {
            (
                unstructured.text(item, "spec", "group"),
                unstructured.text(item, "spec", "names", "kind"),
            ): unstructured.text(item, "spec", "names", "plural")
            for item in self.of_kinds(["CustomResourceDefinition"])
        }


def _guessed(kind: str) -> str:
    word = kind.lower()
    if word in _UNCHANGED:
        return word
    if word.endswith("s"):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def is_manifest(item: object) -> bool:
    """Whether something is an object as an API server stores them: a kind, a name, labels that are texts."""
    texts = (("apiVersion",), ("kind",), ("metadata", "name"))
    return isinstance(item, dict) and all(unstructured.text(item, *path) for path in texts) and has_labels(item)


def has_labels(item: JsonObject | None) -> bool:
    """Whether labels are texts by name, where there are any, as decisions take for granted."""
    labels = (unstructured.mapping(item, "metadata")).get("labels")
    return labels is None or (isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values()))


def group_version(item: JsonObject) -> tuple[str, str]:
    """API group, empty for core, and version of an object."""
    group, _, version = unstructured.text(item, "apiVersion").rpartition("/")
    return group, version


def name_of(item: JsonObject) -> str:
    """An object's name."""
    return unstructured.text(item, "metadata", "name")


def namespace_of(item: JsonObject) -> str:
    """An object's namespace."""
    return unstructured.text(item, "metadata", "namespace")


def _identity(item: JsonObject) -> Sequence[str]:
    return group_version(item)[0], unstructured.text(item, "kind"), namespace_of(item), name_of(item)
