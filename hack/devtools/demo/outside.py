"""The ledger leaves the cluster: shipped under object lock, proven from the bucket alone, and what a thief achieves.

The object store is MinIO, built from its source, which tests and this use only.
"""

import sys
from pathlib import Path

from devtools import objectstore
from devtools.cluster.install import CHART, NAMESPACE, RELEASE
from devtools.demo.stage import Stage
from devtools.objectstore import Server
from devtools.venv import ROOT

SHIPPED_SECONDS = 60.0  # records are outside within a minute, and it says so if not

TRY_TO_UNDO = """\
import asyncio
from datetime import UTC, datetime, timedelta
from aiobotocore.session import get_session
from botocore.exceptions import ClientError

async def main():
    async with get_session().create_client("s3", endpoint_url="{endpoint}", region_name="us-east-1") as s3:
        [newest, *_] = (await s3.list_object_versions(Bucket="audit", Prefix="log/"))["Versions"]
        it = {{"Bucket": "audit", "Key": newest["Key"], "VersionId": newest["VersionId"]}}
        sooner = {{"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=1)}}
        for what, call in {{
            "delete it": lambda: s3.delete_object(**it, BypassGovernanceRetention=True),
            "shorten its lock": lambda: s3.put_object_retention(**it, Retention=sooner),
        }}.items():
            try:
                await call()
                print(what, "- done")
            except ClientError as error:
                print(what, "- refused:", error.response["Error"]["Message"])

asyncio.run(main())
"""

BLAME_SOMEBODY_ELSE = """\
import base64, json, pathlib, zlib

for path in sorted(pathlib.Path("{copy}").glob("log/*/*"), reverse=True):
    entries, _, checkpoint = zlib.decompress(path.read_bytes(), 31).partition(b"\\n\\n")
    envelopes = [json.loads(line) for line in entries.splitlines()]
    for envelope in envelopes:
        record = base64.b64decode(envelope["payload"])
        if b'"verdict":"Deny"' in record and b"kubernetes-admin" in record:
            forged = record.replace(b"kubernetes-admin", b"somebody-else")
            envelope["payload"] = base64.b64encode(forged).decode()
            lines = [json.dumps(each, separators=(",", ":")).encode() for each in envelopes]
            packer = zlib.compressobj(wbits=31)
            path.write_bytes(packer.compress(b"\\n".join(lines) + b"\\n\\n" + checkpoint) + packer.flush())
            print("one record in", path.name, "now blames somebody else")
            raise SystemExit
raise SystemExit("no denial found")
"""


def play(stage: Stage, *, host: str, values: Path) -> None:
    """Show it.

    Args:
        stage: where a cluster is up, and the notary's key saved.
        host: address for the object store that pods reach.
        values: that Interlock was installed with.
    """
    with objectstore.running(stage.scratch / "minio", host=host) as server:
        address = server.make_bucket("audit")
        credentials = stage.scratch / "credentials"
        credentials.write_text(server.credentials)
        stage.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(credentials)
        _ship(stage, address, credentials, values)
        _prove(stage, address)
        _undo(stage, server)
        _tamper(stage, address)


def _ship(stage: Stage, address: str, credentials: Path, values: Path) -> None:
    stage.tell("Records leave the cluster: into a bucket with object lock, which is tried before it is trusted.")
    stage.run(f"interlock doctor --store '{address}'", says="13 ok, 0 bad")
    stage.run(f"kubectl -n {NAMESPACE} create secret generic audit-bucket --from-file={credentials}", says="created")
    stage.run(
        f"helm upgrade {RELEASE} {CHART.relative_to(ROOT)} -n {NAMESPACE} --values {values} "
        f"--set store.address={address} --set store.credentialsSecret=audit-bucket --set store.retentionDays=1",
        says="deployed",
    )
    key = stage.scratch / "notary.pub"
    stage.wait_for("records shipped", f"interlock verify '{address}' --key {key}", SHIPPED_SECONDS)


def _prove(stage: Stage, address: str) -> None:
    stage.tell("Proven by whoever has the public key and may read the bucket; no cluster is needed.")
    key = stage.scratch / "notary.pub"
    stage.run(f"env KUBECONFIG=/dev/null interlock verify '{address}' --key {key}", says="proven through")
    stage.run(f"env KUBECONFIG=/dev/null interlock ledger show '{address}'", says="Deny")


def _undo(stage: Stage, server: Server) -> None:
    stage.tell("The root user of the store itself tries to undo the newest segment: nothing doing.")
    stage.run(f"{sys.executable} -", stdin=TRY_TO_UNDO.format(endpoint=server.endpoint), says="refused")


def _tamper(stage: Stage, address: str) -> None:
    stage.tell("In a copy, which nothing locks, one record is changed. The same command says which, and how it knows.")
    copy = stage.scratch / "copy"
    stage.run(f"interlock ledger copy '{address}' file://{copy}", says="segments")
    stage.run(f"{sys.executable} -", stdin=BLAME_SOMEBODY_ELSE.format(copy=copy), says="now blames")
    key = stage.scratch / "notary.pub"
    stage.run(f"interlock verify file://{copy} --unlocked --forget --key {key}", fails=True, says="tampered")
