"""What a client asks of a list or a watch: meta/v1 ListOptions, read from a query and checked as an API server does."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from interlock.core.auditapi import selecting, window
from interlock.core.auditapi.selecting import Selection
from interlock.core.auditapi.table import Include
from interlock.core.auditapi.window import Position
from interlock.errors import BadInput

MAX_DIGITS = 19
"""Of a number in a query: 64 bits."""

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # as strconv.ParseBool
_FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})


class Match(StrEnum):
    """How a list's resourceVersion is meant (KEP-2523)."""

    UNSET = ""
    NOT_OLDER = "NotOlderThan"
    EXACT = "Exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A list or a watch.

    Attributes:
        selection: which records.
        limit: of a page; 0 for all.
        at: where a list goes on; None for its first page.
        version: resourceVersion; None for the newest there is, 0 for any.
        exact: whether a list is to be of just this version.
        watch: whether changes are asked for.
        bookmarks: whether a watch may hold bookmarks.
        initial: whether a watch begins with what is there; None where the version decides.
        seconds: how long a watch goes on; 0 for as long as the server likes.
        include: what rows of a table carry.
    """

    selection: Selection
    limit: int = 0
    at: Position | None = None
    version: int | None = None
    exact: bool = False
    watch: bool = False
    bookmarks: bool = False
    initial: bool | None = None
    seconds: int = 0
    include: Include = Include.METADATA


def read(query: Mapping[str, str]) -> Options:
    """Read the query of a list or watch; parameters that nobody knows are left alone.

    Raises:
        BadInput: a parameter that makes no sense, or one that contradicts another.
    """
    watch, token, limit = _flag(query, "watch"), query.get("continue", ""), _number(query, "limit")
    initial = _flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None
    version = _version(query)
    match = _match(query, watch=watch, initial=initial is not None, version=version, token=token)
    if token and version:
        raise BadInput(field="resourceVersion", got=str(version), expected="none together with continue")
    return Options(
        selection=selecting.parse(labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")),
        limit=limit,
        at=window.position(token) if token and not watch else None,
        version=version,
        exact=match is Match.EXACT or (match is Match.UNSET and bool(version) and bool(limit) and not watch),
        watch=watch,
        bookmarks=_flag(query, "allowWatchBookmarks"),
        initial=initial,
        seconds=_number(query, "timeoutSeconds"),
        include=include(query),
    )


def include(query: Mapping[str, str]) -> Include:
    """What rows of a table carry of their objects.

    Raises:
        BadInput: nothing that can be carried.
    """
    text = query.get("includeObject") or Include.METADATA
    try:
        return Include(text)
    except ValueError:
        raise BadInput(field="includeObject", got=repr(text[:40]), expected="None, Metadata or Object") from None


def _match(query: Mapping[str, str], *, watch: bool, initial: bool, version: int | None, token: str) -> Match:
    """The resourceVersionMatch, where it is allowed (apimachinery, ValidateListOptions)."""
    text = query.get("resourceVersionMatch", "")
    try:
        match = Match(text)
    except ValueError:
        raise BadInput(field="resourceVersionMatch", got=repr(text[:40]), expected="Exact or NotOlderThan") from None
    if initial and not watch:
        raise BadInput(field="sendInitialEvents", got="a list", expected="it together with watch")
    if initial and match is not Match.NOT_OLDER:
        raise BadInput(field="resourceVersionMatch", got=repr(text), expected="NotOlderThan with sendInitialEvents")
    if match is Match.UNSET or initial:
        return match
    if watch:
        raise BadInput(field="resourceVersionMatch", got=repr(text), expected="none in a watch")
    if version is None or token or (match is Match.EXACT and not version):
        raise BadInput(field="resourceVersionMatch", got=repr(text), expected="it together with a resourceVersion")
    return match


def _version(query: Mapping[str, str]) -> int | None:
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise BadInput(field="resourceVersion", got=repr(text[:40]), expected="a number that a list or watch has told")
    return int(text)


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not text:
        return 0
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > MAX_DIGITS:
        raise BadInput(field=name, got=repr(text[:40]), expected="a number")
    return max(int(text), 0)


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "")
    if text not in _TRUE | _FALSE:
        raise BadInput(field=name, got=repr(text[:40]), expected="true or false")
    return text in _TRUE
