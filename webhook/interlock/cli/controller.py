"""`interlock controller`: the process that keeps certificates, webhook configuration and status."""

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
from interlock.settings import DRAIN_SECONDS, ControllerSettings, Listen, LogSettings, Pod


def controller(  # noqa: PLR0913  one parameter per argument of the command, as typer wants it
    *,
    namespace: PodNamespace,
    pod_name: PodName,
    pod_uid: PodUid,
    listen: Annotated[str, typer.Option(help="host:port where guards ask for lane certificates, TLS.")],
    health_listen: HealthListen,
    token_file: TokenFile,
    ca_file: CaFile,
    guard_service: Annotated[str, typer.Option(help="Service of the guards, in the same namespace.")],
    guard_service_port: Annotated[int, typer.Option(help="Its port.")],
    webhook_configuration: Annotated[str, typer.Option(help="ValidatingWebhookConfiguration to fill.")],
    self_repair: Annotated[
        bool, typer.Option("--self-repair", help="Make the webhook configuration again when somebody deletes it.")
    ] = False,
    notary_keys: Annotated[
        int, typer.Option(min=1, help="How many keys the notary has to have had; one more rotates its key.")
    ] = 1,
    records_service: Annotated[str, typer.Option(help="Service of those who serve AuditRecords; empty for none.")] = "",
    records_service_port: Annotated[int, typer.Option(help="Its port.")] = 443,
    store: Annotated[str, typer.Option(help="Object store that the log is shipped to; empty for none.")] = "",
    store_retention_days: Annotated[int, typer.Option(min=1, help="How long objects are locked there.")] = 90,
    store_unlocked: Annotated[
        bool, typer.Option("--store-unlocked", help="Ship although the store locks nothing.")
    ] = False,
    keep_minutes: Annotated[
        int, typer.Option(min=0, help="How long shipped records stay in the cluster as well.")
    ] = 60,
    keep_megabytes: Annotated[int, typer.Option(min=1, help="How much of the ledger stays in the cluster.")] = 16,
    pending_megabytes: Annotated[int, typer.Option(min=1, help="How much may wait to be shipped.")] = 64,
    drain_seconds: DrainSeconds = DRAIN_SECONDS,
    log_level: LogLevel = "info",
) -> None:
    """Keep what the guards and the API server need (run by the chart)."""
    # Imported here: kopf and what it brings take a second that no other command should wait for.
    from interlock.ledger.stores import opening  # noqa: PLC0415
    from interlock.wiring import controller as wired  # noqa: PLC0415
    from interlock.wiring import logs  # noqa: PLC0415

    logs.configure(log_level)
    if store:
        opening.check(store)
    wired.run(
        ControllerSettings(
            pod=Pod(namespace=namespace, name=pod_name, uid=pod_uid),
            api=api_access(token_file, ca_file),
            listen=Listen.parse(listen),
            health_listen=Listen.parse(health_listen),
            guard_service=guard_service,
            guard_service_port=guard_service_port,
            webhook_configuration=webhook_configuration,
            self_repair=self_repair,
            records_service=records_service,
            records_service_port=records_service_port,
            log=LogSettings(
                keys=notary_keys,
                store=store,
                retention_days=store_retention_days,
                unlocked=store_unlocked,
                keep_minutes=keep_minutes,
                keep_megabytes=keep_megabytes,
                pending_megabytes=pending_megabytes,
            ),
            drain_seconds=drain_seconds,
            log_level=log_level,
        )
    )
