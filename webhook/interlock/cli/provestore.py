"""`interlock prove-store`: run by the chart's Job, with an account of the bucket that may delete."""

import asyncio
import secrets
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.cli.podoptions import CaFile, TokenFile, api_access
from interlock.cli.telling import errors_told
from interlock.core.audit import storeproof
from interlock.core.audit.storeproof import StoreProof, Tried
from interlock.errors import BadInput
from interlock.kube import ed25519keys
from interlock.kube.client import ApiClient, ApiTarget, open_session
from interlock.kube.proofstore import ProofStore
from interlock.ledger import wormproof
from interlock.ledger.stores import s3
from interlock.ledger.stores.address import Address
from interlock.wiring import clock


def prove_store(
    *,
    store: Annotated[str, typer.Option(help="s3://BUCKET/PREFIX, as the controllers are told.")],
    namespace: Annotated[str, typer.Option(help="Where the result is kept.")],
    token_file: TokenFile,
    ca_file: CaFile,
    key_file: Annotated[Path, typer.Option(help="PEM of the key that signs what was found.")],
) -> None:
    """Try everything that could undo the object lock of a store, and keep what came of it (run by the chart).

    Exit code: 0 if every lock held, 1 if one did not, or nothing could be tried.
    """
    target = ApiTarget.of(api_access(token_file, ca_file))
    with errors_told():
        proof = asyncio.run(_proven(store, target, namespace, _key(key_file)))
    for each in proof.tried:
        typer.echo(f"{'ok ' if each.holds else 'BAD'}  {each.name}: {each.text}")
    raise typer.Exit(0 if all(each.holds for each in proof.tried) else 1)


async def _proven(store: str, target: ApiTarget, namespace: str, key: Ed25519PrivateKey) -> StoreProof:
    address = Address.parse(store)
    async with s3.client(address) as client:
        run = secrets.token_hex(8)
        found = [check async for check in wormproof.prove(client, address, run=run)]
    tried = tuple(Tried(name=each.name, holds=each.holds, text=each.text) for each in found)
    proof = StoreProof(store=store, time=clock.now(), tried=tried)
    async with open_session(target) as session:
        await ProofStore(ApiClient(target, session), namespace=namespace).save(storeproof.seal(proof, sign=key.sign))
    return proof


def _key(file: Path) -> Ed25519PrivateKey:
    """Read the prover's key.

    Raises:
        BadInput: it is not there, or is none.
    """
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise BadInput(field=str(file), got=str(error), expected="the prover's key") from error
    return ed25519keys.read(pem, field=str(file))
