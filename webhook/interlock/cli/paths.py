"""`interlock paths --from SUBJECT`: how somebody can become cluster-admin, by the roles and bindings of a cluster.

Roles and bindings are read through the user's kubectl, at one look. The search is the one by which guards grade a write
that opens a way (`open-path` in the catalogue), so both say the same.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import orjson
import typer

from interlock.cli.kubectl import Kubectl
from interlock.cli.options import Context, Kubeconfig
from interlock.cli.telling import errors_told
from interlock.core import unstructured
from interlock.core.access import paths
from interlock.core.access.book import GROUP, USER, Book, Principal, account
from interlock.core.access.paths import Path, Reached
from interlock.core.text import counted
from interlock.core.types import JsonObject

WAY_FOUND = 3  # exit code; 2 is a wrong option
EVERYTHING = "clusterroles,clusterrolebindings,roles,rolebindings"
_ACCOUNT_PARTS = 2  # namespace and name


class Output(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def paths_command(
    *,
    subject: Annotated[
        str,
        typer.Option(
            "--from",
            help="Who: User/NAME, Group/NAME, ServiceAccount/NAMESPACE/NAME, or a user name as it stands in requests, "
            "such as system:serviceaccount:NAMESPACE:NAME.",
        ),
    ],
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="A group that the user is in. May be repeated.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also whom the subject can act as on the way.")] = False,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="text, or one JSON object.")] = Output.TEXT,
) -> None:
    """Show how somebody can become cluster-admin, step by step, as far as roles and bindings say it.

    Exit code: 0 if no way was found, 3 if there is one, 1 if it could not be looked for.

    Raises:
        BadParameter: the subject is none that can be read.
    """
    who = _principal(subject)
    with errors_told():
        listed = Kubectl(kubeconfig=kubeconfig, context=context).get(EVERYTHING, "--all-namespaces")
    book = Book.of(unstructured.items(listed, "items"))
    found = paths.search(book, [who, *(Principal(GROUP, group) for group in groups or [])])
    typer.echo(_json(who, found) if output is Output.JSON else "\n".join(text(who, found, everybody=all_)))
    raise typer.Exit(0 if found.admin is None else WAY_FOUND)


def _principal(subject: str) -> Principal:
    kind, slash, name = subject.partition("/")
    if not slash:
        return Principal(USER, subject)
    if kind in {USER, GROUP} and name:
        return Principal(kind, name)
    parts = name.split("/")
    if kind == "ServiceAccount" and len(parts) == _ACCOUNT_PARTS and all(parts):
        return account(parts[0], parts[1])
    raise typer.BadParameter(
        f"got {subject}, expected User/NAME, Group/NAME, ServiceAccount/NAMESPACE/NAME or the name of a user",
        param_hint="--from",
    )


def text(who: Principal, found: Reached, *, everybody: bool) -> Iterator[str]:
    """What was found, for a person."""
    if found.admin is None:
        unseen = "" if found.complete else f", of those looked at ({paths.MAX_VISITED}); there are more"
        yield f"{who}: no way to cluster-admin was found{unseen}"
    elif not found.admin:
        yield f"{who} is cluster-admin"
    else:
        yield f"{who} can become cluster-admin in {counted(len(found.admin), 'step')}:"
        yield from _numbered(found.admin)
    if everybody and found.others:
        yield f"{who} can act as:"
        yield from (f"  {other}" for other in sorted(map(str, found.others)))


def _numbered(path: Path) -> Iterator[str]:
    for number, step in enumerate(path, start=1):
        yield f"  {number}. {step}"
    last = path[-1].becomes
    if last is not None:
        yield f"     {last} is cluster-admin"


def _json(who: Principal, found: Reached) -> str:
    return orjson.dumps(
        {
            "from": str(who),
            "admin": found.admin is not None,
            "complete": found.complete,
            "path": _steps(found.admin or ()),
            "others": [{"as": str(other), "path": _steps(path)} for other, path in sorted(found.others.items())],
        },
        option=orjson.OPT_INDENT_2,
    ).decode()


def _steps(path: Sequence[paths.Step]) -> list[JsonObject]:
    return [
        {
            "who": str(step.who),
            "does": step.does,
            "through": step.through,
            "becomes": "cluster-admin" if step.becomes is None else str(step.becomes),
        }
        for step in path
    ]
