"""Certification of a lane: asking the notary, and judging what it answers.

A lane never waits long for its certificate: without a controller it opens uncertified, decides, and says so. The
certificate is accepted only if it is for this key, and if notary and guard agree about the time: a verifier refuses
records that are older than their certificate, so a guard with a wrong clock stays uncertified, loudly.
"""

import asyncio
from datetime import timedelta

from interlock.core.audit import certificate
from interlock.core.ports import Clock, NotaryClient
from interlock.core.types import JsonObject
from interlock.errors import BadInput, Forbidden, SinkFault, Unavailable
from interlock.ledger.chain import Chain

# A third of what a verifier tolerates (`core.audit.lanewalk`): another third is for steps of the guard's clock
# (`ledger.lane`), the last for decisions that take a while.
CLOCK_TOLERANCE = timedelta(seconds=20)


async def certify(chain: Chain, *, notary: NotaryClient, clock: Clock, seconds: float) -> JsonObject:
    """Ask once for a certificate of this lane.

    Args:
        chain: the lane.
        notary: whom to ask.
        clock: the guard's, to be compared with the notary's.
        seconds: how long to wait for an answer.

    Raises:
        SinkFault: no certificate, or none that can be used; says why. Ask again later.
    """
    try:
        async with asyncio.timeout(seconds):
            envelope = await notary.certify(lane=chain.name, public_key=chain.public_key)
    except TimeoutError as error:
        raise SinkFault(f"the notary did not answer within {seconds} s") from error
    except (Unavailable, Forbidden) as error:
        raise SinkFault(f"the notary gave no certificate: {error}") from error
    _accept(envelope, chain, clock)
    return envelope


def _accept(envelope: JsonObject, chain: Chain, clock: Clock) -> None:
    try:
        stated = certificate.read(envelope)
    except BadInput as error:
        raise SinkFault(f"the notary's certificate cannot be read: {error}") from error
    if stated.public_key != chain.public_key:
        raise SinkFault(f"the notary certified lane {stated.lane} instead of {chain.name}")
    off = clock() - stated.not_before
    if abs(off) > CLOCK_TOLERANCE:
        raise SinkFault(f"the clocks of guard and notary differ by {off.total_seconds():.0f} s; set them right")
