"""Lists: a page as of one version, written while it is sent, so that a long one is never held at once."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from http import HTTPStatus

from interlock.core.auditapi import status
from interlock.core.auditapi.options import Options
from interlock.core.auditapi.window import Expired, Page, Position
from interlock.serve.auditapi.answers import RETRY, Refused, ok
from interlock.serve.auditapi.live import Live
from interlock.serve.auditapi.views import View, Writer
from interlock.serve.messages import Answer, Headers, Stream

AHEAD_SECONDS = 3.0
"""How long a list waits for a version that another replica has told, as the API server's watch cache does."""

PIECE_ITEMS = 64
"""Items written at once: a hundred kilobytes, a millisecond, then others have their turn."""


async def listed(live: Live, writer: Writer, view: View, *, namespace: str, options: Options) -> Answer | Stream:
    """Answer a list.

    Raises:
        Refused: the version is not known here, or no longer.
    """
    page = await _page(live, namespace, options)
    frame = writer.frame(view, _metadata(page))
    headers = _warnings(live) if options.at is None else ()
    if len(page.items) > PIECE_ITEMS:
        return Stream(pieces=_pieces(writer, view, frame, page.items), headers=headers)
    body = b",".join(writer.item(raw, view) for raw in page.items)
    return ok(frame[0] + body + frame[1], headers)


def _metadata(page: Page) -> dict[str, str]:
    found = {"resourceVersion": str(page.version)}
    return found | {"continue": page.token} if page.token else found


async def _page(live: Live, namespace: str, options: Options) -> Page:
    at = options.at or (Position(version=options.version) if options.exact and options.version else None)
    await demand_reached(live, at.version if at else options.version or 0)
    try:
        return live.trail.window.page(
            namespace=namespace,
            wanted=None if options.selection.everything else options.selection.match,
            limit=options.limit,
            at=at,
        )
    except Expired as error:
        raise Refused(status.failure(HTTPStatus.GONE, str(error))) from error


async def demand_reached(live: Live, version: int) -> None:
    """See that everything up to a version is known here.

    Raises:
        Refused: it is not, nor was it after a while.
    """
    if not await live.reached(version, seconds=AHEAD_SECONDS):
        raise Refused(status.ahead(version, live.trail.window.version), RETRY)


def _warnings(live: Live) -> Headers:
    """What kubectl prints under a list that does not hold everything."""
    older = live.trail.older
    return (("Warning", f'299 - "{_quotable(older)}"'),) if older else ()


def _quotable(text: str) -> str:
    """As it may stand in a quoted string of a header."""
    return "".join(character for character in text if " " <= character <= "~" and character not in '"\\')


async def _pieces(
    writer: Writer, view: View, frame: tuple[bytes, bytes], items: Sequence[bytes]
) -> AsyncGenerator[bytes]:
    begin, end = frame
    for start in range(0, len(items), PIECE_ITEMS):
        yield begin + b",".join(writer.item(raw, view) for raw in items[start : start + PIECE_ITEMS])
        begin = b","
        await asyncio.sleep(0)
    yield end
