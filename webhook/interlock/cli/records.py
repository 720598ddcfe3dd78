"""`interlock records`: the process that serves AuditRecords."""

import os
from pathlib import Path
from typing import Annotated

import typer

from interlock.settings import DRAIN_SECONDS, ApiAccess, Listen, Pod, RecordsSettings, api_server


def records(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: Annotated[str, typer.Option(help="Namespace of this pod.")],
    pod_name: Annotated[str, typer.Option(help="Name of this pod.")],
    pod_uid: Annotated[str, typer.Option(help="uid of this pod.")],
    listen: Annotated[str, typer.Option(help="host:port where the API server's aggregator calls, TLS.")],
    health_listen: Annotated[str, typer.Option(help="host:port for probes and metrics, plain HTTP.")],
    token_file: Annotated[Path, typer.Option(help="Bearer token for the Kubernetes API; read again as it is renewed.")],
    ca_file: Annotated[Path, typer.Option(help="PEM of the authority of the Kubernetes API.")],
    window_megabytes: Annotated[
        int, typer.Option(min=1, help="How much can be listed: mebibytes of AuditRecords as JSON.")
    ] = 48,
    drain_seconds: Annotated[
        float, typer.Option(min=0, help="How long to go on serving after SIGTERM.")
    ] = DRAIN_SECONDS,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve AuditRecords to the API server's aggregator (run by the chart)."""
    # Imported here: what it brings takes a while that no other command should wait for.
    from interlock.wiring import logs  # noqa: PLC0415
    from interlock.wiring import records as wired  # noqa: PLC0415

    logs.configure(log_level)
    wired.run(
        RecordsSettings(
            pod=Pod(namespace=namespace, name=pod_name, uid=pod_uid),
            api=ApiAccess(server=api_server(os.environ), ca_file=ca_file, token_file=token_file),
            listen=Listen.parse(listen),
            health_listen=Listen.parse(health_listen),
            window_megabytes=window_megabytes,
            drain_seconds=drain_seconds,
            log_level=log_level,
        )
    )
