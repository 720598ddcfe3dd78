"""Options that several commands share: which cluster, and where Interlock is installed in it."""

from enum import StrEnum
from typing import Annotated

import typer


class When(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


Kubeconfig = Annotated[str, typer.Option(help="Kubeconfig file to use instead of kubectl's default.")]
Context = Annotated[str, typer.Option(help="Context of the kubeconfig to use.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace that Interlock is installed in.")]
Colour = Annotated[When, typer.Option("--color", help="auto: on a terminal.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]

DEFAULT_NAMESPACE = "interlock-system"
