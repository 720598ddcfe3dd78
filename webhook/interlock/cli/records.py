"""`interlock records`: the process that serves AuditRecords."""

from typing import Annotated

import typer

from interlock.cli.podoptions import (
    CaFile,
    DrainSeconds,
    HealthListen,
    LogLevel,
    PodName,
    PodNamespace,
    PodUid,
    TokenFile,
    api_access,
)
from interlock.settings import DRAIN_SECONDS, Listen, Pod, RecordsSettings


def records(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: PodNamespace,
    pod_name: PodName,
    pod_uid: PodUid,
    listen: Annotated[str, typer.Option(help="host:port where the API server's aggregator calls, TLS.")],
    health_listen: HealthListen,
    token_file: TokenFile,
    ca_file: CaFile,
    window_megabytes: Annotated[
        int, typer.Option(min=1, help="How much can be listed: mebibytes of AuditRecords as JSON.")
    ] = 48,
    drain_seconds: DrainSeconds = DRAIN_SECONDS,
    log_level: LogLevel = "info",
) -> None:
    """Serve AuditRecords to the API server's aggregator (run by the chart)."""
    # Imported here: what it brings takes a while that no other command should wait for.
    from interlock.wiring import logs  # noqa: PLC0415
    from interlock.wiring import records as wired  # noqa: PLC0415

    logs.configure(log_level)
    wired.run(
        RecordsSettings(
            pod=Pod(namespace=namespace, name=pod_name, uid=pod_uid),
            api=api_access(token_file, ca_file),
            listen=Listen.parse(listen),
            health_listen=Listen.parse(health_listen),
            window_megabytes=window_megabytes,
            drain_seconds=drain_seconds,
            log_level=log_level,
        )
    )
