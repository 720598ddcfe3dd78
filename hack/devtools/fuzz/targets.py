"""What is fuzzed: each target takes any bytes, and may raise nothing but what the reader promises to raise.

Their corpora lie in tests/vectors/fuzz, a directory for each, and are tried by the unit tests as well.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from devtools.venv import ROOT
from interlock.core import catalogue, snapshot, systems
from interlock.core.access.book import Book
from interlock.core.audit import commits, dsse, record
from interlock.core.review import request as requests
from interlock.errors import BadInput
from interlock.serve.framing import RequestParser
from interlock.serve.limits import ADMISSION

CORPORA = ROOT / "tests" / "vectors" / "fuzz"

Target = Callable[[bytes], None]

_ROLE = {"kind": "ClusterRole", "name": "collector"}
_CLUSTER = snapshot.build(
    access=Book.of(
        [
            {
                "kind": "ClusterRole",
                "metadata": {"name": "collector"},
                "aggregationRule": {
                    "clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
                },
                "rules": [{"verbs": ["create"], "apiGroups": [""], "resources": ["pods", "serviceaccounts/token"]}],
            },
            {
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "b"},
                "roleRef": _ROLE,
                "subjects": [{"kind": "ServiceAccount", "namespace": "a", "name": "b"}, {"kind": "User", "name": "a"}],
            },
        ]
    )
)
"""Somebody holds something in it, so that grants and ways have an end."""


def review(data: bytes) -> None:
    """An AdmissionReview: read, searched, and asked all that is asked about a request."""
    try:
        found = requests.parse(data)
    except BadInput:
        requests.scanned_uid(data)
        return
    systems.ordinary_work(found)
    systems.needs_parent(found)
    systems.adopted(found)
    systems.continuation(found, None)
    catalogue.handed(found, _CLUSTER)
    catalogue.find(found, _CLUSTER)


def http(data: bytes) -> None:
    """A stream of requests, cut in two at a place that the first byte names."""
    parser, cut = RequestParser(ADMISSION), data[0] if data else 0
    for piece in (data[1 : 1 + cut], data[1 + cut :]):
        if piece:
            parser.feed(piece)


def envelope(data: bytes) -> None:
    """A commit of the ledger, or an envelope or a record by itself."""
    for read in (_commit, dsse.parse, record.head):
        try:
            read(data)
        except BadInput:
            continue


def _commit(data: bytes) -> None:
    for found in commits.unpack(data):
        dsse.parse(found)


TARGETS: Mapping[str, Target] = {"review": review, "http": http, "envelope": envelope}


def corpus(name: str) -> list[Path]:
    """The kept inputs of a target."""
    return sorted(path for path in (CORPORA / name).iterdir() if path.is_file())
