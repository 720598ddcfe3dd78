"""`interlock witness`: be somebody else who has seen the log.

interlock witness key witness.pem --name witness.example.org     make a key once; its public half is printed
interlock witness cosign s3://BUCKET/PREFIX --key notary.pub --with witness.pem --name …

A witness verifies the whole log, remembers how far it was, and adds its signature to the newest checkpoint only if that
continues all it has seen. Run it where whoever runs the cluster and the bucket cannot reach, and hand out what it
prints: `interlock verify --cosigned FILE --witness FILE` then finds out a log that was written anew, or two of them.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interlock.cli import outside, remembered, verifytext
from interlock.cli.telling import errors_told
from interlock.core.audit import cosignature
from interlock.core.audit.keyring import Trust
from interlock.core.audit.lanes import Status
from interlock.core.audit.notekey import VerifierKey
from interlock.errors import BadInput
from interlock.kube import ed25519keys
from interlock.ledger.verifying import MAX_AGE, Wanted
from interlock.wiring import clock

Name = Annotated[str, typer.Option(help="What to call the witness: a URL without a scheme, as witness.example.org.")]

app = typer.Typer(help="Verify a log as a witness, and say so.", no_args_is_help=True)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key is, or will be.")],
    *,
    name: Name,
) -> None:
    """Make a witness's key, unless there is one, and print its public half, for `interlock verify --witness`."""
    with errors_told():
        if not file.exists():
            _make(file)
        typer.echo(_public(_private(file), name))


@app.command()
def cosign(
    store: Annotated[str, typer.Argument(help="s3://BUCKET/PREFIX, or file:///DIRECTORY with a copy of it.")],
    *,
    notary: Annotated[Path, typer.Option("--key", help="File with the notary's public key.")],
    private: Annotated[Path, typer.Option("--with", help="File with the witness's private key.")],
    name: Name,
    unlocked: Annotated[bool, typer.Option("--unlocked", help="Do not ask for locks: a copy, or a trial.")] = False,
    max_age: Annotated[
        int, typer.Option(min=0, help="Seconds that the newest checkpoint may be old; 0 for any.")
    ] = int(MAX_AGE.total_seconds()),
    state: Annotated[
        Path | None, typer.Option(help="File that remembers the last checkpoint.", show_default="one for each key")
    ] = None,
) -> None:
    """Verify a log, and print its newest checkpoint with the witness's signature; the report goes to standard error.

    Exit code: 0 cosigned, 1 tampered, 2 evidence incomplete or not to be read.
    """
    with errors_told(code=2):
        signer, trust = _private(private), Trust.parse(_text(notary))
        wanted = Wanted(max_age=timedelta(seconds=max_age) if max_age else None, locked=not unlocked)
        report, walk = outside.verified(store, trust, wanted=wanted, state=state or remembered.place(trust))
        typer.echo("\n".join(verifytext.of_log(report)), err=True)
        if report.status is not Status.PROVEN:
            raise typer.Exit(1 if report.status is Status.TAMPERED else 2)
        line = cosignature.line(walk.note, key=_public(signer, name), sign=signer.sign, now=clock.now())
    typer.echo(walk.note + line, nl=False)


def _make(file: Path) -> None:
    pem = ed25519keys.written(Ed25519PrivateKey.generate())
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(pem)


def _private(file: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        BadInput: it cannot be read, or is none.
    """
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise BadInput(field=str(file), got=str(error)[:120], expected="the witness's private key") from error
    return ed25519keys.read(pem, field=str(file))


def _public(private: Ed25519PrivateKey, name: str) -> VerifierKey:
    return cosignature.witness(name, private.public_key().public_bytes_raw())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(field=str(file), got=str(error)[:120], expected="the notary's public key") from error
