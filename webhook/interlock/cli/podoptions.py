"""Options of the processes that the chart runs: which pod they are, where they listen, how they reach the API."""

import os
from pathlib import Path
from typing import Annotated

import typer

from interlock.settings import ApiAccess, api_server

PodNamespace = Annotated[str, typer.Option("--namespace", help="Namespace of this pod.")]
PodName = Annotated[str, typer.Option(help="Name of this pod.")]
PodUid = Annotated[str, typer.Option(help="uid of this pod.")]
HealthListen = Annotated[str, typer.Option(help="host:port for probes and metrics, plain HTTP.")]
TokenFile = Annotated[Path, typer.Option(help="Bearer token for the Kubernetes API; read again as it is renewed.")]
CaFile = Annotated[Path, typer.Option(help="PEM of the authority of the Kubernetes API.")]
DrainSeconds = Annotated[float, typer.Option(min=0, help="How long to go on serving after SIGTERM.")]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def api_access(token_file: Path, ca_file: Path) -> ApiAccess:
    """How this pod reaches the API.

    Raises:
        UsageError: it is no pod.
    """
    return ApiAccess(server=api_server(os.environ), ca_file=ca_file, token_file=token_file)
