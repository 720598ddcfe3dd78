"""`interlock doctor --store`: does a bucket really lock? All that could undo it is tried, on our own object."""

import asyncio
import secrets
from collections.abc import Mapping

from interlock.cli.doctor.finding import Finding, bad, good, unknown
from interlock.errors import InterlockError
from interlock.ledger import wormproof
from interlock.ledger.stores import s3
from interlock.ledger.stores.address import Address

REMEDY = "do not keep records here: what can be changed proves nothing"


def checks(text: str) -> Mapping[str, Finding]:
    """Try everything on the store at an address.

    Raises:
        BadInput: it is no address.
    """
    return asyncio.run(_checks(Address.parse(text)))


async def _checks(address: Address) -> Mapping[str, Finding]:
    found: dict[str, Finding] = {}
    try:
        async with s3.client(address) as client:
            async for check in wormproof.prove(client, address, run=secrets.token_hex(8)):
                found[check.name] = good(check.text) if check.holds else bad(check.text, remedy=REMEDY)
    except InterlockError as error:
        found["try it at all"] = unknown(
            str(error), remedy="a bucket with object lock, and credentials that may use it"
        )
    return found
