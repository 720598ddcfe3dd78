"""`interlock guard`: the process that answers admission reviews."""

from pathlib import Path
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
from interlock.settings import DRAIN_SECONDS, GuardSettings, Listen, Pod


def guard(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: PodNamespace,
    pod_name: PodName,
    pod_uid: PodUid,
    listen: Annotated[str, typer.Option(help="host:port for reviews, TLS.")],
    health_listen: HealthListen,
    token_file: TokenFile,
    ca_file: CaFile,
    notary_token_file: Annotated[Path, typer.Option(help="Bearer token for the controller's notary.")],
    notary_service: Annotated[str, typer.Option(help="Service of the controllers, in the same namespace.")],
    caller_ca_file: Annotated[
        Path | None, typer.Option(help="PEM of the authority of the API servers' admission client certificates.")
    ] = None,
    accept_unproven_callers: Annotated[
        bool, typer.Option("--accept-unproven-callers", help="Answer callers that prove nothing.")
    ] = False,
    drain_seconds: DrainSeconds = DRAIN_SECONDS,
    log_level: LogLevel = "info",
) -> None:
    """Answer admission reviews (run by the chart)."""
    # Imported here: kopf and what it brings take a second that no other command should wait for.
    from interlock.wiring import guard as wired  # noqa: PLC0415
    from interlock.wiring import logs  # noqa: PLC0415

    logs.configure(log_level)
    wired.run(
        GuardSettings(
            pod=Pod(namespace=namespace, name=pod_name, uid=pod_uid),
            api=api_access(token_file, ca_file),
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
