"""`interlock guard`: the process that answers admission reviews."""

import os
from pathlib import Path
from typing import Annotated

import typer

from interlock.settings import DRAIN_SECONDS, ApiAccess, GuardSettings, Listen, Pod, api_server


def guard(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: Annotated[str, typer.Option(help="Namespace of this pod.")],
    pod_name: Annotated[str, typer.Option(help="Name of this pod.")],
    pod_uid: Annotated[str, typer.Option(help="uid of this pod.")],
    listen: Annotated[str, typer.Option(help="host:port for reviews, TLS.")],
    health_listen: Annotated[str, typer.Option(help="host:port for probes and metrics, plain HTTP.")],
    token_file: Annotated[Path, typer.Option(help="Bearer token for the Kubernetes API; read again as it is renewed.")],
    ca_file: Annotated[Path, typer.Option(help="PEM of the authority of the Kubernetes API.")],
    notary_token_file: Annotated[Path, typer.Option(help="Bearer token for the controller's notary.")],
    notary_service: Annotated[str, typer.Option(help="Service of the controllers, in the same namespace.")],
    caller_ca_file: Annotated[
        Path | None, typer.Option(help="PEM of the authority of the API servers' admission client certificates.")
    ] = None,
    accept_unproven_callers: Annotated[
        bool, typer.Option("--accept-unproven-callers", help="Answer callers that prove nothing.")
    ] = False,
    drain_seconds: Annotated[
        float, typer.Option(min=0, help="How long to go on serving after SIGTERM.")
    ] = DRAIN_SECONDS,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Answer admission reviews (run by the chart)."""
    # Imported here: kopf and what it brings take a second that no other command should wait for.
    from interlock.wiring import guard as wired  # noqa: PLC0415
    from interlock.wiring import logs  # noqa: PLC0415

    logs.configure(log_level)
    wired.run(
        GuardSettings(
            pod=Pod(namespace=namespace, name=pod_name, uid=pod_uid),
            api=ApiAccess(server=api_server(os.environ), ca_file=ca_file, token_file=token_file),
            listen=Listen.parse(listen),
            health_listen=Listen.parse(health_listen),
            notary_token_file=notary_token_file,
            notary_service=notary_service,
            caller_ca_file=caller_ca_file,
            accept_unproven_callers=accept_unproven_callers,
            drain_seconds=drain_seconds,
            log_level=log_level,
        )
    )
